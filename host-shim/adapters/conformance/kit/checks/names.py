"""Odd UIDs, and texts that cannot be told."""

from __future__ import annotations

import time

from kit import texts
from kit.bench import Bench
from kit.checks import about

_ODD = [
    ("slash", "a/b//c"),
    ("percent", "100%25 %2F"),
    ("query", "q?x=1#y&z"),
    ("unicode", "Prüfung-日本-🎈"),
    ("space", "two  words"),
    ("plus", "a+b"),
    ("escaped", "a,b;c\\d"),
    ("colon", "urn:uuid:1:2"),
    ("quote", "\"'<>{}|^`"),
    ("case", "CaseMatters"),
]


@about("NAME-1")
def odd(bench: Bench) -> None:
    """The value counts: unfolded, with its escapes undone."""
    wrong, refused = [], []
    told = 0
    cases = [(name, "%s-%s" % (value, bench.run)) for name, value in _ODD]
    cases.append(("long", ("x" * 1000 + bench.run).ljust(1024, "ü")[:1012] + "/" * 12))
    for name, uid in cases:
        while len(uid.encode("utf-8")) > 1024:
            uid = uid[:-1]
        subject = bench.fresh("odd-" + name, uid=uid)
        since = time.monotonic()
        answer = subject.client.put(subject.path, subject.text("Odd " + name))
        stored = subject.stored() if answer.ok else None
        if stored is None or texts.uids(stored) != [uid]:
            refused.append(name)
            continue
        left = subject.settled()
        bad = [
            call
            for call in bench.standin.seen(since=since)
            if call.code.startswith("uid-") or call.code == "path-invalid" or call.code == "no-such-route"
        ]
        if left is not None or bad or not subject.calls():
            wrong.append("`%s` (%s)" % (uid if len(uid) < 60 else uid[:57] + "…", str(bad[0]) if bad else left))
        if len(wrong) > 1:
            break
        told += 1
    if not told:
        bench.unseen("NAME-1", "the server stores no event with an odd UID")
        return
    bench.expect(
        "NAME-1",
        not wrong,
        "the UID's value in the path, for %d odd UIDs" % told,
        "wrong: %s" % "; ".join(wrong)
        if wrong
        else "right%s" % ("; the server stores no UID like: %s" % ", ".join(refused) if refused else ""),
    )


@about("NAME-2", "NAME-3")
def untellable(bench: Bench) -> None:
    """What the API would refuse is not sent, and stored all the same."""
    subject = bench.fresh("too-long", uid="x" * 1100)
    since = time.monotonic()
    answer = subject.client.put(subject.path, subject.text("Too long"))
    if not answer.ok:
        bench.apart("NAME-2", "the server takes no UID of 1,100 octets (%d)" % answer.status)
    else:
        bench.quiet()
        calls = [call for call in bench.standin.seen("announce stored", since=since) if call.code]
        bench.expect("NAME-2", not calls, "no call, and the event stored", "%d calls" % len(calls) if calls else "none", calls)
    subject = bench.fresh("large")
    since = time.monotonic()
    # In nine lines: folded as they should be, some servers take minutes to read them.
    text = subject.text("Large").replace(
        "END:VEVENT", "".join("X-FILLER:%s\r\n" % ("x" * 1_000_000) for _ in range(9)) + "END:VEVENT"
    )
    answer = subject.client.put(subject.path, text)
    if not answer.ok:
        bench.apart("NAME-3", "the server takes no text of 9 MB (%d)" % answer.status)
        return
    bench.quiet()
    calls = [call for call in bench.standin.seen("announce stored", since=since) if call.code]
    bench.expect(
        "NAME-3",
        not calls and subject.stored() is not None,
        "no call, and the event stored",
        "%d calls" % len(calls) if calls else "it was so",
        calls,
    )
    # Servers that look at a whole calendar would be slow from now on.
    subject.delete()
