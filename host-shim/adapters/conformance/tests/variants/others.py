"""Deletes, moves, imports, late links, crowds, names, secrets, calls."""

from __future__ import annotations

import threading
import time
from typing import Any

from tests.variants.registry import caught_by, modules, wrap


@caught_by("DEL-1")
def tells_a_delete_before_it_happens() -> None:
    package = modules()

    def deleted(real: Any, mirror: Any, path: str, *rest: Any) -> Any:
        found = mirror.stored.object(path) if path.endswith(".ics") else None
        if found is not None:
            mirror.hook.gone(mirror.account(package.stored.owner(path)), found.uid, path)
            return None
        return real(mirror, path, *rest)

    wrap(package.application, "deleted", deleted)


@caught_by("DEL-3")
def tells_a_delete_whatever_comes_of_it() -> None:
    package = modules()

    def answered(self: Any, answer: Any) -> Any:
        for look in self._note.looks if self._note else ():
            if "object" in look and "change" not in look:
                self._mirror.hook.gone(look["account"], look["uid"], look["object"])
        self._done()
        return answer

    package.operations.Operation.answered = answered


@caught_by("DEL-2")
def forgets_what_is_in_a_collection() -> None:
    modules().stored.Stored.events = lambda self, path: []


@caught_by("IMP-2")
def looks_at_what_an_import_brings_and_not_at_what_it_takes() -> None:
    package = modules()
    wrap(package.operations, "look_through", lambda real, account, path, before, imported: real(account, path, [], imported))


@caught_by("IMP-1")
def tells_an_import_as_saves() -> None:
    wrap(modules().hook.Hook, "tell", lambda real, self, *arguments: real(self, *arguments[:5], False))


@caught_by("MOVE-1", "SPOOL-4")
def tells_of_a_move_only_its_end() -> None:
    package = modules()

    def moved(real: Any, mirror: Any, *rest: Any) -> Any:
        operation = real(mirror, *rest)
        if operation is not None:
            operation._note.done()
            operation._note = package.operations._note(mirror, operation._note.looks[:1])
        return operation

    wrap(package.application, "moved", moved)


@caught_by("MOVE-2")
def tells_the_end_of_a_move_first() -> None:
    package = modules()
    package.worker.Worker._is_there = lambda self, noted: not _is_there(self, noted)
    _is_there = lambda self, noted: (lambda found: found is not None and found.uid == noted["uid"])(  # noqa: E731
        self._mirror.stored.object(noted["object"])
    )


@caught_by("WHO-1", "MOVE-3")
def counts_who_writes() -> None:
    package = modules()

    def whose(real: Any, self: Any, path: str, user: str, further: Any) -> Any:
        target = real(self, path, user, further)
        return package.mirror.Target(target.path, self.account(user), target.rights)

    wrap(package.mirror.Mirror, "whose", whose)


@caught_by("WHO-2")
def trusts_its_own_idea_of_a_meeting() -> None:
    def announce(real: Any, *arguments: Any) -> Any:
        answer = real(*arguments)
        if answer.status == 200 and "X-TEAMS-MEETING" in (answer.get("icalendar") or "") and not answer.get("join_url"):
            answer.body["icalendar"] = answer.body["icalendar"].replace(
                "END:VEVENT", "URL:https://teams.microsoft.com/l/meetup-join/mine/0\r\nEND:VEVENT"
            )
        return answer

    wrap(modules().hook.Hook, "announce", announce)


@caught_by("LINK-1")
def never_asks_for_changes() -> None:
    modules().worker.Worker._links = lambda self: None


@caught_by("LINK-2")
def writes_back_whatever_is_there() -> None:
    package = modules()

    def put_back(real: Any, self: Any, path: str, owner: str, text: str, _: str) -> int:
        found = self.object(path)
        return real(self, path, owner, text, found.etag) if found else 412

    wrap(package.stored.Stored, "put_back", put_back)


@caught_by("LINK-3")
def does_not_tell_what_it_wrote_back() -> None:
    package = modules()

    def write(self: Any, account: str, uid: str, object_: str, owner: str, change: Any) -> None:
        found = self._mirror.stored.object(object_)
        if found is not None and change.get("icalendar"):
            self._mirror.stored.put_back(object_, owner, change["icalendar"], found.etag)

    package.worker.Worker._write_object = write


