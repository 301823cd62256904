"""Radicale's application, with teams-mirror around its methods that change calendars.

The methods are entered when Radicale has authenticated the user, whatever the authentication, and leave with Radicale's answer.
None of Radicale's locks is held while the hook is asked. Whatever goes wrong here is logged and costs the mirror, never the save:
Radicale's own method runs exactly as it would without us.
"""

from __future__ import annotations

from typing import Any, Callable, Optional, Tuple

from radicale import httputils
from radicale.app import Application as Radicale

from teams_mirror_radicale import check, page, settings
from teams_mirror_radicale.log import logger
from teams_mirror_radicale.mirror import Mirror
from teams_mirror_radicale.operations import Operation, Save, collection_changed, deleted, moved, saved

#: What is no calendar is not looked at.
_OTHER_TYPES = ("text/vcard", "text/x-vcard", "text/directory")


class Application(Radicale):
    """Radicale with teams-mirror."""

    def __init__(self, configuration: Any) -> None:
        super().__init__(configuration)
        #: ``None``: switched off, because the configuration is not in order.
        self.mirror: Optional[Mirror] = None
        try:
            chosen = settings.load(check.argument)
            mirror = Mirror(chosen, configuration, self)
            check.at_start(mirror, configuration)
            mirror.start()
            self.mirror = mirror
        except settings.SettingsError as error:
            logger.error("teams-mirror is OFF, calendars work as without it: %s", error)
        except Exception as error:
            logger.error("teams-mirror is OFF, calendars work as without it: %s", error, exc_info=True)

    def do_PUT(self, environ: Any, base_prefix: str, path: str, user: str, *further: Any) -> Any:
        """A save, or an import."""
        store = lambda: super(Application, self).do_PUT(environ, base_prefix, path, user, *further)  # noqa: E731
        kind = environ.get("CONTENT_TYPE", "").split(";")[0].strip().lower()
        length = _length(environ)
        if self.mirror is None or kind in _OTHER_TYPES or length <= 0:
            return store()
        return self._around(store, lambda mirror: saved(mirror, environ, length, path, user, further))

    def do_DELETE(self, environ: Any, base_prefix: str, path: str, user: str, *further: Any) -> Any:
        """An object or a collection goes."""
        store = lambda: super(Application, self).do_DELETE(environ, base_prefix, path, user, *further)  # noqa: E731
        return self._around(store, lambda mirror: deleted(mirror, path, user, further))

    def do_MOVE(self, environ: Any, base_prefix: str, path: str, user: str, *further: Any) -> Any:
        """An object gets another path, perhaps in another user's calendar."""
        store = lambda: super(Application, self).do_MOVE(environ, base_prefix, path, user, *further)  # noqa: E731
        return self._around(store, lambda mirror: moved(mirror, environ, base_prefix, path, user, further))

    def do_GET(self, environ: Any, base_prefix: str, path: str, user: str, *further: Any) -> Any:
        """The way to the settings; else Radicale's."""
        mirror = self.mirror
        if mirror is None or mirror.settings.settings_path is None or path.rstrip("/") != mirror.settings.settings_path:
            return super().do_GET(environ, base_prefix, path, user, *further)
        if not user:
            return httputils.NOT_ALLOWED
        return page.answer(mirror, environ, user)

    def _around(self, store: Callable[[], Any], begin: Callable[[Mirror], Optional[Operation]]) -> Any:
        operation = None
        if self.mirror is not None:
            try:
                self.mirror.start()
                operation = begin(self.mirror)
            except Exception as error:
                logger.error("teams-mirror failed before a save, which goes on without it: %s", error, exc_info=True)
        if operation is None:
            return store()
        try:
            if isinstance(operation, Save):
                answer = operation.store(store)
            else:
                answer = store()
        except BaseException:
            operation.unknown()
            raise
        try:
            return operation.answered(answer)
        except Exception as error:
            logger.error("teams-mirror failed after a save, which is done; it is looked at again: %s", error, exc_info=True)
            operation.unknown()
            return answer


def _length(environ: Any) -> int:
    """The octets of the body; 0 where that makes no sense, and is Radicale's to answer. Less than 0 makes none, either: to read
    so many is to read for ever."""
    try:
        return int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
