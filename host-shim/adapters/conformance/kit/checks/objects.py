"""What happens to objects and collections: deletes, moves, copies, imports."""

from __future__ import annotations

from typing import List

from kit import texts
from kit.bench import Bench, NotApplicable, Subject
from kit.checks import about


def _stored(bench: Bench, *names: str, calendar=None) -> List[Subject]:
    made = [bench.fresh(name, calendar) for name in names]
    for subject in made:
        subject.put(subject.text(subject.uid.split("@")[0]))
    for subject in made:
        subject.settled()
    # What is told again a moment later is not to be taken for what comes now.
    bench.quiet()
    return made


def _second(bench: Bench) -> str:
    return bench.options.second_calendar or bench.collection("second")


@about("DEL-1", "DEL-3")
def delete(bench: Bench) -> None:
    """An event is deleted; and one that is not, because the client's copy was old."""
    subject, stays = _stored(bench, "delete", "stays")
    told = subject.known().objects[:1] if subject.known() else []
    with bench.watching(subject):
        subject.delete()
        bench.until(lambda: subject.calls("gone"))
    calls = subject.calls("gone")
    early = [call for call in calls if call.seen is not None and call.seen.text is not None]
    unnamed = [call for call in calls if [call.object] != told]
    bench.expect(
        "DEL-1",
        bool(calls) and not early and not unnamed,
        "DELETE with the `object` of the saves, when a GET finds nothing",
        "there was no DELETE"
        if not calls
        else "it came while the event was still there"
        if early
        else "it names `%s`, the saves named %s" % (unnamed[0].object, told)
        if unnamed
        else "it was told",
        calls,
    )
    answer = stays.client.request("DELETE", stays.path, headers={"If-Match": '"0123456789-stale"'})
    if answer.ok:
        bench.apart("DEL-3", "the server deletes all the same (%d)" % answer.status)
        return
    bench.quiet(stays.uid)
    calls = stays.calls("gone")
    bench.expect(
        "DEL-3", not calls and stays.settled() is None, "no DELETE", "%d were told" % len(calls) if calls else "none", calls
    )


@about("DEL-2")
def collection_delete(bench: Bench) -> None:
    """A whole calendar is deleted."""
    path = bench.collection("whole")
    subjects = _stored(bench, "in1", "in2", "in3", calendar=path)
    (beside,) = _stored(bench, "beside")
    answer = bench.dav.request("DELETE", path)
    if not answer.ok:
        bench.apart("DEL-2", "the server deletes no calendar (%d)" % answer.status)
        return
    left = [subject.settled() for subject in subjects]
    missing = [subject.uid for subject, one in zip(subjects, left) if one is not None or not subject.calls("gone")]
    others = beside.calls("gone")
    bench.expect(
        "DEL-2",
        not missing and not others,
        "one DELETE for each of its 3 events, and none for others",
        "not told: %s" % ", ".join(missing) if missing else "one in another calendar was told" if others else "3 were told",
    )


@about("DEL-4")
def overwritten(bench: Bench) -> None:
    """Another event is put in an event's place."""
    (subject,) = _stored(bench, "old")
    other = Subject(bench, subject.uid.replace("old", "new"), subject.path, subject.client)
    answer = other.client.put(other.path, other.text("Another"))
    if not answer.ok:
        bench.quiet(subject.uid)
        left = subject.settled() or (other.known() and other.known().open() and "the refused text is still announced")
        if left:
            bench.expect("DEL-4", False, "nothing told, because the server refuses it (%d)" % answer.status, left)
        else:
            bench.apart(
                "DEL-4",
                "the server refuses another UID in an event's place (%d), and nothing of it is left behind" % answer.status,
            )
        return
    gone = bench.until(lambda: subject.calls("gone"))
    left = other.settled()
    bench.expect(
        "DEL-4",
        bool(gone) and left is None and not (subject.known() and subject.known().objects),
        "DELETE of the old UID, and the two beats of the new one",
        left or ("there was no DELETE of the old UID" if not gone else "they were told"),
        subject.calls() + other.calls(),
    )


@about("MOVE-1", "MOVE-2")
def move(bench: Bench) -> None:
    """To another name, and to another calendar."""
    for number, calendar in enumerate((None, _second(bench))):
        (subject,) = _stored(bench, "move%d" % number)
        to = bench.fresh("moved%d" % number, calendar, subject.uid)
        before = list(subject.known().objects) if subject.known() else []
        answer = bench.dav.onto("MOVE", subject.path, to.path)
        if not answer.ok:
            bench.apart("MOVE-1", "the server moves nothing (%d)" % answer.status)
            bench.apart("MOVE-2", "the server moves nothing (%d)" % answer.status)
            return
        # Until it is told everything looks as before.
        bench.until(lambda: to.known() and to.known().objects not in (before, []))
        left = to.settled(1)
        known = to.known()
        now = known.objects if known else []
        new = [call for call in to.calls("stored announce") if [call.object] != before]
        bench.expect(
            "MOVE-1",
            left is None and bool(new) and now != before,
            "PUT stored=true with the new object, DELETE of the old",
            left or ("the objects are now %s" % (now or "none")),
            to.calls(),
        )
        emptied = known is not None and () in known.history
        bench.expect(
            "MOVE-2",
            bool(new) and not emptied,
            "the PUT before the DELETE",
            "the event was without an object in between" if emptied else "it was so",
            to.calls(),
        )


