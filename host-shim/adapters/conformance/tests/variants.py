"""The Radicale adapter, broken on purpose in one place, as a program: ``variants.py NAME [Radicale's options]``.

Each variant names the checks that have to catch it. What is broken is what people who write adapters do get wrong.
"""

from __future__ import annotations

import sys
import time
from typing import Any, Callable, Dict, Tuple

VARIANTS: Dict[str, Tuple[Tuple[str, ...], Callable[[], None]]] = {}


def caught_by(*ids: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Registers a variant."""
    def register(patch: Callable[[], None]) -> Callable[[], None]:
        VARIANTS[patch.__name__.replace("_", "-")] = (ids, patch)
        return patch
    return register


def _modules() -> Any:
    import teams_mirror_radicale as package
    from teams_mirror_radicale import application, hook, ical, mirror, operations, spool, stored, worker  # noqa: F401
    return package


def _wrap(owner: Any, name: str, around: Callable[..., Any]) -> None:
    real = getattr(owner, name)
    setattr(owner, name, lambda *arguments, **named: around(real, *arguments, **named))


@caught_by("SAVE-3")
def returns_the_etag() -> None:
    _modules().operations._VALIDATORS = ()


@caught_by("SAVE-4")
def never_reports() -> None:
    _modules().operations.Save._report = lambda self, *_: self._done()


@caught_by("SAVE-4")
def reports_before_the_store() -> None:
    save = _modules().operations.Save
    real = save.store

    def store(self: Any, store_: Any) -> Any:
        self._mirror.hook.report(self._account, self._uid, self._change, "stored")
        self._report = lambda *_: self._done()
        return real(self, store_)
    save.store = store


@caught_by("SAVE-1", "SAVE-2")
def announces_after_the_store() -> None:
    operations = _modules().operations

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
            answer = mirror.hook.announce(where["account"], where["uid"], text, where["object"], calendar, "late%d" % time.time_ns(), 5, True)
            mirror.hook.report(where["account"], where["uid"], str(answer.get("change")), "stored")
        return Late(mirror, None, tell)
    operations._announced = announced


@caught_by("SAVE-2")
def stores_the_original() -> None:
    operations = _modules().operations
    real = operations.Save.__init__

    def init(self: Any, *arguments: Any, **named: Any) -> None:
        real(self, *arguments, **named)
        self.amended = None
    operations.Save.__init__ = init


@caught_by("SAVE-1", "CALL-2")
def tells_stored_before_the_store() -> None:
    hook = _modules().hook.Hook

    def announce(self: Any, account: str, uid: str, text: str, object_: str, calendar: Any, *_: Any) -> Any:
        return hook.tell(self, account, uid, text, object_, calendar, False)
    hook.announce = announce


@caught_by("SAVE-6")
def changes_the_line_ends() -> None:
    _wrap(_modules().hook.Hook, "announce", lambda real, self, account, uid, text, *rest: real(
        self, account, uid, text.replace("\r\n", "\n"), *rest))


@caught_by("SAVE-7")
def names_no_object() -> None:
    hook = _modules().hook
    _wrap(hook.Hook, "_call", lambda real, self, method, path, query, *rest, **named: real(
        self, method, path, {name: value for name, value in query.items() if name != "object"} if method == "PUT" else query,
        *rest, **named))


@caught_by("SAVE-8")
def names_no_calendar() -> None:
    _modules().hook._calendar = lambda _: {}


@caught_by("SAVE-9")
def chooses_no_change_id() -> None:
    package = _modules()
    _wrap(package.hook.Hook, "_call", lambda real, self, method, path, query, *rest, **named: real(
        self, method, path, {name: value for name, value in query.items() if name != "change"}, *rest, **named))
    real = package.operations.Save.__init__

    def init(self: Any, mirror: Any, note: Any, where: Any, environ: Any, content: Any, text: Any, announced: Any, change: Any,
             patience: Any) -> None:
        real(self, mirror, note, where, environ, content, text, announced, announced.get("change") or change, patience)
    package.operations.Save.__init__ = init


@caught_by("SAVE-12")
def writes_the_text_anew() -> None:
    _wrap(_modules().hook.Hook, "announce", _reworded)


def _reworded(real: Any, *arguments: Any) -> Any:
    answer = real(*arguments)
    if answer.get("join_url"):
        answer.body["icalendar"] = answer.body["icalendar"].replace("CATEGORIES:One,Two", "CATEGORIES:One\\,Two")
    return answer


@caught_by("REF-1", "REF-2", "REF-3")
def forgets_what_was_refused() -> None:
    operations = _modules().operations
    operations._precondition_fails = lambda *_: False
    _wrap(operations.Save, "_report", lambda real, self, result, *rest: self._done() if result == "refused" else real(self, result, *rest))


@caught_by("REF-5")
def announces_for_anybody() -> None:
    package = _modules()
    for name in ("any", "object", "collection"):
        setattr(package.stored.Rights, name, lambda self: True)
    _wrap(package.operations.Save, "_report", lambda real, self, result, *rest: self._done() if result == "refused" else real(
        self, result, *rest))


@caught_by("REF-4")
def announces_before_the_login() -> None:
    package = _modules()

    def handle(real: Any, self: Any, environ: Any) -> Any:
        if environ["REQUEST_METHOD"] == "PUT" and self.mirror is not None:
            length = int(environ.get("CONTENT_LENGTH") or 0)
            text = package.operations._read(environ, length).decode("utf-8", "replace")
            uid = package.ical.event_uid(text)
            if uid:
                calendar = package.stored.Calendar("/alice/work/", None)
                self.mirror.hook.announce("alice@test.tld", uid, text, environ["PATH_INFO"], calendar, "early%d" % time.time_ns(), 5, True)
        return real(self, environ)
    _wrap(package.application.Application, "_handle_request", handle)


@caught_by("REF-6")
def insists_on_the_answered_text() -> None:
    def store(self: Any, store_: Any) -> Any:
        if self.amended is not None:
            self._body(self.amended.encode("utf-8"), "text/calendar; charset=utf-8")
        return store_()
    _modules().operations.Save.store = store


@caught_by("FAIL-1")
def ignores_204() -> None:
    operations = _modules().operations
    real = operations.Save.__init__

    def init(self: Any, *arguments: Any, **named: Any) -> None:
        real(self, *arguments, **named)
        self._recorded = True
    operations.Save.__init__ = init


@caught_by("FAIL-2")
def takes_a_refusal_for_the_servers() -> None:
    package = _modules()
    _fails_when(package, lambda answer: 400 <= answer.status < 500)


@caught_by("FAIL-3")
def takes_trouble_for_a_refusal() -> None:
    package = _modules()

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
    _wrap(package.hook.Hook, "announce", announce)

    def around(self: Any, store: Any, begin: Any) -> Any:
        try:
            operation = begin(self.mirror)
        except SystemError:
            return (500, {"Content-Type": "text/plain"}, "no", None)
        return store() if operation is None else operation.answered(
            operation.store(store) if isinstance(operation, package.operations.Save) else store())
    package.application.Application._around = around


@caught_by("FAIL-4")
def waits_for_ever() -> None:
    _wrap(_modules().hook.Hook, "announce", lambda real, self, *arguments: real(self, *arguments[:6], 12.0, *arguments[7:]))


@caught_by("FAIL-5")
def takes_half_an_answer_for_none() -> None:
    package = _modules()

    def send(real: Any, self: Any, *arguments: Any) -> Any:
        try:
            return real(self, *arguments)
        except package.hook.http.client.IncompleteRead:
            return 204, "No Content", "text/plain", b""
    _wrap(package.hook.Hook, "_send", send)


@caught_by("FAIL-6")
def believes_any_answer() -> None:
    _modules().hook._with_text = lambda answer: answer


@caught_by("FAIL-7")
def waits_for_nothing() -> None:
    _wrap(_modules().hook.Hook, "announce", lambda real, self, *arguments: real(self, *arguments[:7], False))


@caught_by("FAIL-9")
def asks_the_dead_each_time() -> None:
    mirror = _modules().mirror.Mirror
    mirror.up = property(lambda self: True, lambda self, _: None)


@caught_by("FAIL-10")
def takes_a_wrong_secret_for_a_refusal() -> None:
    package = _modules()
    real = package.hook._counted
    package.hook._counted = lambda status, reason, kind, read: package.hook.Answer(401, reason, None) if status == 401 else real(
        status, reason, kind, read)


@caught_by("FAIL-11")
def never_comes_back() -> None:
    package = _modules()

    def ask(real: Any, self: Any) -> None:
        # Once, at the start.
        if not self._mirror.up and not getattr(self, "asked", False):
            real(self)
            self.asked = True
    _wrap(package.worker.Worker, "_ask_if_down", ask)


@caught_by("FAIL-8", "SPOOL-1", "SPOOL-3", "SPOOL-4")
def notes_nothing() -> None:
    _modules().operations._note = lambda *_: None


@caught_by("SPOOL-2")
def tells_the_text_of_the_note() -> None:
    package = _modules()

    def note(real: Any, mirror: Any, looks: Any) -> Any:
        noted = real(mirror, looks)
        for look in looks:
            if "object" in look and mirror.noted_text is not None:
                mirror.texts.setdefault(look["object"], []).append(mirror.noted_text)
        return noted
    package.mirror.Mirror.texts, package.mirror.Mirror.noted_text = {}, None
    _wrap(package.operations, "_note", note)

    def saved(real: Any, mirror: Any, environ: Any, length: int, *rest: Any) -> Any:
        mirror.noted_text = package.operations._read(environ, length).decode("utf-8")
        return real(mirror, environ, length, *rest)
    _wrap(package.application, "saved", saved)

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
    package = _modules()
    import os

    def make(real: Any, self: Any, *arguments: Any) -> Any:
        real(self, *arguments)
        for name in self.names():
            os.unlink(os.path.join(self.folder, name))
    _wrap(package.spool.Spool, "make", make)


@caught_by("SPOOL-8")
def tells_once_and_no_more() -> None:
    package = _modules()
    package.spool.Note.leave = lambda self: self._remove() if self._fresh is False else (self._close(), self._spool.left.set())


@caught_by("SPOOL-9")
def waits_for_the_one_that_is_refused() -> None:
    package = _modules()

    def tell(real: Any, self: Any, account: str, uid: str, *rest: Any) -> Any:
        answer = real(self, account, uid, *rest)
        if answer.status == 422:
            raise package.hook.Unanswered("it is refused", down=True)
        return answer
    _wrap(package.hook.Hook, "tell", tell)


@caught_by("DEL-1")
def tells_a_delete_before_it_happens() -> None:
    package = _modules()

    def deleted(real: Any, mirror: Any, path: str, *rest: Any) -> Any:
        found = mirror.stored.object(path) if path.endswith(".ics") else None
        if found is not None:
            mirror.hook.gone(mirror.account(package.stored.owner(path)), found.uid, path)
            return None
        return real(mirror, path, *rest)
    _wrap(package.application, "deleted", deleted)


@caught_by("DEL-3")
def tells_a_delete_whatever_comes_of_it() -> None:
    package = _modules()

    def answered(self: Any, answer: Any) -> Any:
        for look in self._note.looks if self._note else ():
            if "object" in look and "change" not in look:
                self._mirror.hook.gone(look["account"], look["uid"], look["object"])
        self._done()
        return answer
    package.operations.Operation.answered = answered


@caught_by("DEL-2")
def forgets_what_is_in_a_collection() -> None:
    _modules().stored.Stored.events = lambda self, path: []


@caught_by("IMP-2")
def looks_at_what_an_import_brings_and_not_at_what_it_takes() -> None:
    package = _modules()
    _wrap(package.operations, "look_through", lambda real, account, path, before, imported: real(account, path, [], imported))


@caught_by("IMP-1")
def tells_an_import_as_saves() -> None:
    _wrap(_modules().hook.Hook, "tell", lambda real, self, *arguments: real(self, *arguments[:5], False))


@caught_by("MOVE-1", "SPOOL-4")
def tells_of_a_move_only_its_end() -> None:
    package = _modules()

    def moved(real: Any, mirror: Any, *rest: Any) -> Any:
        operation = real(mirror, *rest)
        if operation is not None:
            operation._note.done()
            operation._note = package.operations._note(mirror, operation._note.looks[:1])
        return operation
    _wrap(package.application, "moved", moved)


@caught_by("MOVE-2")
def tells_the_end_of_a_move_first() -> None:
    package = _modules()
    package.worker.Worker._is_there = lambda self, noted: not _is_there(self, noted)
    _is_there = lambda self, noted: (lambda found: found is not None and found.uid == noted["uid"])(  # noqa: E731
        self._mirror.stored.object(noted["object"]))


@caught_by("WHO-1", "MOVE-3")
def counts_who_writes() -> None:
    package = _modules()

    def whose(real: Any, self: Any, path: str, user: str, further: Any) -> Any:
        target = real(self, path, user, further)
        return package.mirror.Target(target.path, self.account(user), target.rights)
    _wrap(package.mirror.Mirror, "whose", whose)


@caught_by("WHO-2")
def trusts_its_own_idea_of_a_meeting() -> None:
    def announce(real: Any, *arguments: Any) -> Any:
        answer = real(*arguments)
        if answer.status == 200 and "X-TEAMS-MEETING" in (answer.get("icalendar") or "") and not answer.get("join_url"):
            answer.body["icalendar"] = answer.body["icalendar"].replace(
                "END:VEVENT", "URL:https://teams.microsoft.com/l/meetup-join/mine/0\r\nEND:VEVENT")
        return answer
    _wrap(_modules().hook.Hook, "announce", announce)


@caught_by("LINK-1")
def never_asks_for_changes() -> None:
    _modules().worker.Worker._links = lambda self: None


@caught_by("LINK-2")
def writes_back_whatever_is_there() -> None:
    package = _modules()

    def put_back(real: Any, self: Any, path: str, owner: str, text: str, _: str) -> int:
        found = self.object(path)
        return real(self, path, owner, text, found.etag) if found else 412
    _wrap(package.stored.Stored, "put_back", put_back)


@caught_by("LINK-3")
def does_not_tell_what_it_wrote_back() -> None:
    package = _modules()

    def write(self: Any, account: str, uid: str, object_: str, owner: str, change: Any) -> None:
        found = self._mirror.stored.object(object_)
        if found is not None and change.get("icalendar"):
            self._mirror.stored.put_back(object_, owner, change["icalendar"], found.etag)
    package.worker.Worker._write_object = write


@caught_by("LINK-5")
def keeps_an_expired_cursor() -> None:
    package = _modules()

    def changes(real: Any, self: Any, after: Any, wait: int) -> Any:
        if after:
            self.kept = after
        return real(self, after or getattr(self, "kept", None), wait)
    _wrap(package.hook.Hook, "changes", changes)


@caught_by("LINK-6")
def asks_for_changes_again_and_again() -> None:
    _modules().worker._POLL = 0


@caught_by("LOCK-1")
def holds_the_lock_while_it_waits() -> None:
    package = _modules()

    def announced(real: Any, mirror: Any, *rest: Any) -> Any:
        with mirror.stored._storage.acquire_lock("w", "alice"):
            return real(mirror, *rest)
    _wrap(package.operations, "_announced", announced)


@caught_by("LOCK-2")
def lets_everybody_wait() -> None:
    _modules().mirror.waiting = lambda *_: 1000


@caught_by("CONC-1")
def believes_that_nobody_came_between() -> None:
    _modules().operations.Save._is_stored = lambda self, etag: True
    _slow_reports()


def _slow_reports() -> None:
    # The later a report, the more comes between; so it need not be tried a thousand times.
    import random
    _wrap(_modules().hook.Hook, "report", lambda real, *arguments, **named: (time.sleep(random.random() * 0.3), real(*arguments, **named))[1])


@caught_by("NAME-1")
def leaves_slashes_as_they_are() -> None:
    hook = _modules().hook
    hook._event = lambda account, uid: hook._account(account) + "/events/" + hook.quote(uid, safe="/")


@caught_by("NAME-1")
def takes_the_escaped_uid() -> None:
    _modules().ical._unescaped = lambda match: match.group(0)


@caught_by("NAME-2")
def announces_long_uids() -> None:
    ical = _modules().ical
    real = ical.event_uid

    def event_uid(text: str) -> Any:
        import re
        found = re.search(r"UID:([^\r\n]*)", ical._FOLD.sub("", text))
        return real(text) or (found.group(1) if found and len(found.group(1)) > 1024 else None)
    ical.event_uid = event_uid


@caught_by("NAME-3")
def announces_large_texts() -> None:
    _modules().operations.LARGEST = 1 << 30


@caught_by("SEC-1")
def puts_the_secret_into_the_address() -> None:
    package = _modules()
    _wrap(package.hook.Hook, "_send", lambda real, self, method, target, content, headers, timeout: real(
        self, method, target, content, {**headers, "X-Secret": self._secret()}, timeout))


@caught_by("SEC-2")
def hands_the_login_on() -> None:
    package = _modules()
    _wrap(package.hook.Hook, "_send", lambda real, self, method, target, content, headers, timeout: real(
        self, method, target, content, {**headers, "X-Forwarded-Authorization": "Basic YWxpY2U6cHc="}, timeout))


@caught_by("CALL-1")
def sends_a_parameter_of_its_own() -> None:
    package = _modules()
    _wrap(package.hook.Hook, "gone", lambda real, self, account, uid, object_: self._call(
        "DELETE", package.hook._event(account, uid), {"object": object_, "reason": "deleted"}))


@caught_by("CALL-3")
def knows_all_there_will_ever_be() -> None:
    package = _modules()

    def with_text(real: Any, answer: Any) -> Any:
        known = {"change", "state", "reason", "message", "join_url", "web_link", "notices", "icalendar"}
        if isinstance(answer.body, dict) and answer.status == 200 and set(answer.body) - known:
            raise package.hook.Unanswered("an unknown field", down=False)
        return real(answer)
    _wrap(package.hook, "_with_text", with_text)


if __name__ == "__main__":
    name = sys.argv.pop(1)
    from teams_mirror_radicale.__main__ import main
    if name != "sound":
        VARIANTS[name][1]()
    main()
