"""Nobody listens, or somebody is killed: what happened meanwhile is told later."""

from __future__ import annotations

import threading
import time
from typing import List

from kit import standin, texts
from kit.bench import Bench, NotApplicable, SaveFailed, Subject, in_thread
from kit.checks import about


def _there(bench: Bench, *names: str) -> List[Subject]:
    made = [bench.fresh(name) for name in names]
    for subject in made:
        subject.put(subject.text("Before " + subject.uid))
    for subject in made:
        subject.settled()
        bench.until(subject.linked)
    return made


@about("FAIL-8", "SPOOL-1", "SPOOL-2", "SPOOL-3", "SPOOL-4", "CALL-2")
def down(bench: Bench) -> None:
    """The hook is stopped, and a day goes on."""
    changed, deleted, moved = _there(bench, "changed", "deleted", "moved")
    created = bench.fresh("created")
    to = bench.fresh("moved-to", uid=moved.uid)
    since = time.monotonic()
    before = list(moved.known().objects) if moved.known() else []
    took, problem = [], None
    moves = True
    with bench.down():
        try:
            for subject, summary in ((created, "Created"), (changed, "In between"), (changed, "At last")):
                begun = time.monotonic()
                subject.put(subject.text(summary))
                took.append(time.monotonic() - begun)
            deleted.delete()
            moves = bench.dav.onto("MOVE", moved.path, to.path).ok
        except SaveFailed as error:
            problem = str(error)
    with bench.watching(created, changed):
        if moves:
            # Until it is told everything looks as before.
            bench.until(lambda: to.known() and to.known().objects not in (before, []))
        left = {subject: subject.settled() for subject in (created, changed, deleted, to if moves else moved)}
    allowed = bench.options.patience + bench.options.slack
    slow = max(took, default=0.0) > allowed
    bench.expect(
        "FAIL-8",
        problem is None and not slow and left[created] is None,
        "each save within %.1f s, and told later" % allowed,
        problem or left[created] or "the slowest took %.1f s" % max(took),
    )
    told = created.calls("stored announce", since)
    bench.expect(
        "SPOOL-1",
        left[created] is None and bool(told),
        "PUT stored=true when the hook answers again",
        left[created] or "it was told",
        told,
    )
    old = [call for call in changed.calls("stored announce", since) if "At last" not in call.text]
    bench.expect(
        "SPOOL-2",
        left[changed] is None and not old,
        "the text that was stored last, and no other",
        left[changed]
        or ("told was `%s`, which is no longer stored" % texts.value(old[0].text, "SUMMARY") if old else "it was told"),
        changed.calls(since=since),
    )
    gone = deleted.calls("gone", since)
    bench.expect(
        "SPOOL-3",
        bool(gone) and left[deleted] is None,
        "DELETE when the hook answers again",
        left[deleted] or ("it was told" if gone else "it was not"),
        gone,
    )
    if moves:
        now = to.known().objects if to.known() else []
        bench.expect(
            "SPOOL-4",
            left[to] is None and now != before,
            "PUT stored=true of the new object, and DELETE of the old",
            left[to] or ("the objects are still %s" % now if now == before else "they were told"),
            to.calls(since=since),
        )
    else:
        bench.apart("SPOOL-4", "the server moves nothing")
    bench.again()
    # Of all that was told in this run as stored: was it?
    early = [
        call
        for call in bench.standin.seen("stored")
        if call.seen is not None and texts.essence(call.seen.text) != texts.essence(call.text) and not call.spoiled
    ]
    seen = [call for call in bench.standin.seen("stored") if call.seen is not None]
    if seen:
        bench.expect(
            "CALL-2",
            not early,
            "a GET finds the text that is told",
            "of %d calls %d told a text that was not stored" % (len(seen), len(early)),
            early,
        )
    else:
        bench.unseen("CALL-2", "nothing was told with stored=true while the server was looked at")


@about("SPOOL-9")
def poison(bench: Bench) -> None:
    """One event the hook will not have, now or later; another it would."""
    bad, good = bench.fresh("poison"), bench.fresh("sound")
    with bench.spoiled(lambda call: call.uid == bad.uid, standin.refuse(422, "extension-failed")):
        with bench.down():
            for subject in (bad, good):
                subject.put(subject.text("Noted"))
        left = good.settled()
        bench.expect("SPOOL-9", left is None, "the other event told", left or "it was", good.calls() + bad.calls())
    bench.again()


@about("SPOOL-5")
def restart_while_down(bench: Bench) -> None:
    """The server is killed while the hook is down."""
    _needs_restart(bench)
    (deleted,) = _there(bench, "gone-before-restart")
    created = bench.fresh("restarted")
    with bench.down():
        created.put(created.text("Before the restart"))
        deleted.delete()
        bench.restart()
    left = created.settled() or deleted.settled()
    gone = deleted.calls("gone")
    bench.expect(
        "SPOOL-5",
        left is None and bool(gone),
        "both told after the restart",
        left or ("they were told" if gone else "the delete was not"),
        created.calls() + deleted.calls(),
    )
    bench.again()


@about("SPOOL-6")
def killed_before(bench: Bench) -> None:
    """The server is killed while the hook is asked: nothing was stored, and the hook knows of a save."""
    _needs_restart(bench)
    if bench.options.one_beat:
        raise NotApplicable("the hook is asked after the store only (--one-beat)")
    subject = bench.fresh("killed-before")
    go = threading.Event()
    with bench.spoiled(lambda call: call.kind == "announce" and call.uid == subject.uid, standin.held(go), taken=True):
        in_thread(lambda: subject.client.put(subject.path, subject.text("Never stored"), once=True))
        announced = bench.until(lambda: subject.calls("announce"), bench.options.patience)
        bench.until(lambda: subject.known() is not None, 2)
        bench.restart()
        go.set()
    if not announced:
        bench.unseen("SPOOL-6", "the save was not announced")
        return
    left = subject.settled()
    bench.expect(
        "SPOOL-6",
        left is None,
        "a report as refused, or a DELETE, after the restart",
        left or ("it was stored all the same, and told" if subject.stored() else "it was told"),
        subject.calls(),
    )
    bench.again()


@about("SPOOL-7")
def killed_after(bench: Bench) -> None:
    """The server is killed while it reports: it stored, and the hook does not know."""
    _needs_restart(bench)
    subject = bench.fresh("killed-after")
    go = threading.Event()
    kind = "stored" if bench.options.one_beat else "report"
    with bench.spoiled(
        lambda call: call.kind == kind and call.uid == subject.uid and not go.is_set(), standin.held(go), taken=False
    ):
        in_thread(lambda: subject.client.put(subject.path, subject.text("Stored"), once=True))
        reported = bench.until(lambda: subject.calls(kind), bench.options.patience + bench.options.slack)
        bench.restart()
        go.set()
    if not reported:
        bench.unseen("SPOOL-7", "the save was not reported")
        return
    left = subject.settled()
    bench.expect(
        "SPOOL-7", left is None and subject.stored() is not None, "told after the restart", left or "it was told", subject.calls()
    )
    bench.again()


def _needs_restart(bench: Bench) -> None:
    if not bench.options.restart_command:
        raise NotApplicable("no --restart-command was given")
