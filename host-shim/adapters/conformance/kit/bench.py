"""What a check works with: the stand-in, the clients, events of its own, and a place for what it finds."""

from __future__ import annotations

import subprocess
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from kit import texts
from kit.caldav import Answer, Client, Unreachable
from kit.model import Behaviour, Event
from kit.options import Options
from kit.routes import Call
from kit.standin import Fault, StandIn

HOLDS, BROKEN, APART, UNSEEN = "holds", "broken", "not-applicable", "not-looked-at"


class NotApplicable(Exception):
    """A check has nothing to look at here; the sentence says why."""


class NotSeen(Exception):
    """A check could not be made; the sentence says why."""


class SaveFailed(Exception):
    """A save that should have gone through did not."""


@dataclass
class Finding:
    """What a check found about one requirement."""

    id: str
    outcome: str
    expected: str
    happened: str
    calls: List[str] = field(default_factory=list)


class Bench:
    """One run."""

    def __init__(self, options: Options, standin: StandIn) -> None:
        self.options, self.standin, self.model = options, standin, standin.model
        self.run = uuid.uuid4().hex[:6]
        self.dav = Client(options.caldav, options.user, options.ca_file)
        self.guest = Client(options.caldav, options.guest, options.ca_file) if options.guest else None
        self.delegate = Client(options.caldav, options.delegate, options.ca_file) if options.delegate else None
        self.findings: List[Finding] = []
        #: The owner's address, as the adapter names it.
        self.account = (options.account or "").lower()
        self._made: List[Tuple[Client, str]] = []
        self._begun = time.monotonic()

    # Findings.

    def expect(self, id_: str, holds: bool, expected: str, happened: str, calls: Sequence[Call] = ()) -> bool:
        """Writes down whether a requirement holds."""
        shown = [str(call) for call in (calls or self.standin.seen(since=self._begun)) if call.kind not in ("changes", "account")]
        self.findings.append(Finding(id_, HOLDS if holds else BROKEN, expected, happened, shown[-20:]))
        return holds

    def apart(self, id_: str, why: str) -> None:
        """A requirement has nothing to apply to here."""
        self.findings.append(Finding(id_, APART, "", why))

    def unseen(self, id_: str, why: str) -> None:
        """A requirement could not be looked at."""
        self.findings.append(Finding(id_, UNSEEN, "", why))

    # Events.

    def fresh(
        self, name: str, calendar: Optional[str] = None, uid: Optional[str] = None, client: Optional[Client] = None
    ) -> "Subject":
        """An event that is not there yet."""
        mark = "kit-%s-%s" % (self.run, name)
        subject = Subject(
            self, uid or mark + "@conformance", (calendar or self.options.calendar) + mark + ".ics", client or self.dav
        )
        self._made.append((self.dav if client is None else client, subject.path))
        return subject

    def collection(self, name: str) -> str:
        """A calendar of our own beside the one that was named. Raises `NotApplicable` where none can be made."""
        path = self.options.calendar.rstrip("/").rsplit("/", 1)[0] + "/kit-%s-%s/" % (self.run, name)
        made = self.dav.request("MKCALENDAR", path)
        if not made.ok:
            raise NotApplicable("the server makes no calendar `%s` for the user (MKCALENDAR: %d)" % (path, made.status))
        self._made.append((self.dav, path))
        return path

    def forgotten_at_the_end(self, path: str) -> str:
        """A path to remove when the run ends."""
        self._made.append((self.dav, path))
        return path

    def tidy(self) -> None:
        """Removes what was made."""
        for client, path in reversed(self._made):
            try:
                client.request("DELETE", path, longest=10)
            except Unreachable:
                pass
        self._made.clear()

    # Waiting.

    def until(self, condition: Callable[[], Any], seconds: Optional[float] = None) -> Any:
        """Waits until something is so; gives what it was last."""
        ends = time.monotonic() + (self.options.settle if seconds is None else seconds)
        while True:
            found = condition()
            if found or time.monotonic() > ends:
                return found
            time.sleep(0.02)

    def quiet(self, uid: Optional[str] = None) -> None:
        """Waits until nothing has been told of an event for a moment."""

        def still() -> bool:
            last = max((call.at for call in self.standin.seen(uid=uid) if call.kind != "changes"), default=0.0)
            return time.monotonic() - last > self.options.quiet

        time.sleep(self.options.quiet)
        self.until(still)

    def run_command(self, command: str, **values: str) -> None:
        """Runs a command of the user's. Raises `NotSeen` where it fails."""
        for name, value in values.items():
            command = command.replace("{%s}" % name, value)
        try:
            done = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        except subprocess.TimeoutExpired as error:
            raise NotSeen("the command `%s` was not done after 60 seconds" % command) from error
        if done.returncode:
            said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()[-300:]
            raise NotSeen("the command `%s` failed (%d): %s" % (command, done.returncode, said))

    def restart(self) -> None:
        """Kills the server and starts it again."""
        if not self.options.restart_command:
            raise NotApplicable("no --restart-command was given")
        self.run_command(self.options.restart_command)
        if not self.until(self._is_up):
            raise NotSeen("the server does not answer after `%s`" % self.options.restart_command)

    def _is_up(self) -> bool:
        try:
            return self.dav.request("OPTIONS", self.options.calendar, longest=2).status < 500
        except Unreachable:
            return False

    # The hook.

    @contextmanager
    def behaving(self, **chosen: Any) -> Iterator[None]:
        """The stand-in behaves otherwise for a while."""
        before, self.model.behaviour = self.model.behaviour, Behaviour(**chosen)
        try:
            yield
        finally:
            self.model.behaviour = before

    @contextmanager
    def spoiled(self, matches: Callable[[Call], bool], spoil: Any, taken: bool = False, times: int = 1_000_000) -> Iterator[None]:
        """Calls are answered otherwise for a while."""
        fault = Fault(matches, spoil, taken, times)
        self.standin.faults.append(fault)
        try:
            yield
        finally:
            if fault in self.standin.faults:
                self.standin.faults.remove(fault)

    @contextmanager
    def down(self) -> Iterator[None]:
        """Nobody listens for a while."""
        self.standin.stop()
        try:
            yield
        finally:
            self.standin.start()

    @contextmanager
    def watching(self, *subjects: "Subject") -> Iterator[None]:
        """Each call about these events is written down with what was stored when it arrived."""
        paths = {subject.uid: subject for subject in subjects}

        def look(call: Call) -> None:
            if call.uid in paths and call.kind in ("announce", "stored", "report", "gone"):
                try:
                    call.seen = Seen(paths[call.uid].client.stored(paths[call.uid].path, longest=3.0))
                except Unreachable:
                    call.seen = None

        self.standin.watch = look
        try:
            yield
        finally:
            self.standin.watch = None

    def again(self) -> bool:
        """After an outage: saves until one is announced again. Whether that came to pass."""
        subject = self.fresh("again-" + uuid.uuid4().hex[:4])
        number = 0

        def announced() -> bool:
            nonlocal number
            number += 1
            subject.client.put(subject.path, texts.event(subject.uid, "Again %d" % number, ()))
            kinds = "stored" if self.options.one_beat else "announce"
            return bool(self.standin.seen(kinds, subject.uid))

        ends = time.monotonic() + self.options.settle
        while not announced():
            if time.monotonic() > ends:
                return False
            time.sleep(0.25)
        self.until(lambda: subject.difference() is None)
        return True

    def begin(self) -> None:
        """A check begins."""
        self._begun = time.monotonic()


