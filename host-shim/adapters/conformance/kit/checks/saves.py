"""Both beats of a save, and what its answer says."""

from __future__ import annotations

import time

from kit import texts
from kit.bench import Bench
from kit.checks import about

_LINES = (
    texts.WANTED,
    "DESCRIPTION:Grüße 🎈 \\, a line that has to be folded because it is longer than seventy-five octets\\nand a second one",
    "LOCATION:Raum 4\\, Straße 5",
    "CATEGORIES:One,Two",
    'X-ODD;X-P="a;b:c":va\\;l\\,ue',
    "ORGANIZER;CN=Owner:mailto:{account}",
    'ATTENDEE;CN="Bob; B.";PARTSTAT=NEEDS-ACTION:mailto:bob@elsewhere.example',
)
_KEPT = ("DTSTART", "DTEND", "CATEGORIES", "LOCATION", "RRULE", "ORGANIZER", "ATTENDEE")


@about("SAVE-1", "SAVE-2", "SAVE-3", "SAVE-4", "SAVE-6", "SAVE-7", "SAVE-8", "SAVE-9", "SEC-1", "SEC-2")
def create(bench: Bench) -> None:
    """A new event with everything in it that suffers where texts are read and written anew."""
    subject = bench.fresh("create")
    # Guests only where the owner's address is known: an organiser who is somebody else makes an attendee's copy of it.
    lines = [line.replace("{account}", bench.account) for line in _LINES if bench.account or not line.startswith(("ORG", "ATT"))]
    text = subject.text("Öffentliches, created", lines)
    with bench.watching(subject):
        answer = subject.put(text)
        left = subject.settled()
    announced, told = subject.calls("announce"), subject.calls("stored")
    # What was stored before anything could be written back.
    stored = next((call.seen.text for call in subject.calls("report") if call.seen is not None), subject.stored())
    link = subject.link
    if bench.options.one_beat:
        for id_ in ("SAVE-1", "SAVE-9"):
            bench.apart(id_, "the server can call only once (--one-beat)")
        bench.until(subject.linked)
        stored = subject.stored()
        bench.expect("SAVE-4", bool(told) and left is None, "PUT with stored=true after the store", left or "told")
    else:
        first = announced[0] if announced else None
        before = first is not None and first.seen is not None and first.seen.text is None
        if first is not None and first.seen is None:
            bench.unseen("SAVE-1", "the server did not answer a GET while the hook was asked; see LOCK-1")
        else:
            bench.expect(
                "SAVE-1",
                before,
                "a PUT without `stored=true`, while the server does not hold the event yet",
                "there was none; %d PUT with stored=true" % len(told)
                if first is None
                else "nothing was stored at that time"
                if before
                else "when the PUT arrived the server held the event already",
            )
        _reported(bench, subject, first)
        bench.expect(
            "SAVE-9",
            first is not None and "change" in first.query,
            "the parameter `change` on the first beat",
            "there was no announce" if first is None else "`change=%s`" % first.query.get("change", ""),
        )
    bench.expect(
        "SAVE-2",
        texts.carries(stored, link) if link else False,
        "the link of the answer in what is stored",
        "it is there"
        if link and texts.carries(stored, link)
        else "no meeting was asked for"
        if not link
        else "the stored text lacks `%s`" % link,
    )
    amended = texts.carries(stored, link) if link else False
    given = [name for name in ("etag", "last-modified") if answer.header(name)]
    if bench.options.one_beat:
        bench.apart("SAVE-3", "the link is written after the answer (--one-beat)")
    elif not amended and not announced:
        bench.unseen("SAVE-3", "no text was amended, because none was announced")
    else:
        bench.expect(
            "SAVE-3",
            not given,
            "an answer to the PUT without ETag and Last-Modified",
            "the answer has %s" % " and ".join("`%s: %s`" % (name, answer.header(name)) for name in given) if given else "none",
        )
    texts_sent = [call for call in announced + told]
    exact = bool(announced) and announced[0].body == text.encode("utf-8")
    if bench.options.one_beat:
        bench.apart("SAVE-6", "what is told is what is stored (--one-beat)")
    else:
        bench.expect(
            "SAVE-6",
            exact,
            "the first beat's body is the client's, %d octets" % len(text.encode("utf-8")),
            "it is" if exact else _difference(text, announced[0].text) if announced else "there was no announce",
        )
    _placed(bench, subject, texts_sent)
    _secret(bench)