@caught_by("LINK-5")
def keeps_an_expired_cursor() -> None:
    package = modules()

    def changes(real: Any, self: Any, after: Any, wait: int) -> Any:
        if after:
            self.kept = after
        return real(self, after or getattr(self, "kept", None), wait)

    wrap(package.hook.Hook, "changes", changes)


@caught_by("LINK-6")
def asks_for_changes_again_and_again() -> None:
    modules().worker._POLL = 0


@caught_by("LOCK-1")
def holds_the_lock_while_it_waits() -> None:
    package = modules()

    def announced(real: Any, mirror: Any, *rest: Any) -> Any:
        with mirror.stored._storage.acquire_lock("w", "alice"):
            return real(mirror, *rest)

    wrap(package.operations, "_announced", announced)


@caught_by("LOCK-2")
def lets_everybody_wait() -> None:
    modules().mirror.waiting = lambda *_: 1000


@caught_by("CONC-1")
def believes_that_nobody_came_between() -> None:
    modules().operations.Save._is_stored = lambda self, etag: True
    _slow_reports()


def _slow_reports() -> None:
    """Of four that save at the same time the first reports last."""
    state, changed = {"batch": []}, threading.Condition()

    def report(real: Any, *arguments: Any, **named: Any) -> Any:
        with changed:
            batch = state["batch"]
            number = len(batch)
            batch.append(number)
            changed.notify_all()
            full = changed.wait_for(lambda: len(batch) >= 4, 1.0)
            if state["batch"] is batch:
                state["batch"] = []
        if full:
            time.sleep(0.25 * (3 - number))
        return real(*arguments, **named)

    wrap(modules().hook.Hook, "report", report)


@caught_by("NAME-1")
def leaves_slashes_as_they_are() -> None:
    hook = modules().hook
    hook._event = lambda account, uid: hook._account(account) + "/events/" + hook.quote(uid, safe="/")


@caught_by("NAME-1")
def takes_the_escaped_uid() -> None:
    modules().ical._unescaped = lambda match: match.group(0)


@caught_by("NAME-2")
def announces_long_uids() -> None:
    ical = modules().ical
    real = ical.event_uid

    def event_uid(text: str) -> Any:
        import re

        found = re.search(r"UID:([^\r\n]*)", ical._FOLD.sub("", text))
        return real(text) or (found.group(1) if found and len(found.group(1)) > 1024 else None)

    ical.event_uid = event_uid


@caught_by("NAME-3")
def announces_large_texts() -> None:
    modules().operations.LARGEST = 1 << 30


@caught_by("SEC-1")
def puts_the_secret_into_the_address() -> None:
    package = modules()
    wrap(
        package.hook.Hook,
        "_send",
        lambda real, self, method, target, content, headers, timeout: real(
            self, method, target, content, {**headers, "X-Secret": self._secret()}, timeout
        ),
    )


@caught_by("SEC-2")
def hands_the_login_on() -> None:
    package = modules()
    wrap(
        package.hook.Hook,
        "_send",
        lambda real, self, method, target, content, headers, timeout: real(
            self, method, target, content, {**headers, "X-Forwarded-Authorization": "Basic YWxpY2U6cHc="}, timeout
        ),
    )


@caught_by("CALL-1")
def sends_a_parameter_of_its_own() -> None:
    package = modules()
    wrap(
        package.hook.Hook,
        "gone",
        lambda real, self, account, uid, object_: self._call(
            "DELETE", package.hook._event(account, uid), {"object": object_, "reason": "deleted"}
        ),
    )


@caught_by("CALL-3")
def knows_all_there_will_ever_be() -> None:
    package = modules()

    def with_text(real: Any, answer: Any) -> Any:
        known = {"change", "state", "reason", "message", "join_url", "web_link", "notices", "icalendar"}
        if isinstance(answer.body, dict) and answer.status == 200 and set(answer.body) - known:
            raise package.hook.Unanswered("an unknown field", down=False)
        return real(answer)

    wrap(package.hook, "_with_text", with_text)
