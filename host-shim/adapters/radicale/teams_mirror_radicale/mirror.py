"""What all requests share: the hook, the notes, and whether the hook answers."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Dict, Iterator, Optional, Tuple

from radicale.app import Application as Radicale

from teams_mirror_radicale import stored
from teams_mirror_radicale.hook import Answer, Hook, Unanswered
from teams_mirror_radicale.log import logger
from teams_mirror_radicale.settings import Settings
from teams_mirror_radicale.spool import Spool
from teams_mirror_radicale.stored import Rights, Stored
from teams_mirror_radicale.worker import Worker

#: Saves that may wait where Radicale does not say how many connections there are.
_WAITING_ELSEWHERE = 4
#: Saves that may wait where Radicale takes any number of connections.
_WAITING_UNLIMITED = 32
#: The same sentence is not logged more often, in seconds.
_LOUD_EVERY = 600.0


@dataclass(frozen=True)
class Target:
    """What a request is about."""

    #: The path as its owner names it.
    path: str
    #: The owner's address: a delegate's save is the owner's event. ``None``: the owner has none, so nothing is mirrored.
    account: Optional[str]
    #: What whoever asks may do there.
    rights: Rights


class Mirror:
    """One per application."""

    def __init__(self, settings: Settings, configuration: Any, application: Radicale) -> None:
        self.settings = settings
        self.configuration = configuration
        self.hook = Hook(settings)
        self.spool = spool(settings, configuration)
        self.stored = Stored(application)
        self._upper = bool(option(configuration, "auth", "uc_username", False))
        self.strict_preconditions = bool(option(configuration, "storage", "strict_preconditions", False))
        #: Whether the hook answers, as far as is known. Where it does not, saves do not wait to find out.
        self.up = True
        self._waiting = threading.Semaphore(waiting(settings, configuration))
        self._said: Dict[str, float] = {}
        self._lock = threading.Lock()
        self._worker = Worker(self)

    def start(self) -> None:
        """Begins to work notes off and to write links back, unless this process does already."""
        self._worker.start()

    def stop(self) -> None:
        """Ends that."""
        self._worker.stop()

    def account(self, user: str) -> Optional[str]:
        """The address of one of Radicale's users, if there is one."""
        return self.settings.account(user, self._upper)

    def whose(self, path: str, user: str, further: Tuple[Any, ...]) -> Target:
        """Whose a path is, and what this user may do there. Looks at nothing that is stored."""
        share = self.stored.share(path, user, further)
        theirs = share["PathMapped"] if share else path
        return Target(theirs, self.account(stored.owner(theirs)), self.stored.rights(path, user, further, share))

    @contextmanager
    def waits(self) -> Iterator[bool]:
        """Whether this save may wait for a link; not where enough of them wait already."""
        waits = self._waiting.acquire(blocking=False)
        try:
            yield waits
        finally:
            if waits:
                self._waiting.release()

    def unanswered(self, error: Unanswered) -> None:
        """The hook did not answer; the worker goes on asking."""
        if not error.down:
            self.loudly("answer", "teams-mirror: %s; it is told again" % error)
            return
        with self._lock:
            was, self.up = self.up, False
        if was:
            logger.error(
                "teams-mirror: %s. Saves go on without waiting for it, and are noted in `%s`", error, self.spool.folder)
        self.spool.left.set()

    def answers_again(self, notes: int) -> None:
        """The hook answers."""
        with self._lock:
            was, self.up = self.up, True
        if not was:
            logger.warning("teams-mirror answers again; notes to tell: %d", notes)

    def refused(self, object_: str, answer: Answer) -> None:
        """The hook will not have an event, now or later."""
        if answer.get("code") == "other-domain":
            self.loudly("domain", "teams-mirror: %s" % answer.sentence)
        else:
            logger.warning("teams-mirror: `%s` is not mirrored: %s", object_, answer.sentence)

    def loudly(self, about: str, sentence: str) -> None:
        """Logs an error, but not with every save."""
        now = time.monotonic()
        with self._lock:
            if now - self._said.get(about, -_LOUD_EVERY) < _LOUD_EVERY:
                return
            self._said[about] = now
        logger.error("%s", sentence)


def spool(settings: Settings, configuration: Any) -> Spool:
    """The folder for notes: where none is named beside the collections, where Radicale may write."""
    beside = os.path.join(configuration.get("storage", "filesystem_folder"), ".teams-mirror-spool")
    return Spool(settings.spool or beside, settings.spool_limit)


def waiting(settings: Settings, configuration: Any) -> int:
    """How many saves may wait at once: half of what Radicale's server takes, so that there is room for everybody else."""
    if settings.max_waiting is not None:
        return settings.max_waiting
    if not option(configuration, "server", "_internal_server", False):
        return _WAITING_ELSEWHERE
    if option(configuration, "server", "type", "builtin") == "hypercorn":
        # It answers requests in asyncio's own threads, whatever `max_connections` says.
        return min(32, (os.cpu_count() or 1) + 4) // 2
    connections = configuration.get("server", "max_connections")
    return connections // 2 if connections > 0 else _WAITING_UNLIMITED


def option(configuration: Any, section: str, option: str, default: Any) -> Any:
    """An option that not every version of Radicale has."""
    try:
        return configuration.get(section, option)
    except KeyError:
        return default