def _reported(bench: Bench, subject, first) -> None:
    reports = [call for call in subject.calls("report") if first is not None and call.change == first.change]
    stored = [call for call in reports if call.result in ("stored", "stored-original")]
    later = [call for call in subject.calls("stored")]
    if not stored and later:
        # The save was told again as a whole, which says the same.
        ok = subject.difference() is None
        bench.expect(
            "SAVE-4", ok, "POST …/stored with the change id, after the store", "told again with stored=true in its place"
        )
        return
    if not stored:
        bench.expect(
            "SAVE-4",
            False,
            "POST …/stored with the change id of the answer, after the store",
            "there was no report of the change" if not reports else "it was reported as `%s`" % reports[0].result,
        )
        return
    there = stored[0].seen is not None and stored[0].seen.text is not None
    bench.expect(
        "SAVE-4",
        there,
        "POST …/stored with the change id, when a GET finds the event",
        "it was" if there else "when the report arrived the server did not hold the event yet",
    )


def _placed(bench: Bench, subject, sent) -> None:
    named = {call.object for call in sent}
    bench.expect(
        "SAVE-7",
        bool(sent) and named != {""} and len(named) == 1,
        "the same `object` on every PUT",
        "named were: %s" % ", ".join("`%s`" % one for one in sorted(named)) if sent else "there was no PUT",
    )
    calendars = {call.query.get("calendar", "") for call in sent}
    bench.expect(
        "SAVE-8",
        bool(sent) and "" not in calendars,
        "the parameter `calendar` on every PUT",
        "named were: %s" % ", ".join("`%s`" % one for one in sorted(calendars)),
    )


def _secret(bench: Bench) -> None:
    secret = bench.standin.secret
    calls = bench.standin.seen()
    wrong = [call for call in calls if (call.header("authorization") or "").split(" ", 1)[-1].strip() != secret]
    leaked = [
        call
        for call in calls
        if secret in call.target
        or secret.encode() in call.body
        or any(secret in value for name, value in call.headers if name.lower() != "authorization")
    ]
    bench.expect(
        "SEC-1",
        bool(calls) and not wrong and not leaked,
        "`Authorization: Bearer` with the secret on every call, and the secret in no address, no other header and no body",
        "%d calls without it, %d with it elsewhere, of %d" % (len(wrong), len(leaked), len(calls)),
        wrong + leaked,
    )
    passwords = [client.login.split(":", 1)[1] for client in (bench.dav, bench.guest, bench.delegate) if client and client.login]
    basics = [
        call
        for call in calls
        if any(value.lower().startswith(("basic ", "digest ")) or name.lower() == "cookie" for name, value in call.headers)
        or any(len(password) > 5 and password in call.target + call.text for password in passwords)
    ]
    bench.expect(
        "SEC-2",
        bool(calls) and not basics,
        "no call with the client's Authorization, cookies or password",
        "%d of %d calls have them" % (len(basics), len(calls)),
        basics,
    )


def _difference(sent: str, got: str) -> str:
    for at, (one, other) in enumerate(zip(sent, got)):
        if one != other:
            return "from character %d on `%s` became `%s`" % (at, sent[at : at + 30], got[at : at + 30])
    return "%d characters became %d" % (len(sent), len(got))


@about("SAVE-10", "SAVE-5", "SAVE-11", "LINK-4", "SAVE-12")
def change(bench: Bench) -> None:
    """A stored event is changed, saved as it is, and saved by a client that drops what it does not know."""
    subject = bench.fresh("change")
    subject.put(subject.text("Before"))
    subject.settled()
    bench.until(subject.linked)
    before = subject.get()
    with bench.watching(subject):
        changed = before.text.replace("SUMMARY:Before", "SUMMARY:After")
        headers = {"If-Match": before.header("etag") or ""} if before.header("etag") else {}
        since = time.monotonic()
        subject.put(changed, headers)
        left = subject.settled()
    announced = subject.calls("announce", since)
    first = announced[0] if announced else None
    old = first is not None and first.seen is not None and "Before" in (first.seen.text or "")
    if bench.options.one_beat:
        bench.expect("SAVE-10", left is None, "PUT with stored=true after the change", left or "told")
    else:
        reported = first is not None and any(call.change == first.change for call in subject.calls("report", since))
        told = bool(subject.calls("stored", since))
        bench.expect(
            "SAVE-10",
            old and left is None and (reported or told),
            "a first beat while the old text is stored, and a report after the new one is",
            left
            or (
                "both were seen"
                if old and (reported or told)
                else "there was no first beat"
                if first is None
                else "there was no report"
                if old
                else "the first beat came after the store"
            ),
        )
    _unchanged(bench, subject)
    # A client that knows nothing of our lines.
    subject.put(subject.text("Dropped", ()))
    subject.settled()
    kept = bench.until(subject.linked)
    bench.expect(
        "LINK-4", bool(kept), "the link in what is stored after a save without it", "it is there" if kept else "it is gone"
    )
    _represented(bench, subject)
    _kept(bench)


