"""iCalendar for the checks: texts to save, the stand-in's amendment, and what two texts have in common.

It edits lines, as the real extension does, and reads no more of iCalendar than the checks need.
"""

from __future__ import annotations

import re
from typing import Iterator, List, Optional, Sequence, Tuple

_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"\r?\n")
_ESCAPE = re.compile(r"\\([\\;,nN])")
RULE = "_" * 80
WANTED = "X-TEAMS-MEETING:TRUE"


def escaped(value: str) -> str:
    """A TEXT value as it stands in a line (RFC 5545 section 3.3.11)."""
    for plain, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        value = value.replace(plain, written)
    return value


def unescaped(value: str) -> str:
    """The value of a TEXT."""
    return _ESCAPE.sub(lambda found: "\n" if found.group(1) in "nN" else found.group(1), value)


def folded(line: str, end: str = "\r\n") -> str:
    """A content line of at most 75 octets a piece, with its line end."""
    pieces, piece, room = [], b"", 75
    for character in line:
        octets = character.encode("utf-8")
        if len(piece) + len(octets) > room:
            pieces.append(piece)
            piece, room = b"", 74
        piece += octets
    pieces.append(piece)
    return (end + " ").join(piece.decode("utf-8") for piece in pieces) + end


def unfolded(text: str) -> str:
    """The text with its lines joined."""
    return _FOLD.sub("", text)


def event(uid: str, summary: str, lines: Sequence[str] = (WANTED,), component: str = "VEVENT") -> str:
    """A calendar object that is whole, in a form that servers accept."""
    times = ["DTSTART:20300114T100000Z", "DTEND:20300114T110000Z"] if component == "VEVENT" else []
    inner = ["UID:" + escaped(uid), "DTSTAMP:20291201T080000Z", *times, "SUMMARY:" + escaped(summary), *lines]
    return "".join(
        folded(line)
        for line in [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//teams-mirror//conformance//EN",
            "BEGIN:" + component,
            *inner,
            "END:" + component,
            "END:VCALENDAR",
        ]
    )


def merged(texts: Sequence[str]) -> str:
    """One calendar with the events of several."""
    head, tail = texts[0].split("BEGIN:VEVENT", 1)[0], "END:VCALENDAR\r\n"
    return head + "".join(text[text.index("BEGIN:VEVENT") : text.index("END:VCALENDAR")] for text in texts) + tail


def _named(line: str) -> Tuple[str, str]:
    """Name and value of a joined line."""
    quoted = False
    for at, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif character == ":" and not quoted:
            return re.split("[;:]", line, maxsplit=1)[0].upper(), line[at + 1 :]
    return line.upper(), ""


def components(text: str) -> Iterator[Tuple[str, List[Tuple[str, str, str]]]]:
    """The components right below VCALENDAR: their names, and name, value and whole line of their own properties."""
    depth: List[str] = []
    own: List[Tuple[str, str, str]] = []
    for line in _LINE.split(unfolded(text)):
        name, value = _named(line)
        if name == "BEGIN":
            depth.append(value.strip().upper())
            if len(depth) == 2:
                own = []
        elif name == "END":
            if len(depth) == 2:
                yield depth[-1], own
            if depth:
                depth.pop()
        elif len(depth) == 2 and line:
            own.append((name, value, line))


def is_icalendar(text: str) -> bool:
    """Whether it is one VCALENDAR, begun and ended."""
    lines = [line.upper().strip() for line in _LINE.split(unfolded(text)) if line.strip()]
    begins = [line[6:] for line in lines if line.startswith("BEGIN:")]
    ends = [line[4:] for line in lines if line.startswith("END:")]
    return bool(lines) and lines[0] == "BEGIN:VCALENDAR" and lines[-1] == "END:VCALENDAR" and sorted(begins) == sorted(ends)


def uids(text: str) -> List[Optional[str]]:
    """The different UIDs of events, tasks and journals; ``None`` among them: one has none."""
    found: List[Optional[str]] = []
    for name, own in components(text):
        if name in ("VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"):
            uid = next((unescaped(value) for property_, value, _ in own if property_ == "UID"), None)
            if uid not in found:
                found.append(uid)
    return found


def is_event(text: str) -> bool:
    """Whether it holds events and nothing else that has a UID, and is no scheduling message."""
    names = {name for name, _ in components(text)} - {"VTIMEZONE"}
    return names == {"VEVENT"} and not re.search(r"(?im)^METHOD[:;]", unfolded(text))


def value(text: str, name: str) -> Optional[str]:
    """A property's first value in the events."""
    return next(
        (
            value
            for component, own in components(text)
            if component == "VEVENT"
            for property_, value, _ in own
            if property_ == name
        ),
        None,
    )


def essence(text: Optional[str]) -> Optional[Tuple[Tuple[str, str, str], ...]]:
    """What has to be equal in two texts of one event, whatever form a server gives them: which of the series, the summary and
    the start of each."""
    if text is None:
        return None
    found = []
    for name, own in components(text):
        if name in ("VEVENT", "VTODO", "VJOURNAL"):
            values = {property_: value for property_, value, _ in reversed(own)}
            found.append((values.get("RECURRENCE-ID", ""), unescaped(values.get("SUMMARY", "")), values.get("DTSTART", "")))
    return tuple(sorted(found))


def lines_of(text: str, *names: str) -> List[str]:
    """The joined lines of those properties of the events, sorted."""
    return sorted(
        line for component, own in components(text) if component == "VEVENT" for property_, _, line in own if property_ in names
    )


def carries(text: Optional[str], url: str) -> bool:
    """Whether every event of the text has the link."""
    if text is None:
        return False
    events = [own for name, own in components(text) if name == "VEVENT"]
    return bool(events) and all(any(url in line for _, _, line in own) for own in events)


def amended(text: str, url: str) -> str:
    """The text with the link in every event: a block at the end of DESCRIPTION, and two properties of their own. Everything else
    stays as it was, octet by octet."""
    whole = re.split(r"(?<=\n)(?![ \t])", text)
    out: List[str] = []
    depth: List[str] = []
    described = placed = False
    for line in whole:
        joined = unfolded(line).rstrip("\r\n")
        end = "\r\n" if line.endswith("\r\n") else "\n"
        name, given = _named(joined)
        inside = depth == ["VCALENDAR", "VEVENT"]
        if inside and name in ("BEGIN", "END") and not placed:
            placed = True
            # The properties of an event stand before what is nested in it, so all are known here.
            out.extend(_further(out, url, end, described))
        if name == "BEGIN":
            depth.append(given.strip().upper())
            if len(depth) == 2:
                described = placed = False
        elif name == "END" and depth:
            depth.pop()
        elif inside and name == "DESCRIPTION" and not described:
            described = True
            if url not in joined:
                line = folded("%s\\n%s\\n%s\\n%s" % (joined, RULE, url, RULE), end)
        out.append(line)
    return "".join(out)


def _further(before: List[str], url: str, end: str, described: bool) -> List[str]:
    begun = max(at for at, line in enumerate(before) if line.upper().startswith("BEGIN:VEVENT"))
    own = [unfolded(line) for line in before[begun:]]
    wanted = ["X-MICROSOFT-SKYPETEAMSMEETINGURL:" + url, "CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO:" + url]
    if not described:
        wanted.insert(0, "DESCRIPTION:%s\\n%s\\n%s" % (RULE, url, RULE))
    return [
        folded(line, end)
        for line in wanted
        if not any(known.upper().startswith(_named(line)[0]) and url in known for known in own)
    ]
