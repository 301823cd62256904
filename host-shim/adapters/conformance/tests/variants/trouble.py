"""A hook that answers something else, or nothing, and what is noted then."""

from __future__ import annotations

from typing import Any, Callable

from tests.variants.registry import caught_by, modules, wrap


@caught_by("FAIL-1")
def ignores_204() -> None:
    operations = modules().operations
    real = operations.Save.__init__

    def init(self: Any, *arguments: Any, **named: Any) -> None:
        real(self, *arguments, **named)
        self._recorded = True

    operations.Save.__init__ = init


@caught_by("FAIL-2")
def takes_a_refusal_for_the_servers() -> None:
    package = modules()
    _fails_when(package, lambda answer: 400 <= answer.status < 500)


@caught_by("FAIL-3")
def takes_trouble_for_a_refusal() -> None:
    package = modules()

    def counted(status: int, reason: str, kind: str, read: bytes) -> Any:
        return package.hook.Answer(status, reason, None) if status >= 500 else real(status, reason, kind, read)

    real = package.hook._counted
    package.hook._counted = counted


def _fails_when(package: Any, bad: Callable[[Any], bool]) -> None:
    """The save fails with the hook."""

    def announce(real: Any, *arguments: Any) -> Any:
        answer = real(*arguments)
        if bad(answer):
            raise SystemError("the hook has refused it")
        return answer

    wrap(package.hook.Hook, "announce", announce)

    def around(self: Any, store: Any, begin: Any) -> Any:
        try:
            operation = begin(self.mirror)
        except SystemError:
            return (500, {"Content-Type": "text/plain"}, "no", None)
        return (
            store()
            if operation is None
            else operation.answered(operation.store(store) if isinstance(operation, package.operations.Save) else store())
        )

    package.application.Application._around = around


@caught_by("FAIL-4")
def waits_for_ever() -> None:
    wrap(modules().hook.Hook, "announce", lambda real, self, *arguments: real(self, *arguments[:6], 12.0, *arguments[7:]))


@caught_by("FAIL-5")
def takes_half_an_answer_for_none() -> None:
    package = modules()

    def send(real: Any, self: Any, *arguments: Any) -> Any:
        try:
            return real(self, *arguments)
        except package.hook.http.client.IncompleteRead:
            return 204, "No Content", "text/plain", b""

    wrap(package.hook.Hook, "_send", send)


@caught_by("FAIL-6")
def believes_any_answer() -> None:
    modules().hook._with_text = lambda answer: answer


@caught_by("FAIL-7")
def waits_for_nothing() -> None:
    wrap(modules().hook.Hook, "announce", lambda real, self, *arguments: real(self, *arguments[:7], False))


@caught_by("FAIL-9")
def asks_the_dead_each_time() -> None:
    mirror = modules().mirror.Mirror
    mirror.up = property(lambda self: True, lambda self, _: None)


@caught_by("FAIL-10")
def takes_a_wrong_secret_for_a_refusal() -> None:
    package = modules()
    real = package.hook._counted
    package.hook._counted = lambda status, reason, kind, read: (
        package.hook.Answer(401, reason, None) if status == 401 else real(status, reason, kind, read)
    )


@caught_by("FAIL-11")
def never_comes_back() -> None:
    package = modules()

    def ask(real: Any, self: Any) -> None:
        # Once, at the start.
        if not self._mirror.up and not getattr(self, "asked", False):
            real(self)
            self.asked = True

    wrap(package.worker.Worker, "_ask_if_down", ask)


@caught_by("FAIL-8", "SPOOL-1", "SPOOL-3", "SPOOL-4")
def notes_nothing() -> None:
    modules().operations._note = lambda *_: None


@caught_by("SPOOL-2")
def tells_the_text_of_the_note() -> None:
    package = modules()

    def note(real: Any, mirror: Any, looks: Any) -> Any:
        noted = real(mirror, looks)
        for look in looks:
            if "object" in look and mirror.noted_text is not None:
                mirror.texts.setdefault(look["object"], []).append(mirror.noted_text)
        return noted

    package.mirror.Mirror.texts, package.mirror.Mirror.noted_text = {}, None
    wrap(package.operations, "_note", note)

    def saved(real: Any, mirror: Any, environ: Any, length: int, *rest: Any) -> Any:
        mirror.noted_text = package.operations._read(environ, length).decode("utf-8")
        return real(mirror, environ, length, *rest)

    wrap(package.application, "saved", saved)

    def tell(self: Any, account: str, uid: str, object_: str, imported: bool = False) -> Any:
        found = self._mirror.stored.object(object_)
        if found is None or found.uid != uid:
            return None
        for text in self._mirror.texts.pop(object_, []):
            self._mirror.hook.tell(account, uid, text, object_, found.calendar, imported)
        return self._mirror.hook.tell(account, uid, found.text, object_, found.calendar, imported).get("icalendar")

    package.worker.Worker.tell = tell


@caught_by("SPOOL-5", "SPOOL-6", "SPOOL-7")
def forgets_its_notes_at_the_start() -> None:
    package = modules()
    import os

    def make(real: Any, self: Any, *arguments: Any) -> Any:
        real(self, *arguments)
        for name in self.names():
            os.unlink(os.path.join(self.folder, name))

    wrap(package.spool.Spool, "make", make)


@caught_by("SPOOL-8")
def tells_once_and_no_more() -> None:
    package = modules()
    package.spool.Note.leave = lambda self: self._remove() if self._fresh is False else (self._close(), self._spool.left.set())


@caught_by("SPOOL-9")
def waits_for_the_one_that_is_refused() -> None:
    package = modules()

    def tell(real: Any, self: Any, account: str, uid: str, *rest: Any) -> Any:
        answer = real(self, account, uid, *rest)
        if answer.status == 422:
            raise package.hook.Unanswered("it is refused", down=True)
        return answer

    wrap(package.hook.Hook, "tell", tell)
