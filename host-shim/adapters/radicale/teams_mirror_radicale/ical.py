"""Finds out what a calendar text is about: no more than whether it is one event, and under which UID.

Reading iCalendar is the extension's work. The adapter needs the UID alone, because the hook API names events by it.
"""

from __future__ import annotations

import re
from typing import Iterator, List, Optional, Set, Tuple

_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"\r?\n")
_ESCAPE = re.compile(r"\\([\\;,nN])")
_NAME = re.compile(r"[A-Za-z0-9-]+")

COMPONENTS = ("VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY")


def event_uid(text: str) -> Optional[str]:
    """The UID of the one event (with all its exceptions) that the text holds.

    ``None`` where it holds none, tasks, journals or several events beside it, or a scheduling message (METHOD).
    The UID is the value: unfolded, its escapes undone (RFC 5545 section 3.3.11).
    """
    uids: Set[Optional[str]] = set()
    depth: List[str] = []
    calendars = 0
    for name, value in _lines(text):
        if name == "BEGIN":
            component = value.strip().upper()
            if not depth:
                calendars += 1
                if component != "VCALENDAR" or calendars > 1:
                    return None
            elif len(depth) == 1 and component in COMPONENTS:
                if component != "VEVENT":
                    return None
                uids.add(None)
            depth.append(component)
        elif name == "END":
            if not depth or depth.pop() != value.strip().upper():
                return None
            if len(depth) == 1 and None in uids:
                # An event without a UID.
                return None
        elif name == "METHOD" and depth == ["VCALENDAR"]:
            return None
        elif name == "UID" and depth == ["VCALENDAR", "VEVENT"]:
            uids.discard(None)
            uids.add(_ESCAPE.sub(_unescaped, value))
    if depth or len(uids) != 1:
        return None
    uid = uids.pop()
    return uid if uid and len(uid.encode("utf-8", "replace")) <= 1024 else None


def event_lines(text: str) -> List[str]:
    """The lines of the events, joined and sorted: how a text folds and orders them makes no difference."""
    found: List[str] = []
    inside = False
    for line in _LINE.split(_FOLD.sub("", text)):
        begins = line.upper().rstrip() == "BEGIN:VEVENT"
        inside = inside or begins
        if inside and line:
            found.append(line)
        if line.upper().rstrip() == "END:VEVENT":
            inside = False
    return sorted(found)


def _lines(text: str) -> Iterator[Tuple[str, str]]:
    """Name and value of each content line that could matter here."""
    for line in _LINE.split(_FOLD.sub("", text)):
        name = _NAME.match(line)
        if not name:
            continue
        upper = name.group().upper()
        if upper not in ("BEGIN", "END", "UID", "METHOD"):
            continue
        value = _value(line[name.end():])
        if value is not None:
            yield upper, value


def _value(rest: str) -> Optional[str]:
    """What follows the first colon outside quotes."""
    quoted = False
    for at, character in enumerate(rest):
        if character == '"':
            quoted = not quoted
        elif character == ":" and not quoted:
            return rest[at + 1:]
    return None


def _unescaped(match: "re.Match[str]") -> str:
    character = match.group(1)
    return "\n" if character in "nN" else character
