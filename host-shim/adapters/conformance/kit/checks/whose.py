"""Whose event it is, and what is none."""

from __future__ import annotations

from kit import texts
from kit.bench import Bench
from kit.checks import about


@about("WHO-1")
def delegates(bench: Bench) -> None:
    """A delegate saves into the owner's calendar."""
    if bench.delegate is None:
        bench.apart("WHO-1", "no --delegate was given")
        return
    subject = bench.fresh("delegate", client=bench.delegate)
    subject.put(subject.text("By a delegate"))
    subject.settled()
    calls = subject.calls("announce stored")
    accounts = {call.account for call in calls}
    bench.expect(
        "WHO-1",
        bool(calls) and accounts == {bench.account},
        "the account `%s`" % bench.account,
        "named were: %s" % (", ".join("`%s`" % one for one in sorted(accounts)) or "none"),
        calls,
    )


def _as_sent(bench: Bench, id_: str, subject, text: str, lines=()) -> None:
    answer = subject.put(text)
    bench.quiet(subject.uid)
    stored = subject.stored()
    same = texts.essence(stored) == texts.essence(text) and "teams.microsoft.com" not in (stored or "")
    # Nothing was changed, so nothing has to be kept back; whether the server gives ETags at all SAVE-5 looks at.
    calls = subject.calls()
    bad = [call for call in calls if call.kind == "report" and call.code]
    bench.expect(
        id_,
        same and not bad,
        "the text stored as it was sent (%s)" % answer.status,
        "it was"
        if same and not bad
        else "stored is `%s`" % (stored or "nothing")[:200]
        if not same
        else "a change that was `unrecorded` was reported, and refused",
        calls,
    )


@about("WHO-2", "WHO-3")
def none_of_ours(bench: Bench) -> None:
    """Somebody else's meeting, and things that are no event."""
    subject = bench.fresh("attendee")
    lines = [
        texts.WANTED,
        "ORGANIZER;CN=Boss:mailto:boss@elsewhere.example",
        "ATTENDEE;PARTSTAT=ACCEPTED:mailto:%s" % (bench.account or "somebody@elsewhere.example"),
    ]
    _as_sent(bench, "WHO-2", subject, subject.text("Their meeting", lines))
    for component in ("VTODO", "VJOURNAL"):
        subject = bench.fresh(component.lower())
        text = texts.event(subject.uid, "A " + component, (texts.WANTED,), component)
        if subject.client.put(subject.path, text).ok:
            _as_sent(bench, "WHO-3", subject, text)
        else:
            bench.apart("WHO-3", "the calendar takes no %s" % component)


@about("WHO-4")
def server_made(bench: Bench) -> None:
    """The server changes an event by itself, as when an answer of a guest arrives."""
    command = bench.options.server_change_command
    if not command:
        bench.apart("WHO-4", "no --server-change-command was given")
        return
    subject = bench.fresh("served")
    subject.put(subject.text("Before the server"))
    subject.settled()
    bench.run_command(command, path=subject.path, uid=subject.uid, summary="By the server")
    if "By the server" not in (subject.stored() or ""):
        bench.unseen("WHO-4", "after the command the stored SUMMARY is not `By the server`")
        return
    left = subject.settled()
    bench.expect("WHO-4", left is None, "the changed text told with stored=true", left or "it was told")
