"""Plays the scenarios, one after the other."""

from __future__ import annotations

import time
from typing import Callable, List

from kit import checks
from kit.bench import APART, BROKEN, HOLDS, UNSEEN, Bench, Finding, NotApplicable, NotSeen, SaveFailed
from kit.caldav import Unreachable
from kit.requirements import ALL


class CannotBegin(Exception):
    """Nothing can be looked at; the sentence says what to do."""


def wanted(only: List[str]) -> List[str]:
    """The ids that are asked for. Raises `CannotBegin` where there is no such."""
    ids = [requirement.id for requirement in ALL]
    for one in only:
        if not any(_matches(id_, one) for id_ in ids):
            raise CannotBegin("there is no requirement `%s`; --list prints them" % one)
    return [id_ for id_ in ids if not only or any(_matches(id_, one) for one in only)]


def _matches(id_: str, one: str) -> bool:
    return id_ == one.upper() or id_.rsplit("-", 1)[0] == one.upper()


def preflight(bench: Bench) -> None:
    """Looks whether there is anything to look at. Raises `CannotBegin`."""
    options = bench.options
    try:
        found = bench.dav.request("PROPFIND", options.calendar, headers={"Depth": "0"}, longest=20)
    except Unreachable as error:
        raise CannotBegin("the server does not answer (%s); see whether it runs and --caldav is its address" % error) from error
    if found.status in (401, 403):
        raise CannotBegin(
            "the server lets `%s` not into `%s` (%d); see --user" % (bench.dav.user, options.calendar, found.status)
        )
    if found.status != 207:
        raise CannotBegin(
            "there is no calendar `%s` (%d); make one for tests, or see --calendar" % (options.calendar, found.status)
        )
    subject = bench.fresh("first")
    calls = lambda: [call for call in bench.standin.seen() if call.uid == subject.uid and not call.code]  # noqa: E731
    ends = time.monotonic() + max(options.settle, options.patience)
    number = 0
    # The adapter may have found nobody here when it started, and has to find out that somebody is.
    while not calls() and time.monotonic() < ends:
        number += 1
        answer = subject.client.put(subject.path, subject.text("First %d" % number, ()))
        if not answer.ok:
            raise CannotBegin(
                "the server does not take an event at `%s` (%d): %s" % (subject.path, answer.status, answer.text.strip()[:300])
            )
        bench.until(calls, 1.0)
    heard = bench.standin.seen()
    if not calls():
        refused = sorted({"%s (%s)" % (call.status, call.code) for call in heard if call.code})
        raise CannotBegin(
            "the server stored an event, and the adapter told nothing of it within %.0f seconds. %s"
            % (
                options.settle,
                "Its calls were refused with %s; see --secret-file and --domain" % ", ".join(refused)
                if refused
                else "It is heard, but it told of no event; is the user's calendar one that it mirrors?"
                if heard
                else "Nobody called %s at all; is that the hook's address in the adapter's configuration?" % options.listen,
            )
        )
    if not bench.account:
        bench.account = next((call.account for call in calls() if call.account), "")
    bench.quiet(subject.uid)


def play(bench: Bench, ids: List[str], progress: Callable[[str], None]) -> List[Finding]:
    """Plays what is needed for these requirements; gives what was found about each, in order."""
    for scenario in checks.load():
        mine = [id_ for id_ in scenario.ids if id_ in ids]
        if not mine and "CALL-1" in ids and _TELLING.intersection(scenario.ids):
            mine = ["CALL-1"]
        if not mine:
            continue
        progress(", ".join(mine))
        bench.begin()
        before = len(bench.findings)
        try:
            scenario.play(bench)
        except NotApplicable as error:
            _rest(bench, scenario.ids, before, APART, str(error))
        except NotSeen as error:
            _rest(bench, scenario.ids, before, UNSEEN, str(error))
        except SaveFailed as error:
            _rest(bench, scenario.ids, before, BROKEN, str(error))
        except Unreachable as error:
            _rest(bench, scenario.ids, before, BROKEN, "the server stopped answering: %s" % error)
            _wait_for_the_server(bench)
        finally:
            bench.standin.forget()
        _rest(bench, scenario.ids, before, UNSEEN, "the check did not come so far")
    _well_formed(bench, ids)
    return [_of(bench, id_) for id_ in ids]


def _rest(bench: Bench, ids, before: int, outcome: str, why: str) -> None:
    known = {finding.id for finding in bench.findings[before:]}
    for id_ in ids:
        if id_ not in known:
            calls = [str(call) for call in bench.standin.seen(since=bench._begun) if call.kind != "changes"][-20:]
            bench.findings.append(Finding(id_, outcome, "", why, calls))


def _wait_for_the_server(bench: Bench) -> None:
    bench.until(bench._is_up)
    time.sleep(0.1)


#: What is played so that there are calls of each kind to look at.
_TELLING = {"SAVE-1", "SAVE-10", "DEL-1", "MOVE-1", "IMP-1", "LINK-1", "NAME-1", "SPOOL-1"}
#: Codes of calls that no adapter has a reason for.
_MALFORMED = (
    "path-invalid",
    "query-invalid",
    "body-invalid",
    "account-invalid",
    "cursor-invalid",
    "other-domain",
    "not-text-calendar",
    "not-icalendar",
    "uid-missing",
    "several-uids",
    "uid-differs",
    "uid-characters",
    "change-invalid",
    "no-such-route",
    "no-such-method",
    "value-invalid",
)


def _well_formed(bench: Bench, ids: List[str]) -> None:
    if "CALL-1" not in ids:
        return
    calls = bench.standin.seen()
    # What a check sends on purpose may be refused: a broken text, a foreign secret.
    wrong = [
        call
        for call in calls
        if call.code in _MALFORMED and not call.spoiled and not (call.code == "not-icalendar" and call.kind == "announce")
    ]
    bench.expect(
        "CALL-1",
        not wrong,
        "no call that the API refuses as malformed",
        "%d of %d calls: %s" % (len(wrong), len(calls), ", ".join(sorted({call.code for call in wrong})))
        if wrong
        else "none of %d calls" % len(calls),
        wrong,
    )
    if not wrong:
        bench.findings[-1].calls = []


def _of(bench: Bench, id_: str) -> Finding:
    """The worst that was found about a requirement."""
    found = [finding for finding in bench.findings if finding.id == id_]
    for outcome in (BROKEN, HOLDS, UNSEEN, APART):
        for finding in found:
            if finding.outcome == outcome:
                return finding
    return Finding(id_, UNSEEN, "", "no check looked at it")