@about("MOVE-3")
def move_away(bench: Bench) -> None:
    """To another user's calendar."""
    if bench.delegate is None or bench.options.delegate_calendar is None:
        bench.apart("MOVE-3", "no --delegate with a --delegate-calendar was given")
        return
    (subject,) = _stored(bench, "away")
    to = Subject(bench, subject.uid, bench.options.delegate_calendar + subject.path.rsplit("/", 1)[1], bench.delegate)
    bench._made.append((bench.delegate, to.path))
    answer = bench.delegate.onto("MOVE", subject.path, to.path)
    if not answer.ok:
        bench.apart("MOVE-3", "the server does not move it there (%d)" % answer.status)
        return
    gone = bench.until(lambda: [call for call in subject.calls("gone") if call.account == bench.account])
    new = bench.until(lambda: [call for call in subject.calls("announce stored") if call.account != bench.account])
    known = bench.until(lambda: new and bench.model.event(new[0].account, subject.uid))
    there = bool(known) and bench.until(lambda: known.objects and known.text is not None)
    bench.expect(
        "MOVE-3",
        bool(gone) and bool(there),
        "DELETE under the one account, a save under the other",
        "there was no DELETE under `%s`" % bench.account
        if not gone
        else "nothing was told under another account"
        if not there
        else "both were told",
        subject.calls(),
    )


@about("COPY-1")
def copy(bench: Bench) -> None:
    """The same UID twice."""
    (subject,) = _stored(bench, "copy")
    to = bench.fresh("copied", _second(bench), subject.uid)
    answer = bench.dav.onto("COPY", subject.path, to.path)
    if not answer.ok:
        bench.apart("COPY-1", "the server copies nothing under the same UID (%d)" % answer.status)
        return
    left = to.settled(2)
    if left is None:
        # The one goes, the event stays.
        subject.delete()
        left = to.settled(1)
    bench.expect(
        "COPY-1",
        left is None,
        "PUT stored=true with the second object; the event ends with its last object",
        left or "it was told",
        to.calls(),
    )


def _imported(bench: Bench) -> str:
    if not bench.options.import_path:
        raise NotApplicable("no --import-path was given")
    return bench.forgotten_at_the_end(bench.options.import_path.replace("{name}", "kit-%s-import" % bench.run))


@about("IMP-1", "IMP-2")
def imports(bench: Bench) -> None:
    """A whole calendar is PUT, and PUT again with less in it."""
    path = _imported(bench)
    uids = ["kit-%s-imported%d@conformance" % (bench.run, number) for number in range(4)]
    members = [
        texts.event(uid, "Imported %d" % number, (texts.WANTED,) if number == 1 else ()) for number, uid in enumerate(uids)
    ]
    answer = bench.dav.request(
        "PUT", path, texts.merged(members).encode("utf-8"), {"Content-Type": "text/calendar; charset=utf-8"}
    )
    if not answer.ok:
        bench.apart("IMP-1", "the server imports nothing there (%d)" % answer.status)
        bench.apart("IMP-2", "the server imports nothing there (%d)" % answer.status)
        return
    subjects = [Subject(bench, uid, path, bench.dav) for uid in uids]
    told = bench.until(lambda: all(subject.known() and subject.known().text for subject in subjects))
    calls = [call for subject in subjects for call in subject.calls("announce stored")]
    # The link that one of them asked for is written in afterwards, and told without import=true.
    plain = [call for subject in subjects for call in subject.calls("announce stored")[:1] if call.query.get("import") != "true"]
    several = [call for call in calls if call.code == "several-uids"]
    bench.expect(
        "IMP-1",
        bool(told) and not plain and not several,
        "PUT with import=true for each of the 4 UIDs, by itself",
        "not told: %d of 4" % sum(1 for subject in subjects if not subject.calls("announce stored"))
        if not told
        else "without import=true: %d" % len(plain)
        if plain
        else "all were told",
        calls,
    )
    answer = bench.dav.request(
        "PUT", path, texts.merged(members[:2]).encode("utf-8"), {"Content-Type": "text/calendar; charset=utf-8"}
    )
    if not answer.ok:
        bench.apart("IMP-2", "the server does not replace a calendar (%d)" % answer.status)
        return
    gone = bench.until(lambda: all(subject.calls("gone") and not subject.known().objects for subject in subjects[2:]))
    kept = [subject.uid for subject in subjects[:2] if not (subject.known() and subject.known().objects)]
    bench.expect(
        "IMP-2",
        bool(gone) and not kept,
        "DELETE for each of the 2 that are missing, and for no other",
        "also told as gone: %s" % ", ".join(kept)
        if kept
        else "they were told"
        if gone
        else "not told: %d of 2" % sum(1 for subject in subjects[2:] if not subject.calls("gone")),
    )