def _unchanged(bench: Bench, subject) -> None:
    plain = bench.fresh("plain")
    usual = plain.put(plain.text("Plain", ())).header("etag")
    plain.settled()
    stored = subject.get()
    since = time.monotonic()
    again = subject.put(stored.text).header("etag")
    subject.settled()
    added = [call for call in subject.calls("announce", since) if not texts.carries(call.text, subject.link)]
    if added or bench.options.one_beat:
        bench.apart("SAVE-5", "the server gives the text back without the link" if added else "the server can call only once")
    elif usual is None and again is None:
        bench.unseen("SAVE-5", "no PUT was answered with an ETag: either the server gives none, or the adapter takes all away")
    else:
        bench.expect(
            "SAVE-5",
            usual is not None and again is not None,
            "an ETag, as for a save without the adapter",
            "where no Teams is asked for: %s; where the link was there already: %s" % (usual or "none", again or "none"),
        )


def _represented(bench: Bench, subject) -> None:
    answer = subject.put(subject.text("Represented"), {"Prefer": "return=representation"})
    subject.settled()
    if bench.options.one_beat:
        bench.apart("SAVE-11", "the link is written after the answer (--one-beat)")
    elif "BEGIN:VCALENDAR" not in answer.text:
        bench.apart("SAVE-11", "the server returns no representation")
    else:
        bench.expect(
            "SAVE-11",
            texts.carries(answer.text, subject.link),
            "the link in the returned text",
            "it is there" if texts.carries(answer.text, subject.link) else "the text of the client was returned",
        )


def _kept(bench: Bench) -> None:
    """Two events that differ only in the wish: what the server makes of their lines is the same."""
    lines = [
        "LOCATION:Raum 4\\, Straße 5",
        "CATEGORIES:One,Two",
        "RRULE:FREQ=WEEKLY;COUNT=3",
        "DESCRIPTION:A long line that has to be folded\\, because it is longer than seventy-five octets are",
        "ORGANIZER;CN=Owner:mailto:" + bench.account,
        "ATTENDEE;CN=Owner;PARTSTAT=ACCEPTED:mailto:" + bench.account,
        'ATTENDEE;CN="Bob; B.";PARTSTAT=NEEDS-ACTION:mailto:bob@elsewhere.example',
    ]
    with_link, without = bench.fresh("with"), bench.fresh("without")
    with_link.put(with_link.text("Kept", [texts.WANTED, *lines]))
    without.put(without.text("Kept", lines))
    with_link.settled()
    without.settled()
    bench.until(with_link.linked)
    one, other = with_link.stored() or "", without.stored() or ""
    wrong = [name for name in _KEPT if texts.lines_of(one, name) != texts.lines_of(other, name)]
    described = texts.value(other, "DESCRIPTION") or ""
    if not (texts.value(one, "DESCRIPTION") or "").startswith(described):
        wrong.append("DESCRIPTION")
    bench.expect(
        "SAVE-12",
        bool(one and other) and not wrong,
        "the same lines as in an event without a link",
        "different are: %s" % ", ".join(wrong) if wrong else "they are the same",
    )


@about("CALL-3")
def newer(bench: Bench) -> None:
    """The API has learned something new."""
    bench.standin.newer = True
    try:
        subject = bench.fresh("newer")
        subject.put(subject.text("Newer"))
        left = subject.settled()
        linked = bench.until(subject.linked)
        # What is told again as a whole shows that the answer was not understood, even if a write-back brings the link.
        announced = {call.change for call in subject.calls("announce")}
        reported = [call for call in subject.calls("report") if call.change in announced and call.result == "stored"]
    finally:
        bench.standin.newer = False
    bench.expect(
        "CALL-3",
        left is None and bool(linked) and bool(reported or bench.options.one_beat),
        "a save as ever",
        left
        or (
            "the link is not stored"
            if not linked
            else "as ever"
            if reported or bench.options.one_beat
            else "it was not reported as the answered text"
        ),
    )
