"""What goes on beside the requests: notes are worked off, late links are written back.

Two threads in one of the processes that share the spool. Both only ever tell what is stored at that moment.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Dict, List, Optional


from teams_mirror_radicale import stored
from teams_mirror_radicale.hook import Unanswered
from teams_mirror_radicale.log import logger
from teams_mirror_radicale.spool import Note

if TYPE_CHECKING:
    from teams_mirror_radicale.mirror import Mirror

#: In place of a lock, where there is no folder to hold one.
_NO_FOLDER = -1
#: How often a hook that does not answer is asked, and the folder is looked at for notes of other processes, in seconds.
_TICK = 0.5
#: How long a note that the hook could not take waits, at most, in seconds.
_LONGEST_WAIT = 60.0
#: How long to wait after something that should not happen, in seconds.
_PAUSE = 5.0
#: How long one request for changes waits, in seconds.
_POLL = 25
#: After this the changes are asked for from the beginning, in seconds.
_ANEW = 24 * 3600.0
#: An object that changes while it is told is told again, so often.
_ROUNDS = 5
#: Objects that are remembered because their links do not hold.
_REMEMBERED = 1000


class Worker:
    """Works off the notes of a spool, and writes links back."""

    def __init__(self, mirror: "Mirror") -> None:
        self._mirror = mirror
        self._process: Optional[int] = None
        self._starting = threading.Lock()
        self._lock: Optional[int] = None
        self._later: Dict[str, List[float]] = {}
        self._stuck: "OrderedDict[str, str]" = OrderedDict()

    def start(self) -> None:
        """Starts the threads, once in each process: a server that forks takes no threads along."""
        if self._process == os.getpid():
            return
        with self._starting:
            if self._process == os.getpid():
                return
            self._process, self._lock = os.getpid(), None
        threading.Thread(target=self._notes, name="teams-mirror-notes", daemon=True).start()
        threading.Thread(target=self._links, name="teams-mirror-links", daemon=True).start()

    def stop(self) -> None:
        """Ends the threads, each after what it is at."""
        self._process = None
        self._mirror.spool.left.set()

    def _notes(self) -> None:
        mine = os.getpid()
        while self._process == mine:
            self._mirror.spool.left.wait(_TICK)
            self._mirror.spool.left.clear()
            try:
                self._ask_if_down()
                if self._mirror.up and self._is_the_worker():
                    self._work_off()
            except Unanswered as error:
                self._mirror.unanswered(error)
                time.sleep(_TICK)
            except Exception as error:
                logger.error("teams-mirror: working off the notes failed, and is tried again: %s", error, exc_info=True)
                time.sleep(_TICK)

    def _ask_if_down(self) -> None:
        if not self._mirror.up:
            self._mirror.hook.probe()
            self._mirror.answers_again(self._mirror.spool.count())

    def _is_the_worker(self) -> bool:
        if self._lock is None:
            try:
                self._lock = self._mirror.spool.only_worker()
                if self._lock is not None:
                    self._mirror.spool.tidy()
            except OSError:
                # There are no notes then. Links can be written back by any number of processes: If-Match keeps them apart.
                self._lock = _NO_FOLDER
        return self._lock is not None

    def _work_off(self) -> None:
        now = time.monotonic()
        names = self._mirror.spool.names()
        self._later = {name: later for name, later in self._later.items() if name in set(names)} if self._later else {}
        for name in names:
            if self._later.get(name, [0.0])[0] > now:
                continue
            try:
                note = self._mirror.spool.take(name)
            except ValueError:
                logger.error("teams-mirror: the note `%s` cannot be read; it is kept as `%s`",
                             name, self._mirror.spool.set_aside(name))
                continue
            if note is not None:
                self._settle(note)

    def _settle(self, note: Note) -> None:
        """Tells what a note points at."""
        try:
            for noted in note.looks:
                if "collection" in noted:
                    self._look_through(noted)
            objects = [noted for noted in note.looks if "object" in noted]
            # What is there is told before what is gone: so a move never looks like an end.
            for noted in sorted(objects, key=lambda noted: not self._is_there(noted)):
                self._look(noted["account"], noted["uid"], noted["object"], noted.get("change"))
        except Unanswered as error:
            note.leave()
            if error.down:
                raise
            self._mirror.unanswered(error)
            self._wait_longer(note.name)
        except Exception as error:
            note.leave()
            logger.error("teams-mirror: the note `%s` failed, and is tried again: %s", note.name, error, exc_info=True)
            self._wait_longer(note.name)
        else:
            note.done()
            self._later.pop(note.name, None)

    def _wait_longer(self, name: str) -> None:
        waited = self._later.get(name, [0.0, _TICK])[1] * 2
        self._later[name] = [time.monotonic() + min(waited, _LONGEST_WAIT), min(waited, _LONGEST_WAIT)]

    def _is_there(self, noted: Dict[str, Any]) -> bool:
        found = self._mirror.stored.object(noted["object"])
        return found is not None and found.uid == noted["uid"]

    def _look_through(self, noted: Dict[str, Any]) -> None:
        account, collection = noted["account"], noted["collection"]
        now = self._mirror.stored.events(collection)
        if noted["imported"]:
            for uid, object_ in now:
                self._look(account, uid, object_, imported=True)
        there = set(now)
        for uid, object_ in noted["before"]:
            if (uid, object_) not in there:
                self._look(account, uid, object_)

    def _look(self, account: str, uid: str, object_: str, change: Optional[str] = None, imported: bool = False) -> None:
        """Tells what stands under a path. ``change``: an announced save that is thereby overtaken."""
        if self.tell(account, uid, object_, imported) is None:
            if change is not None:
                self._mirror.hook.report(account, uid, change, "refused")
            self._mirror.hook.gone(account, uid, object_)
        elif change is not None:
            self._mirror.hook.report(account, uid, change, "refused")

    def tell(self, account: str, uid: str, object_: str, imported: bool = False) -> Optional[str]:
        """Tells an object's text, until it was the stored one. Gives what the hook would have stored; ``None``: it is gone."""
        answered = None
        for _ in range(_ROUNDS):
            found = self._mirror.stored.object(object_)
            if found is None or found.uid != uid:
                return None
            answer = self._mirror.hook.tell(account, uid, found.text, object_, found.calendar, imported)
            if not answer.taken:
                self._mirror.refused(object_, answer)
                return found.text
            answered = answer.get("icalendar") if answer.status in (200, 202) else found.text
            now = self._mirror.stored.object(object_)
            if now is not None and now.etag == found.etag:
                return answered
        return answered

    def _links(self) -> None:
        mine = os.getpid()
        after, begun = None, time.monotonic()
        while self._process == mine:
            if self._lock is None or not self._mirror.up:
                time.sleep(_TICK)
                continue
            try:
                if time.monotonic() - begun > _ANEW:
                    after, begun = None, time.monotonic()
                answer = self._mirror.hook.changes(after, _POLL)
                if not answer.taken:
                    # The cursor is of another store.
                    after = None
                    time.sleep(_TICK)
                    continue
                for change in answer.get("changes") or ():
                    self._write_back(change)
                after = answer.get("cursor")
            except Unanswered as error:
                self._mirror.unanswered(error)
                time.sleep(_TICK)
            except Exception as error:
                logger.error("teams-mirror: writing links back failed, and is tried again: %s", error, exc_info=True)
                time.sleep(_PAUSE)

    def _write_back(self, change: Dict[str, Any]) -> None:
        account, uid = str(change.get("account")), str(change.get("uid"))
        for object_ in change.get("objects") or ():
            owner = stored.owner(object_)
            if self._mirror.account(owner) != account:
                logger.warning("teams-mirror: `%s` is not written back: it is not in the calendars of %s", object_, account)
                continue
            try:
                self._write_object(account, uid, object_, owner, change)
            except Unanswered as error:
                if error.down:
                    raise
                # It is offered again tomorrow, and at the next start; others need not wait for it.
                logger.error("teams-mirror: the link of `%s` could not be written back: %s", object_, error)
            except Exception as error:
                logger.error("teams-mirror: the link of `%s` could not be written back: %s", object_, error, exc_info=True)

    def _write_object(self, account: str, uid: str, object_: str, owner: str, change: Dict[str, Any]) -> None:
        found = self._mirror.stored.object(object_)
        if found is None or found.uid != uid:
            return
        amended = change.get("icalendar")
        if not amended or hashlib.sha256(found.text.encode("utf-8")).hexdigest() != change.get("replaces_sha256"):
            # Radicale keeps texts in a form of its own, so this is the usual way: what would the stored one have to be?
            answer = self._mirror.hook.tell(account, uid, found.text, object_, found.calendar, False)
            amended = answer.get("icalendar") if answer.status in (200, 202) else None
        if not amended or amended == found.text:
            return
        if self._stuck.get(object_) == found.etag:
            return
        status = self._mirror.stored.put_back(object_, owner, amended, found.etag)
        if status == 412:
            # Somebody saved meanwhile, and that save has put the link in.
            return
        if not 200 <= status < 300:
            logger.error("teams-mirror: the link of `%s` could not be written back: Radicale answers %d to its owner `%s`",
                         object_, status, owner)
            return
        wanted, now = self.tell(account, uid, object_), self._mirror.stored.object(object_)
        if wanted is not None and now is not None and wanted != now.text:
            logger.error("teams-mirror: Radicale did not keep the link of `%s` as it was written", object_)
            # The hook goes on offering it; trying again would give the same.
            self._stuck[object_] = now.etag
            while len(self._stuck) > _REMEMBERED:
                self._stuck.popitem(last=False)
