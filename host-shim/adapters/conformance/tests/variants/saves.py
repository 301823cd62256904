"""Saves and refusals."""

from __future__ import annotations

import time
from typing import Any

from tests.variants.registry import caught_by, modules, wrap


@caught_by("SAVE-3")
def returns_the_etag() -> None:
    modules().operations._VALIDATORS = ()


@caught_by("SAVE-4")
def never_reports() -> None:
    modules().operations.Save._report = lambda self, *_: self._done()


@caught_by("SAVE-4")
def reports_before_the_store() -> None:
    save = modules().operations.Save
    real = save.store

    def store(self: Any, store_: Any) -> Any:
        self._mirror.hook.report(self._account, self._uid, self._change, "stored")
        self._report = lambda *_: self._done()
        return real(self, store_)

    save.store = store


@caught_by("SAVE-1", "SAVE-2")
def announces_after_the_store() -> None:
    operations = modules().operations

    class Late(operations.Operation):
        def __init__(self, mirror: Any, note: Any, tell: Any) -> None:
            super().__init__(mirror, note)
            self._tell = tell

        def answered(self, answer: Any) -> Any:
            self._tell()
            self._done()
            return answer

    def announced(mirror: Any, environ: Any, where: Any, calendar: Any, content: Any, text: str) -> Any:
        def tell() -> None:
            answer = mirror.hook.announce(
                where["account"], where["uid"], text, where["object"], calendar, "late%d" % time.time_ns(), 5, True
            )
            mirror.hook.report(where["account"], where["uid"], str(answer.get("change")), "stored")

        return Late(mirror, None, tell)

    operations._announced = announced


@caught_by("SAVE-2")
def stores_the_original() -> None:
    operations = modules().operations
    real = operations.Save.__init__

    def init(self: Any, *arguments: Any, **named: Any) -> None:
        real(self, *arguments, **named)
        self.amended = None

    operations.Save.__init__ = init


@caught_by("SAVE-1", "CALL-2")
def tells_stored_before_the_store() -> None:
    hook = modules().hook.Hook

    def announce(self: Any, account: str, uid: str, text: str, object_: str, calendar: Any, *_: Any) -> Any:
        return hook.tell(self, account, uid, text, object_, calendar, False)

    hook.announce = announce


@caught_by("SAVE-6")
def changes_the_line_ends() -> None:
    wrap(
        modules().hook.Hook,
        "announce",
        lambda real, self, account, uid, text, *rest: real(self, account, uid, text.replace("\r\n", "\n"), *rest),
    )


@caught_by("SAVE-7")
def names_no_object() -> None:
    hook = modules().hook
    wrap(
        hook.Hook,
        "_call",
        lambda real, self, method, path, query, *rest, **named: real(
            self,
            method,
            path,
            {name: value for name, value in query.items() if name != "object"} if method == "PUT" else query,
            *rest,
            **named,
        ),
    )


@caught_by("SAVE-8")
def names_no_calendar() -> None:
    modules().hook._calendar = lambda _: {}


@caught_by("SAVE-9")
def chooses_no_change_id() -> None:
    package = modules()
    wrap(
        package.hook.Hook,
        "_call",
        lambda real, self, method, path, query, *rest, **named: real(
            self, method, path, {name: value for name, value in query.items() if name != "change"}, *rest, **named
        ),
    )
    real = package.operations.Save.__init__

    def init(
        self: Any,
        mirror: Any,
        note: Any,
        where: Any,
        environ: Any,
        content: Any,
        text: Any,
        announced: Any,
        change: Any,
        patience: Any,
    ) -> None:
        real(self, mirror, note, where, environ, content, text, announced, announced.get("change") or change, patience)

    package.operations.Save.__init__ = init


@caught_by("SAVE-12")
def writes_the_text_anew() -> None:
    wrap(modules().hook.Hook, "announce", _reworded)


@caught_by("SAVE-12")
def drops_the_organisers_attendee_line() -> None:
    def announce(real: Any, *arguments: Any) -> Any:
        answer = real(*arguments)
        if answer.get("join_url"):
            answer.body["icalendar"] = answer.body["icalendar"].replace("ATTENDEE;CN=Owner", "X-ATTENDEE;CN=Owner")
        return answer

    wrap(modules().hook.Hook, "announce", announce)


def _reworded(real: Any, *arguments: Any) -> Any:
    answer = real(*arguments)
    if answer.get("join_url"):
        answer.body["icalendar"] = answer.body["icalendar"].replace("CATEGORIES:One,Two", "CATEGORIES:One\\,Two")
    return answer


@caught_by("REF-1", "REF-2", "REF-3")
def forgets_what_was_refused() -> None:
    operations = modules().operations
    operations._precondition_fails = lambda *_: False
    wrap(
        operations.Save,
        "_report",
        lambda real, self, result, *rest: self._done() if result == "refused" else real(self, result, *rest),
    )


@caught_by("REF-5")
def announces_for_anybody() -> None:
    package = modules()
    for name in ("any", "object", "collection"):
        setattr(package.stored.Rights, name, lambda self: True)
    wrap(
        package.operations.Save,
        "_report",
        lambda real, self, result, *rest: self._done() if result == "refused" else real(self, result, *rest),
    )


@caught_by("REF-4")
def announces_before_the_login() -> None:
    package = modules()

    def handle(real: Any, self: Any, environ: Any) -> Any:
        if environ["REQUEST_METHOD"] == "PUT" and self.mirror is not None:
            length = int(environ.get("CONTENT_LENGTH") or 0)
            text = package.operations._read(environ, length).decode("utf-8", "replace")
            uid = package.ical.event_uid(text)
            if uid:
                calendar = package.stored.Calendar("/alice/work/", None)
                self.mirror.hook.announce(
                    "alice@test.tld", uid, text, environ["PATH_INFO"], calendar, "early%d" % time.time_ns(), 5, True
                )
        return real(self, environ)

    wrap(package.application.Application, "_handle_request", handle)


@caught_by("REF-6")
def insists_on_the_answered_text() -> None:
    def store(self: Any, store_: Any) -> Any:
        if self.amended is not None:
            self._body(self.amended.encode("utf-8"), "text/calendar; charset=utf-8")
        return store_()

    modules().operations.Save.store = store
