"""The hook answers something else than a text to store, late, or nothing. No save may suffer from it."""

from __future__ import annotations

import time
from typing import Any, Optional

from kit import standin, texts
from kit.bench import Bench, SaveFailed
from kit.checks import about


def _beat(bench: Bench, uid: str):
    kind = "stored" if bench.options.one_beat else "announce"
    return lambda call: call.kind == kind and call.uid == uid


class _Save:
    """A save under a fault."""

    def __init__(self, bench: Bench, name: str, spoil: Any, taken: bool = False, times: int = 1_000_000) -> None:
        self.subject = bench.fresh(name)
        self.problem: Optional[str] = None
        self.took = 0.0
        text = self.subject.text("Under a fault: " + name)
        with bench.spoiled(_beat(bench, self.subject.uid), spoil, taken, times):
            begun = time.monotonic()
            try:
                self.answer = self.subject.put(text)
            except SaveFailed as error:
                self.problem = str(error)
                self.answer = None
            self.took = time.monotonic() - begun
            if bench.options.one_beat:
                bench.until(lambda: [call for call in self.subject.calls() if call.spoiled])
            self.met = bool([call for call in self.subject.calls() if call.spoiled])
            stored = self.subject.stored()
            if self.problem is None and texts.essence(stored) != texts.essence(text):
                self.problem = "stored is `%s`" % (stored or "nothing")[:200]
            if self.problem is None and self.took > bench.options.patience + bench.options.slack:
                self.problem = "the save took %.1f s" % self.took
            if self.problem is None and not self.met:
                self.problem = "the save was not announced, so the hook's answer was never met"


@about("FAIL-1", "FAIL-2")
def refused(bench: Bench) -> None:
    """None of ours, and no event that could be kept."""
    save = _Save(bench, "not-enabled", standin.answer(204, None, {"Mirror-Reason": "not-enabled"}))
    bench.quiet(save.subject.uid)
    reports = save.subject.calls("report")
    bench.expect(
        "FAIL-1",
        save.problem is None and not reports,
        "the client's text stored, and no report",
        save.problem or ("%d reports of a change that there is none of" % len(reports) if reports else "it was so"),
        save.subject.calls(),
    )
    problems, calls = [], []
    for status, code in (
        (422, "not-icalendar"),
        (403, "other-domain"),
        (413, "body-too-large"),
        (409, "change-closed"),
        (418, ""),
    ):
        subject = bench.fresh("refused-%d" % status)
        with bench.spoiled(
            lambda call, uid=subject.uid: call.uid == uid and call.kind in ("announce", "stored"), standin.refuse(status, code)
        ):
            try:
                subject.put(subject.text("Refused with %d" % status))
            except SaveFailed as error:
                problems.append("%d: %s" % (status, error))
                continue
            bench.quiet(subject.uid)
            told = subject.calls("announce stored")
            calls += told
            if len(told) > 4:
                problems.append("%d: told %d times within %.0f s" % (status, len(told), bench.options.quiet * 2))
            if "Refused with" not in (subject.stored() or ""):
                problems.append("%d: the client's text is not stored" % status)
    bench.expect(
        "FAIL-2", not problems, "the client's text stored, and at most a second try", "; ".join(problems) or "it was so", calls
    )


@about("FAIL-3", "FAIL-5", "FAIL-6", "SPOOL-8")
def spoilt(bench: Bench) -> None:
    """Answers that say that nothing was taken, or nothing that can be understood."""
    problems, calls = [], []
    for status, code in ((503, "store-failed"), (500, "broke-off"), (502, "")):
        page = standin.answer(status, "<html>bad gateway</html>", {"Content-Type": "text/html"})
        save = _Save(bench, "status-%d" % status, standin.refuse(status, code) if code else page, times=1)
        left = save.problem or save.subject.settled()
        calls += save.subject.calls()
        if left:
            problems.append("%d: %s" % (status, left))
            break
        # It may believe now that nobody answers.
        bench.again()
    bench.expect(
        "FAIL-3",
        not problems,
        "the client's text stored, and told later with stored=true",
        "; ".join(problems) or "it was so",
        calls,
    )

    save = _Save(bench, "cut", standin.cut, taken=True, times=2)
    left = save.problem or save.subject.settled()
    bench.expect("FAIL-5", left is None, "the client's text stored, and told later", left or "it was so", save.subject.calls())
    bench.again()

    problems, calls = [], []
    nonsense = [
        ("html", standin.answer(200, "<html>200 OK</html>", {"Content-Type": "text/html"})),
        ("no-json", lambda handler, _: handler.send(standin.Answer(200, '{"change": "', {"Content-Type": "application/json"}))),
        ("no-text", standin.answer(200, {"change": "c", "state": "mirrored", "notices": []})),
        ("null", standin.answer(200, {"change": "c", "state": "mirrored", "notices": [], "icalendar": None})),
        ("no-object", lambda handler, _: handler.send(standin.Answer(200, "[1, 2]", {"Content-Type": "application/json"}))),
        ("redirect", standin.answer(302, None, {"Location": "http://127.0.0.1:9/"})),
    ]
    for name, spoil in nonsense:
        save = _Save(bench, "nonsense-" + name, spoil, taken=True, times=1)
        left = save.problem or save.subject.settled()
        if (
            left is None
            and save.subject.link
            and not texts.carries(save.subject.stored(), save.subject.link)
            and texts.carries(save.subject.known().text if save.subject.known() else None, save.subject.link)
        ):
            left = "the text with the link was reported as stored, and it is not"
        calls += save.subject.calls()
        if left:
            problems.append("%s: %s" % (name, left))
            break
        bench.again()
    bench.expect(
        "FAIL-6",
        not problems,
        "the client's text stored, and never reported as the answered one",
        "; ".join(problems) or "it was so",
        calls,
    )
    bench.again()

    subject = bench.fresh("again-refused")
    of_it = lambda call: call.uid == subject.uid and call.kind in ("announce", "stored")  # noqa: E731
    with bench.spoiled(of_it, standin.refuse(503, "store-full"), times=3):
        subject.put(subject.text("Not at once"))
        left = subject.settled()
    bench.expect(
        "SPOOL-8",
        left is None,
        "told until it is taken; the first 3 times it was answered 503",
        left or "it was taken",
        subject.calls(),
    )
    bench.again()


