"""What the server refuses must leave nothing behind: no meeting that belongs to no event."""

from __future__ import annotations

import time
from typing import Optional

from kit import texts
from kit.bench import Bench, Subject
from kit.caldav import Answer, Client, Unreachable
from kit.checks import about


def _nothing_left(bench: Bench, id_: str, subject: Subject, answer: Answer, before: Optional[str], since: float) -> None:
    """Whether neither the server nor the hook holds the refused text."""
    bench.quiet(subject.uid)
    left = subject.settled()
    calls = subject.calls(since=since)
    announced = [call for call in calls if call.kind in ("announce", "stored")]
    stored = subject.stored()
    if texts.essence(stored) != texts.essence(before):
        bench.unseen(id_, "the server answered %d and stored the text all the same" % answer.status)
        return
    bench.expect(
        id_,
        left is None,
        "no announce, or one that is reported as refused",
        left or ("it was not announced" if not announced else "what was announced was reported as refused"),
        calls,
    )


@about("REF-1", "REF-2")
def preconditions(bench: Bench) -> None:
    """Another client was faster."""
    subject = bench.fresh("stale")
    subject.put(subject.text("First", ()))
    subject.settled()
    before = subject.stored()
    for id_, headers in (("REF-1", {"If-Match": '"0123456789-stale"'}), ("REF-2", {"If-None-Match": "*"})):
        since = time.monotonic()
        answer = subject.client.put(subject.path, subject.text("Refused by a precondition"), headers)
        if answer.ok:
            bench.apart(id_, "the server takes the save all the same (%d)" % answer.status)
            subject.settled()
            before = subject.stored()
            continue
        _nothing_left(bench, id_, subject, answer, before, since)


@about("REF-3")
def unreadable(bench: Bench) -> None:
    """A text that looks like an event to the adapter and like none to the server."""
    for number, spoil in enumerate(
        (("DTSTART:20300114T100000Z", "DTSTART:never"), ("END:VCALENDAR", "END:NOTHING"), ("BEGIN:VCALENDAR\r\n", ""))
    ):
        subject = bench.fresh("broken%d" % number)
        answer = subject.client.put(subject.path, subject.text("Refused").replace(*spoil))
        if not answer.ok:
            _nothing_left(bench, "REF-3", subject, answer, None, 0.0)
            return
        subject.settled()
    bench.apart("REF-3", "the server stores whatever it is sent")


@about("REF-4", "REF-5")
def strangers(bench: Bench) -> None:
    """Who may not write makes no meeting in the owner's calendar."""
    subject = bench.fresh("stranger")
    nobody, wrong = (
        Client(bench.options.caldav, None, bench.options.ca_file),
        Client(bench.options.caldav, bench.dav.user + ":certainly-not-the-password", bench.options.ca_file),
    )
    answers = [client.put(subject.path, subject.text("Not logged in")) for client in (nobody, wrong)]
    if any(answer.ok for answer in answers):
        bench.apart("REF-4", "the server lets everybody in")
    else:
        bench.quiet(subject.uid)
        calls = subject.calls()
        bench.expect("REF-4", not calls, "no call", "%d calls" % len(calls) if calls else "none", calls)
    if bench.guest is None:
        bench.apart("REF-5", "no --guest was given")
        return
    subject = bench.fresh("guest")
    answer = bench.guest.put(subject.path, subject.text("By a guest"))
    if answer.ok:
        bench.unseen("REF-5", "the guest `%s` may write there" % bench.guest.user)
        return
    _nothing_left(bench, "REF-5", subject, answer, None, 0.0)


@about("REF-6")
def disliked(bench: Bench) -> None:
    """The answered text is one that the server will not have."""
    if bench.options.one_beat:
        bench.apart("REF-6", "what is answered is written after the store (--one-beat)")
        return
    spoilt = [("END:VCALENDAR", "END:NOTHING"), ("DTSTART:20300114T100000Z", "DTSTART:never")]
    for number, spoil in enumerate(spoilt):
        subject = bench.fresh("disliked%d" % number)
        with bench.behaving(amend=lambda text, link, spoil=spoil: text.replace(*spoil)):
            try:
                answer = subject.client.put(subject.path, subject.text("Disliked"))
            except Unreachable as error:
                bench.expect("REF-6", False, "the client's text is stored", str(error))
                return
        stored = subject.stored() if answer.ok else None
        if stored is not None and spoil[1] in stored:
            subject.delete()
            continue
        left = subject.settled()
        bench.expect(
            "REF-6",
            answer.ok and stored is not None and left is None,
            "the client's text stored, and reported as `stored-original`",
            "the server answered %d" % answer.status if not answer.ok else left or "it is",
        )
        return
    bench.apart("REF-6", "the server stores whatever it is given")
