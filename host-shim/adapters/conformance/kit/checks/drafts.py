""" "Add Teams" before saving, where the server has it. Whatever shows it is no CalDAV client, so commands are given for it."""

from __future__ import annotations

from kit import texts
from kit.bench import Bench
from kit.checks import about


@about("DRAFT-1", "DRAFT-2", "DRAFT-3")
def drafts(bench: Bench) -> None:
    """A draft that is saved, and one that is discarded."""
    if not bench.options.draft_command:
        for id_ in ("DRAFT-1", "DRAFT-2", "DRAFT-3"):
            bench.apart(id_, "no --draft-command was given")
        return
    subject = bench.fresh("draft")
    bench.run_command(bench.options.draft_command, uid=subject.uid)
    announced = bench.until(lambda: subject.calls("draft"))
    other = subject.calls("announce stored report")
    bench.expect(
        "DRAFT-1",
        bool(announced) and not other and announced[0].query.get("meeting") == "wanted",
        "PUT with draft=true&meeting=wanted, and no report",
        "there was none"
        if not announced
        else "%d other calls" % len(other)
        if other
        else "`%s`" % announced[0].target.partition("?")[2],
        subject.calls(),
    )
    link = subject.link
    subject.put(subject.text("Was a draft", ()))
    left = subject.settled()
    bench.until(subject.linked)
    bench.expect(
        "DRAFT-2",
        bool(link) and left is None and texts.carries(subject.stored(), link),
        "the same link in what is stored",
        left or ("it is there" if texts.carries(subject.stored(), link) else "it is not there"),
        subject.calls(),
    )
    if not bench.options.discard_command:
        bench.apart("DRAFT-3", "no --discard-command was given")
        return
    subject = bench.fresh("discarded")
    bench.run_command(bench.options.draft_command, uid=subject.uid)
    bench.until(lambda: subject.calls("draft"))
    bench.run_command(bench.options.discard_command, uid=subject.uid)
    told = bench.until(lambda: subject.calls("discard"))
    bench.expect("DRAFT-3", bool(told), "DELETE with draft=true", "it was told" if told else "there was none", subject.calls())