@about("FAIL-7")
def slow(bench: Bench) -> None:
    """Microsoft takes its time, as it does."""
    if bench.options.one_beat:
        bench.apart("FAIL-7", "no save waits (--one-beat)")
        return
    delay = min(2.0, bench.options.patience * 0.4)
    subject = bench.fresh("slow")
    with bench.behaving(delay=delay):
        answer = subject.put(subject.text("Slow"))
        stored = subject.stored()
        subject.settled()
    announced = subject.calls("announce")
    # A 202 is an answer that was not waited for; the link comes all the same, but later.
    waited = bool(announced) and announced[0].status == 200
    bench.expect(
        "FAIL-7",
        waited and texts.carries(stored, subject.link),
        "the link in the answer, which was there after %.1f s" % delay,
        "the save took %.1f s, with `Prefer: %s`, and was answered %d"
        % (answer.took, announced[0].header("prefer") or "", announced[0].status)
        if announced
        else "there was no announce",
    )
    bench.again()


@about("FAIL-4", "FAIL-9", "FAIL-11")
def silent(bench: Bench) -> None:
    """The hook takes calls and never answers."""
    kinds = ("announce", "stored", "report", "gone")
    begun = time.monotonic()
    first, second = bench.fresh("silent"), bench.fresh("silent-too")
    took, problem = [], None
    with bench.spoiled(lambda call: call.kind in kinds or call.kind == "account" and call.at > begun, standin.hang, taken=False):
        for subject in (first, second):
            since = time.monotonic()
            try:
                subject.put(subject.text("Silence"))
            except SaveFailed as error:
                problem = problem or str(error)
            took.append(time.monotonic() - since)
            if problem is None and "Silence" not in (subject.stored() or ""):
                problem = "the client's text is not stored"
        bench.standin.released.set()
    bench.standin.forget()
    allowed = bench.options.patience + bench.options.slack
    if problem is None and max(took) > allowed:
        problem = "the saves took %.1f s and %.1f s" % tuple(took)
    left = problem or first.settled() or second.settled()
    bench.expect(
        "FAIL-4",
        left is None,
        "each save within %.1f s, and told later" % allowed,
        left or "they took %.1f s and %.1f s, and were told" % tuple(took),
        first.calls() + second.calls(),
    )
    bench.expect(
        "FAIL-9",
        problem is None and took[1] < bench.options.patience * 0.5,
        "no wait for the second save",
        "the first took %.1f s, the second %.1f s" % tuple(took),
        second.calls(),
    )
    back = bench.again()
    bench.expect(
        "FAIL-11",
        back,
        "a save is announced within %.0f s after the hook answers again" % bench.options.settle,
        "it was" if back else "none was",
    )


@about("FAIL-10")
def wrong_secret(bench: Bench) -> None:
    """The administrator changed the secret, and has not told the adapter yet."""
    subject = bench.fresh("secret")
    real = bench.standin.secret
    bench.standin.secret = real + "-changed"
    try:
        subject.put(subject.text("With a wrong secret"))
        stored = subject.stored()
        bench.quiet(subject.uid)
    finally:
        bench.standin.secret = real
    left = None if "With a wrong secret" in (stored or "") else "the client's text was not stored"
    left = left or subject.settled()
    bench.expect(
        "FAIL-10",
        left is None,
        "the client's text stored, and told when the secret is right",
        left or "it was so",
        subject.calls(),
    )
    bench.again()
