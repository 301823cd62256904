"""Links that come after the save was answered."""

from __future__ import annotations

import threading
import time

from kit import standin, texts
from kit.bench import Bench
from kit.checks import about

_NEVER = 1e9


@about("LINK-1", "LINK-3", "LINK-6")
def late(bench: Bench) -> None:
    """202 for a save, and the link a moment later."""
    subject = bench.fresh("late")
    with bench.behaving(delay=_NEVER, waits=False):
        subject.put(subject.text("Late", (texts.WANTED, "DESCRIPTION:Mine")))
        left = subject.settled()
        # What is told again a moment later is not to be taken for what comes with the link.
        bench.quiet(subject.uid)
        before = subject.get()
        known = subject.known()
        if known is None or known.link is None:
            bench.unseen("LINK-1", "no link was asked for: %s" % (left or "the event was not told"))
            bench.unseen("LINK-3", "no link was asked for")
            return
        bench.model.release(known)
        since = time.monotonic()
        written = bench.until(subject.linked)
    after = subject.get()
    polls = bench.standin.seen("changes")
    kept = "Mine" in after.text and texts.essence(after.text) == texts.essence(before.text)
    renewed = before.header("etag") is None or before.header("etag") != after.header("etag")
    bench.expect(
        "LINK-1",
        bool(written) and kept and renewed,
        "the link in the stored event, which is else the same and has a new ETag",
        "it is"
        if written and kept and renewed
        else "`GET /v1/changes` was never asked"
        if not polls
        else "the link is not stored %.0f s after it was there" % (time.monotonic() - since)
        if not written
        else "the ETag is the old one"
        if kept
        else "the event is another",
        polls[-2:],
    )
    told = bench.until(lambda: [call for call in subject.calls("stored", since) if texts.carries(call.text, subject.link)])
    bench.expect(
        "LINK-3",
        bool(told),
        "PUT stored=true with the text that has the link",
        "it was told" if told else "it was not",
        subject.calls(since=since),
    )
    # Whoever waits asks seldom.
    begun = time.monotonic()
    time.sleep(2)
    count = len([call for call in bench.standin.seen("changes") if call.at >= begun])
    lone = not polls or all(call.query.get("wait", "0") == "0" for call in polls)
    if not polls:
        bench.unseen("LINK-6", "`GET /v1/changes` was never asked")
    else:
        bench.expect(
            "LINK-6",
            count <= 4 and not (lone and count),
            "`wait`, and so at most 4 requests in 2 seconds",
            "%d requests, with wait=%s" % (count, polls[-1].query.get("wait", "0")),
            polls[-4:],
        )


@about("LINK-2")
def lost_race(bench: Bench) -> None:
    """The user saves while the link is about to be written back; before it is looked at, and after."""
    problems = []
    for name, blind in (("race", False), ("raced", True)):
        if problems:
            break
        subject = bench.fresh(name)
        with bench.behaving(delay=_NEVER, waits=False):
            subject.put(subject.text("First"))
            subject.settled()
            known = subject.known()
            if known is None or known.link is None:
                bench.unseen("LINK-2", "no link was asked for")
                return
            go = threading.Event()
            # What the adapter asks between its look at the stored text and its write-back is held, while the user saves.
            of_it = lambda call: call.kind == "stored" and call.uid == subject.uid  # noqa: E731
            held_changes = lambda call: call.kind == "changes"  # noqa: E731
            with bench.spoiled(held_changes if blind else of_it, standin.held(go), taken=True):
                since = time.monotonic()
                bench.model.release(known)
                if blind:
                    # An answer with the old offer is on its way when the user saves.
                    bench.until(lambda: known.offer, 5)
                    time.sleep(0.6)
                else:
                    bench.until(lambda: subject.calls("stored", since) or subject.linked(), bench.options.settle / 3)
                with bench.spoiled(
                    lambda call: call.kind == "announce" and call.uid == subject.uid, standin.refuse(503, "store-failed")
                ):
                    subject.put(subject.text("Second"))
                go.set()
                bench.quiet(subject.uid)
            left = subject.settled()
            stored = subject.stored() or ""
            if "Second" not in stored:
                problems.append("stored is %s again" % ("`First`" if "First" in stored else "neither text"))
            elif left is not None:
                problems.append(left)
    bench.expect(
        "LINK-2", not problems, "the user's later text stays (If-Match)", "; ".join(problems) or "it stays", subject.calls()
    )


@about("LINK-5")
def expired(bench: Bench) -> None:
    """The store was restored: the cursor counts no more."""
    if not bench.standin.seen("changes"):
        bench.unseen("LINK-5", "`GET /v1/changes` was never asked")
        return
    # A first change gives the adapter a cursor; then that cursor ends.
    for name in ("cursor", "expired"):
        subject = bench.fresh(name)
        with bench.behaving(delay=_NEVER, waits=False):
            subject.put(subject.text("Expired"))
            subject.settled()
            known = subject.known()
            if known is not None and known.link:
                bench.model.release(known)
            written = bench.until(subject.linked)
        if name == "cursor":
            bench.until(lambda: bench.standin.seen("changes")[-1].query.get("after"))
            bench.quiet(subject.uid)
            since = time.monotonic()
            bench.model.expire_cursors()
    bench.expect(
        "LINK-5",
        bool(written),
        "after 410 a request without `after`, and the link written",
        "it was written" if written else "the link is not stored",
        bench.standin.seen("changes", since=since)[-6:],
    )
