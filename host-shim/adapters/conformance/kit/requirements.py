"""The requirements of `PROTOCOL.md` that a check looks at: id, level, and the sentence that stands in the table.

The page says why each is there. A test sees to it that the page and this list name the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List

MUST, SHOULD = "MUST", "SHOULD"


@dataclass(frozen=True)
class Requirement:
    """One requirement."""

    id: str
    level: str
    sentence: str


_LISTED = [
    ("SAVE-1", MUST, "a save is announced before it is stored"),
    ("SAVE-2", MUST, "the answered text is what is stored"),
    ("SAVE-3", MUST, "no ETag and no Last-Modified for a text that was amended"),
    ("SAVE-4", MUST, "what was announced and stored is reported as stored, after the store"),
    ("SAVE-5", SHOULD, "a save that nothing was added to keeps its ETag"),
    ("SAVE-6", MUST, "the client's text is announced octet by octet"),
    ("SAVE-7", MUST, "every save names its object, always in the same spelling"),
    ("SAVE-8", SHOULD, "every save names its calendar"),
    ("SAVE-9", SHOULD, "the adapter chooses the change id"),
    ("SAVE-10", MUST, "a change of a stored event has the same two beats"),
    ("SAVE-11", MUST, "a representation in the answer is the one that was stored"),
    ("SAVE-12", MUST, "lines that are not ours are stored as the server stores them without us"),
    ("REF-1", MUST, "a save with a stale If-Match leaves nothing behind"),
    ("REF-2", MUST, "a save with If-None-Match over an existing event leaves nothing behind"),
    ("REF-3", MUST, "a text that the server refuses leaves nothing behind"),
    ("REF-4", MUST, "who did not log in is not announced"),
    ("REF-5", MUST, "the save of a user who may not write leaves nothing behind"),
    ("REF-6", SHOULD, "an answered text that the server refuses costs no save"),
    ("FAIL-1", MUST, "204: stored as it was sent, with nothing to report"),
    ("FAIL-2", MUST, "4xx: stored as it was sent, and not told again and again"),
    ("FAIL-3", MUST, "5xx: stored as it was sent, and told later"),
    ("FAIL-4", MUST, "no answer: stored as it was sent within the patience, and told later"),
    ("FAIL-5", MUST, "an answer that breaks off: stored as it was sent, and told later"),
    ("FAIL-6", MUST, "an answer without sense: stored as it was sent, and not reported as the answered text"),
    ("FAIL-7", SHOULD, "an answer within the patience is waited for"),
    ("FAIL-8", MUST, "nobody listens: stored as it was sent within the patience, and told later"),
    ("FAIL-9", SHOULD, "while the hook is known not to answer, saves do not wait for it"),
    ("FAIL-10", SHOULD, "401: a wrong secret is an outage, and what was saved is told later"),
    ("FAIL-11", MUST, "when the hook answers again, saves are announced again"),
    ("SPOOL-1", MUST, "what was created while the hook was down is told later"),
    ("SPOOL-2", MUST, "what is told later is the text that is stored then"),
    ("SPOOL-3", MUST, "what was deleted while the hook was down is told later"),
    ("SPOOL-4", MUST, "what was moved while the hook was down is told later"),
    ("SPOOL-5", MUST, "notes outlive the server"),
    ("SPOOL-6", MUST, "a server killed before the store leaves no event that is not there"),
    ("SPOOL-7", MUST, "a server killed before the report still tells what it stored"),
    ("SPOOL-8", MUST, "what the hook could not take is told again"),
    ("SPOOL-9", MUST, "an event that the hook refuses does not hold up the others"),
    ("DEL-1", MUST, "a delete is told after the server's success, with its object"),
    ("DEL-2", MUST, "a collection's delete is one delete for each event"),
    ("DEL-3", MUST, "a delete that the server refuses is not told"),
    ("DEL-4", MUST, "an object overwritten with another UID ends the old one"),
    ("MOVE-1", MUST, "a move tells the new object and the end of the old one"),
    ("MOVE-2", SHOULD, "the new object is told before the old one's end"),
    ("MOVE-3", MUST, "a move to another account ends there and begins here"),
    ("COPY-1", MUST, "a copy under the same UID is told as a second object"),
    ("IMP-1", MUST, "an import is told event by event, with import=true"),
    ("IMP-2", MUST, "members that an import leaves out are told as gone"),
    ("WHO-1", MUST, "a delegate's save is the calendar owner's"),
    ("WHO-2", MUST, "an attendee's copy is stored as it was sent"),
    ("WHO-3", MUST, "tasks and journals are stored as they were sent"),
    ("WHO-4", SHOULD, "what the server changes by itself is told"),
    ("DRAFT-1", MUST, "a draft is announced as one, and is no save"),
    ("DRAFT-2", MUST, "the save of a draft takes its meeting over"),
    ("DRAFT-3", MUST, "a discarded draft is told as discarded"),
    ("LINK-1", MUST, "a link that comes late is written into the stored event"),
    ("LINK-2", MUST, "a write-back that lost a race is dropped"),
    ("LINK-3", MUST, "a text that was written back is told with stored=true"),
    ("LINK-4", MUST, "the link is still there after the client's next save"),
    ("LINK-5", MUST, "a cursor that expired begins anew"),
    ("LINK-6", SHOULD, "changes are waited for, not asked for again and again"),
    ("LOCK-1", MUST, "while a save waits, others are answered"),
    ("LOCK-2", SHOULD, "a crowd of waiting saves leaves room for others"),
    ("CONC-1", MUST, "saves of one event at the same time: what is told last is what is stored"),
    ("CONC-2", MUST, "saves of many events at the same time are kept apart"),
    ("NAME-1", MUST, "a UID is its value, as one percent-encoded segment of the path"),
    ("NAME-2", SHOULD, "a text without a usable UID is not announced"),
    ("NAME-3", SHOULD, "a text over 8 MiB is not announced"),
    ("SEC-1", MUST, "the secret is sent in the header Authorization and nowhere else"),
    ("SEC-2", MUST, "the client's credentials are not handed on"),
    ("CALL-1", MUST, "every call is one that the API knows"),
    ("CALL-2", MUST, "stored=true tells what is stored already"),
    ("CALL-3", MUST, "fields and headers that are not known are ignored"),
]

ALL: List[Requirement] = [Requirement(*listed) for listed in _LISTED]
BY_ID: Dict[str, Requirement] = {requirement.id: requirement for requirement in ALL}
