"""What the stand-in knows of events, by the rules of the real API as far as an adapter can see them.

There is no Microsoft behind it: a meeting is there at once, or after `Behaviour.delay`, or when a check says so.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple

from kit import texts

UNRECORDED = "unrecorded"
_CHANGE = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


class Refused(Exception):
    """A call that the API answers with a problem."""

    def __init__(self, status: int, code: str, detail: str, headers: Optional[Dict[str, str]] = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers or {}


@dataclass
class Proposal:
    """An announced save that was not reported yet."""

    change: str
    text: str
    answered: str
    object: str
    wanted: bool
    draft: bool
    draft_of: Optional[str]
    at: float


@dataclass
class Event:
    """What is known under one account and UID."""

    account: str
    uid: str
    #: The paths that carry it.
    objects: List[str] = field(default_factory=list)
    #: The text that was stored last, as told; ``None``: it is not stored.
    text: Optional[str] = None
    stored_at: float = 0.0
    wanted: bool = False
    #: The link, once a meeting is asked for; it counts from `ready` on.
    link: Optional[str] = None
    ready: float = 0.0
    proposals: Dict[str, Proposal] = field(default_factory=dict)
    #: Its place among the offers; 0: it is on none.
    offer: int = 0
    #: Every set of objects there was, in order.
    history: List[Tuple[str, ...]] = field(default_factory=list)

    def link_now(self) -> Optional[str]:
        """The link, if it is there by now."""
        return self.link if self.link and time.monotonic() >= self.ready else None

    def open(self) -> List[Proposal]:
        """Saves that nobody reported and nothing has overtaken."""
        return [one for one in list(self.proposals.values()) if not one.draft and one.at > self.stored_at]


@dataclass
class Behaviour:
    """What a check may choose."""

    #: Seconds until Microsoft has made a meeting; infinite: when the check says so.
    delay: float = 0.0
    #: The real API does not wait where Microsoft is known to be slow.
    waits: bool = True
    #: In place of the rules for what is amended: gives the text to store.
    amend: Any = None


class Model:
    """All events."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.behaviour = Behaviour()
        self.events: Dict[Tuple[str, str], Event] = {}
        self._closed: Dict[str, Tuple[str, str, str]] = {}
        self._accounts: Dict[str, Dict[str, Any]] = {}
        self._epoch = uuid.uuid4().hex[:8]
        self._offers = 0

    def event(self, account: str, uid: str) -> Optional[Event]:
        """What is known of one."""
        return self.events.get((account, uid))

    def save(self, account: str, uid: str, text: str, query: Dict[str, str], patience: float) -> Tuple[int, Dict[str, Any]]:
        """The first beat, or both in one."""
        check_uid(uid)
        self._check_text(uid, text)
        stored, draft = query.get("stored") == "true", query.get("draft") == "true"
        known = self.event(account, uid)
        if known is None and not self._is_own(account, text):
            reason = "attendee-copy" if texts.is_event(text) else "not-an-event"
            return 200, self._saved(UNRECORDED, "not-mirrored", None, text, reason)
        with self.changed:
            change = self._change_id(account, uid, query.get("change"))
            event = self.events.setdefault((account, uid), Event(account, uid))
            lender = self.events.get((account, query.get("draft_of", "")))
            wanted = self._wanted(event, lender, text, query.get("meeting"))
            if wanted and event.link is None:
                self._make_link(event, lender)
            proposal = Proposal(
                change, text, text, query.get("object", ""), wanted, draft, query.get("draft_of"), time.monotonic()
            )
            if draft:
                for old in [old for old in event.proposals.values() if old.draft]:
                    del event.proposals[old.change]
            event.proposals[change] = proposal
            if stored:
                self._confirm(event, proposal, text)
            self.changed.notify_all()
            if wanted and not stored and self.behaviour.waits:
                self.changed.wait_for(lambda: event.link_now(), min(patience, max(event.ready - time.monotonic(), 0.0)))
            link = event.link_now() if wanted else None
            proposal.answered = self._amended(text, link)
            complete = not wanted or link is not None
            state = "not-mirrored" if not wanted else "mirrored" if complete else "pending"
            reason = None if wanted else "no-meeting-wanted"
            return 200 if complete else 202, self._saved(change, state, link, proposal.answered, reason)

    def report(self, account: str, uid: str, change: str, result: str, object_: Optional[str]) -> Optional[Event]:
        """The second beat."""
        with self.changed:
            event = self.event(account, uid)
            if change == UNRECORDED:
                return event
            proposal = event.proposals.get(change) if event else None
            if event is not None and proposal is not None:
                if result == "refused":
                    self._close(event, proposal, result)
                    self._forget_what_is_nothing(event)
                else:
                    if object_ is not None:
                        proposal.object = object_
                    self._confirm(event, proposal, proposal.text if result == "stored-original" else proposal.answered, result)
            else:
                of = self._closed.get(change)
                if of is None or of[:2] != (account, uid):
                    raise Refused(404, "no-such-change", "no such change was announced for this event: `%s`" % change)
                if of[2] != result:
                    raise Refused(409, "change-closed", "this change was reported, or taken, as `%s` already" % of[2])
            self.changed.notify_all()
            return self.event(account, uid)

    def delete(self, account: str, uid: str, object_: Optional[str], draft: bool) -> Optional[Event]:
        """An object is gone, or a draft is discarded."""
        with self.changed:
            event = self.event(account, uid)
            if event is None:
                return None
            if not draft:
                event.objects = [known for known in event.objects if object_ is not None and known != object_]
                event.history.append(tuple(event.objects))
                if not event.objects:
                    event.text, event.offer, event.stored_at = None, 0, time.monotonic()
            for proposal in list(event.proposals.values()):
                if proposal.draft if draft else not event.objects:
                    self._close(event, proposal, "refused")
            self._forget_what_is_nothing(event)
            self.changed.notify_all()
            return event

    def changes(self, after: int, wait: float) -> Tuple[int, List[Dict[str, Any]]]:
        """Texts to write back, after a number; waits for the first."""
        ends = time.monotonic() + wait
        with self.changed:
            epoch = self._epoch
            while True:
                if epoch != self._epoch:
                    raise _expired()
                for event in self.events.values():
                    self._renew_offer(event)
                found = sorted((event for event in self.events.values() if event.offer > after), key=lambda event: event.offer)
                left = ends - time.monotonic()
                if found or left <= 0:
                    break
                self.changed.wait(min(left, 0.2))
            return max([after, *(event.offer for event in found)]), [self._offered(event) for event in found[:100]]

    def cursor(self, number: int) -> str:
        """A number as adapters see it."""
        return "%s.%d" % (self._epoch, number)

    def number(self, cursor: Optional[str]) -> int:
        """The number in a cursor."""
        if not cursor:
            return 0
        epoch, _, number = cursor.partition(".")
        if not number.isdigit():
            raise Refused(400, "cursor-invalid", "`after` is the cursor of an earlier answer, or absent")
        if epoch != self._epoch:
            raise _expired()
        return int(number)

    def expire_cursors(self) -> None:
        """As after a restored store."""
        with self.changed:
            self._epoch = uuid.uuid4().hex[:8]
            self.changed.notify_all()

    def release(self, event: Event) -> None:
        """Microsoft has made the meeting."""
        with self.changed:
            event.ready = time.monotonic()
            self.changed.notify_all()

    def account(self, account: str) -> Dict[str, Any]:
        """What the server told of an account."""
        return self._accounts.setdefault(account, {"addresses": []})

    def describe(self, account: str, told: Dict[str, Any]) -> None:
        """What is absent is forgotten."""
        self._accounts[account] = {"addresses": [], **told}

    def view(self, event: Event) -> Dict[str, Any]:
        """How an event stands."""
        state = "mirrored" if event.wanted and event.text is not None else "not-mirrored"
        seen = {
            "account": event.account,
            "uid": event.uid,
            "state": state,
            "notices": [],
            "attempts": 0,
            "unconfirmed": False,
            "objects": [one for one in event.objects if one],
        }
        if event.link_now():
            seen["join_url"] = event.link
        return seen

    def _confirm(self, event: Event, proposal: Proposal, text: str, result: str = "stored-original") -> None:
        event.text, event.wanted = text, proposal.wanted
        event.stored_at = max(event.stored_at, proposal.at)
        if proposal.object not in event.objects:
            event.objects.append(proposal.object)
        event.history.append(tuple(event.objects))
        for draft in [draft for draft in event.proposals.values() if draft.draft and draft is not proposal]:
            del event.proposals[draft.change]
        self._close(event, proposal, result)
        if proposal.draft_of and proposal.draft_of != event.uid:
            self.events.pop((event.account, proposal.draft_of), None)
        # Each text that lacks the link is offered anew, after what was offered before.
        event.offer = 0
        self._renew_offer(event)

    def _close(self, event: Event, proposal: Proposal, result: str) -> None:
        event.proposals.pop(proposal.change, None)
        self._closed[proposal.change] = (event.account, event.uid, result)

    def _forget_what_is_nothing(self, event: Event) -> None:
        # An event that is gone is remembered, for its meeting: a move may be under way.
        if not event.proposals and event.text is None and not event.history:
            self.events.pop((event.account, event.uid), None)

    def _change_id(self, account: str, uid: str, change: Optional[str]) -> str:
        if change is None:
            return uuid.uuid4().hex
        if not _CHANGE.match(change) or change == UNRECORDED:
            raise Refused(
                422, "change-invalid", "a change id of your own has 1 to 64 letters, digits, `-` or `_`, and is not `unrecorded`"
            )
        if change in self._closed:
            raise Refused(409, "change-closed", "this change was reported, or taken, as `%s` already" % self._closed[change][2])
        for event in self.events.values():
            if change in event.proposals and (event.account, event.uid) != (account, uid):
                raise Refused(422, "change-invalid", "this change id is in use for another event; choose one that is unique")
        return change

    @staticmethod
    def _check_text(uid: str, text: str) -> None:
        if not texts.is_icalendar(text):
            raise Refused(422, "not-icalendar", "the text is no iCalendar object")
        found = texts.uids(text)
        if not found or found == [None]:
            raise Refused(422, "uid-missing", "the text has no UID")
        if len(found) > 1:
            raise Refused(422, "several-uids", "the text holds several UIDs; send each event by itself")
        if found[0] != uid:
            raise Refused(
                422,
                "uid-differs",
                "the text is about the event `%s`, the address names `%s`; send each event under its own UID" % (found[0], uid),
            )

    def _is_own(self, account: str, text: str) -> bool:
        if not texts.is_event(text):
            return False
        organizer = texts.value(text, "ORGANIZER")
        own = {account, *(address.lower() for address in self.account(account)["addresses"])}
        return organizer is None or organizer.lower().replace("mailto:", "", 1) in own

    @staticmethod
    def _wanted(event: Event, lender: Optional[Event], text: str, meeting: Optional[str]) -> bool:
        if not texts.is_event(text):
            return False
        if meeting is not None:
            return meeting == "wanted"
        asked = texts.value(text, "X-TEAMS-MEETING")
        if asked is not None and asked.upper() in ("TRUE", "FALSE"):
            return asked.upper() == "TRUE"
        return (
            event.link is not None
            and event.wanted
            or any(one.draft and one.wanted for one in event.proposals.values())
            or (lender is not None and lender.text is None and lender.link is not None)
        )

    def _make_link(self, event: Event, lender: Optional[Event]) -> None:
        if lender is not None and lender.text is None and lender.link:
            event.link, event.ready = lender.link, lender.ready
            return
        event.link = (
            "https://teams.microsoft.com/l/meetup-join/%s/0"
            % hashlib.sha256(("%s %s %s" % (event.account, event.uid, uuid.uuid4())).encode("utf-8", "replace")).hexdigest()[:24]
        )
        event.ready = time.monotonic() + self.behaviour.delay

    def _amended(self, text: str, link: Optional[str]) -> str:
        if self.behaviour.amend is not None:
            return self.behaviour.amend(text, link)
        return texts.amended(text, link) if link else text

    def _renew_offer(self, event: Event) -> None:
        link = event.link_now()
        lacks = bool(link and event.wanted and event.text is not None and not texts.carries(event.text, link))
        if lacks and not event.offer:
            self._offers += 1
            event.offer = self._offers
        elif not lacks:
            event.offer = 0

    def _offered(self, event: Event) -> Dict[str, Any]:
        text = event.text or ""
        return {
            "account": event.account,
            "uid": event.uid,
            "objects": [one for one in event.objects if one],
            "icalendar": self._amended(text, event.link),
            "replaces_sha256": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        }

    @staticmethod
    def _saved(change: str, state: str, link: Optional[str], text: str, reason: Optional[str]) -> Dict[str, Any]:
        said: Dict[str, Any] = {"change": change, "state": state, "notices": [], "icalendar": text}
        if link:
            said["join_url"] = link
        if reason:
            said["reason"] = reason
        return said


def _expired() -> Refused:
    return Refused(410, "cursor-expired", "the cursor is of a store that was restored or replaced; begin without `after`")


def check_uid(uid: str) -> None:
    """What a UID has to be."""
    if not 1 <= len(uid.encode("utf-8", "replace")) <= 1024:
        raise Refused(422, "uid-length", "a UID has 1 to 1,024 octets")
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in uid):
        raise Refused(422, "uid-characters", "a UID holds no control characters")