@dataclass
class Seen:
    """What was stored under an event's path; ``None``: nothing."""

    text: Optional[str]


class Subject:
    """An event a check plays with."""

    def __init__(self, bench: Bench, uid: str, path: str, client: Client) -> None:
        self.bench, self.uid, self.path, self.client = bench, uid, path, client

    def text(self, summary: str, lines: Sequence[str] = (texts.WANTED,)) -> str:
        """A text of it."""
        return texts.event(self.uid, summary, lines)

    def put(self, text: str, headers: Optional[Dict[str, str]] = None) -> Answer:
        """Saves it. Raises `SaveFailed` where that does not go through."""
        try:
            answer = self.client.put(self.path, text, headers)
        except Unreachable as error:
            raise SaveFailed("the save was not answered: %s" % error) from error
        if not answer.ok:
            raise SaveFailed(
                "the server answered %d to the save of `%s`: %s" % (answer.status, self.path, answer.text.strip()[:200])
            )
        return answer

    def get(self) -> Answer:
        """Reads it."""
        return self.client.get(self.path)

    def stored(self) -> Optional[str]:
        """Its text at the server."""
        return self.client.stored(self.path)

    def delete(self) -> Answer:
        """Deletes it. Raises `SaveFailed` where that does not go through."""
        answer = self.client.request("DELETE", self.path)
        if not answer.ok:
            raise SaveFailed("the server answered %d to the DELETE of `%s`" % (answer.status, self.path))
        return answer

    def calls(self, kind: str = "", since: float = 0.0) -> List[Call]:
        """The calls about it."""
        return self.bench.standin.seen(kind, self.uid, since)

    def known(self) -> Optional[Event]:
        """What the stand-in knows of it."""
        account = self.bench.account or next((call.account for call in self.calls() if call.account), "")
        return self.bench.model.event(account, self.uid)

    @property
    def link(self) -> str:
        """Its link; empty where there is none."""
        known = self.known()
        return (known.link or "") if known else ""

    def linked(self) -> bool:
        """Whether the link stands in what is stored."""
        return bool(self.link) and texts.carries(self.stored(), self.link)

    def difference(self, objects: Optional[int] = None) -> Optional[str]:
        """How what the hook was told differs from what is stored; ``None``: not at all."""
        stored, known = self.stored(), self.known()
        told = known.text if known else None
        if known is not None and known.open():
            return "a save was announced and never reported"
        if texts.essence(stored) != texts.essence(told):
            return "stored is %s, told was %s" % (_short(stored), _short(told))
        count = (0 if stored is None else 1) if objects is None else objects
        if known is not None and len(known.objects) != count:
            return "the hook was told of the objects %s" % (known.objects or "none")
        return None

    def settled(self, objects: Optional[int] = None) -> Optional[str]:
        """Waits until there is no difference any more; gives the one that is left."""
        left = "it was not looked at"
        ends = time.monotonic() + self.bench.options.settle
        while left is not None and time.monotonic() < ends:
            try:
                left = self.difference(objects)
            except Unreachable as error:
                left = str(error)
            if left is not None:
                time.sleep(0.05)
        return left


def _short(text: Optional[str]) -> str:
    if text is None:
        return "nothing"
    return " and ".join("`%s`" % summary[:60] for _, summary, _ in texts.essence(text) or ()) or "no event"


def in_thread(work: Callable[[], Any]) -> Tuple[threading.Thread, List[Any]]:
    """Begins something; its result, or what it raised, stands in the list."""
    results: List[Any] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, results
