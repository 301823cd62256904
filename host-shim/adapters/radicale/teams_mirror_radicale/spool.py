"""Notes on disk, of what the hook has to be told.

A note says *where to look*, not what was done: an account, an event's UID and an object's path, or a collection. Whoever works
a note off looks at what the storage holds then and tells that. So notes may be worked off in any order and any number of times,
and what is told is always the newest.

A note is written, durably, before the storage is changed, and taken back when the hook knows. What a killed process leaves is
therefore complete, whenever it was killed. One note is one file; while its operation goes on, the file is locked, and the lock
ends with the process.

However often an object is saved while the hook is down, one note of it waits: whoever works that off finds the newest state.
And no account has more notes than there is room left, so that one of them alone never takes the others' room.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import threading
import time
import uuid
from collections import Counter
from typing import Any, Dict, List, Optional, Set, Tuple

_ENDING = ".json"
_BEGUN = ".begun-"
#: How old the figures may be by which notes are refused, in seconds.
_FRESH = 1.0
#: Where counting takes long, because there are very many, they may be so many times older than that takes.
_RARELY = 10.0


class SpoolFull(Exception):
    """As many notes as may be kept are there."""


class ShareFull(SpoolFull):
    """As many notes as one account may have are there."""


class Note:
    """One note, held by whoever works on it."""

    def __init__(self, spool: "Spool", name: str, descriptor: int, looks: List[Dict[str, Any]], fresh: bool = False) -> None:
        self._spool = spool
        self._fresh = fresh
        self._descriptor: Optional[int] = descriptor
        #: The file's name; begins with the time.
        self.name = name
        #: Where to look; see `look` and `look_through`.
        self.looks = looks

    def done(self) -> None:
        """The hook knows."""
        self._remove()

    def leave(self) -> None:
        """The hook does not know yet: the worker's turn."""
        if self._fresh and self._spool.waits_already(self):
            self._remove()
        else:
            self._close()
        self._spool.left.set()

    def _remove(self) -> None:
        try:
            os.unlink(os.path.join(self._spool.folder, self.name))
        except FileNotFoundError:
            pass
        self._close()
        self._spool.let_go(self.name)

    def release(self) -> None:
        """Lets go of it, as it was."""
        self._close()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def look(account: str, uid: str, object_: str, change: Optional[str] = None) -> Dict[str, Any]:
    """What stands under a path? ``change``: an announced save that may be open."""
    noted = {"account": account, "uid": uid, "object": object_}
    if change:
        noted["change"] = change
    return noted


def look_through(account: str, collection: str, before: List[List[str]], imported: bool) -> Dict[str, Any]:
    """What is in a collection? ``before``: UID and path of what was in it. ``imported``: what is in it now is told, too."""
    return {"account": account, "collection": collection, "before": before, "imported": imported}


class Spool:
    """The folder with the notes."""

    def __init__(self, folder: str, limit: int) -> None:
        self.folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        # What is there, as of a moment ago: notes, how many are whose, and which of them waits for what.
        self._counted, self._took = 0.0, 0.0
        self._known: Set[str] = set()
        self._shares: "Counter[str]" = Counter()
        self._waiting: Dict[str, str] = {}
        # Notes of operations that go on in this process. They do not wait yet.
        self._held: Set[str] = set()
        #: Set when there may be something to work off.
        self.left = threading.Event()

    def make(self, only_look: bool = False) -> None:
        """Makes the folder, for its owner alone, or only sees whether it could be. Raises `OSError` where it cannot."""
        if only_look:
            there = os.path.abspath(self.folder)
            while not os.path.exists(there) and there != os.path.dirname(there):
                there = os.path.dirname(there)
            if not os.path.isdir(there):
                raise OSError(errno.ENOTDIR, "`%s` is no folder" % there)
            if not os.access(there, os.W_OK | os.X_OK):
                raise OSError(errno.EACCES, "`%s` is not writable" % there)
            return
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        probe = os.path.join(self.folder, _BEGUN + uuid.uuid4().hex)
        with open(probe, "x", encoding="ascii"):
            pass
        os.unlink(probe)
        # Beside the collections a storage hook may commit whatever it finds (`git add -A`); notes are no part of them.
        ignored = os.path.join(self.folder, ".gitignore")
        if not os.path.exists(ignored):
            with open(ignored, "w", encoding="ascii") as file:
                file.write("*\n")

    def note(self, looks: List[Dict[str, Any]]) -> Note:
        """Writes a note. Raises `OSError`, `SpoolFull` or `ShareFull`: then nothing is noted."""
        account = looks[0]["account"] if looks else ""
        share = _digest(account)
        with self._lock:
            self._look(_FRESH)
            free = self._limit - len(self._known)
            if free <= 0:
                raise SpoolFull("%d notes are there, and `spool_limit` allows no more" % len(self._known))
            if self._shares[share] >= free:
                raise ShareFull(
                    "%d notes of %s are there, and the room left is for the others" % (self._shares[share], account))
        name = "%020d-%s-%s-%s%s" % (time.time_ns(), uuid.uuid4().hex[:8], share, _merged_as(looks), _ENDING)
        begun = os.path.join(self.folder, _BEGUN + name)
        with self._lock:
            self._held.add(name)
        try:
            descriptor = os.open(begun, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except BaseException:
            self.let_go(name)
            raise
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            written = memoryview(json.dumps(looks).encode("ascii"))
            while written:
                written = written[os.write(descriptor, written):]
            os.fsync(descriptor)
            os.rename(begun, os.path.join(self.folder, name))
            self._settle_folder()
        except BaseException:
            os.close(descriptor)
            self.let_go(name)
            for path in (begun, os.path.join(self.folder, name)):
                try:
                    os.unlink(path)
                except OSError:
                    pass
            raise
        return Note(self, name, descriptor, looks, fresh=True)

    def waits_already(self, note: Note) -> bool:
        """Whether a note that says the same waits, and nobody works on it yet: whoever will, finds what this one is about.

        If not, this one waits from now on.
        """
        merged = _parts(note.name)[1]
        with self._lock:
            self._look(_FRESH)
            other = self._waiting.get(merged) if merged else None
        if other is not None:
            try:
                waiting = self.take(other)
            except (OSError, ValueError):
                waiting = None
            if waiting is not None:
                # Held for this moment, so nobody has begun with it.
                same = waiting.looks == note.looks
                waiting.release()
                if same:
                    return True
        with self._lock:
            self._held.discard(note.name)
            self._add(note.name)
        return False

    def let_go(self, name: str) -> None:
        """A note of this process is no more."""
        with self._lock:
            self._held.discard(name)

    def _look(self, at_most_old: float) -> None:
        """Counts anew what is there, unless the figures are younger. Under the lock."""
        now = time.monotonic()
        if self._counted and now - self._counted < at_most_old * max(1.0, _RARELY * self._took):
            return
        self._counted = now
        self._known.clear()
        self._shares.clear()
        self._waiting.clear()
        for name in self.names():
            self._add(name)
        self._took = time.monotonic() - now

    def _add(self, name: str) -> None:
        share, merged = _parts(name)
        if name not in self._known:
            self._known.add(name)
            self._shares[share] += 1
        if merged and name not in self._held:
            # The last one: an older one may be worked on just now.
            self._waiting[merged] = name

    def names(self) -> List[str]:
        """All notes, oldest first; those held by operations included. None where the folder cannot be read."""
        try:
            return sorted(name for name in os.listdir(self.folder) if name.endswith(_ENDING) and name[0] != ".")
        except OSError:
            return []

    def count(self, at_most_old: float = 0.0) -> int:
        """How many notes there are; the figure may be so many seconds old."""
        with self._lock:
            self._look(at_most_old)
            return len(self._known)

    def take(self, name: str) -> Optional[Note]:
        """Takes a note that nobody holds. Raises `ValueError` where it cannot be read."""
        try:
            descriptor = os.open(os.path.join(self.folder, name), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            gone = os.fstat(descriptor).st_nlink == 0
            looks = [] if gone else json.loads(_whole(descriptor))
        except OSError as error:
            os.close(descriptor)
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return None
            raise
        except BaseException:
            os.close(descriptor)
            raise
        if gone:
            os.close(descriptor)
            return None
        return Note(self, name, descriptor, looks)

    def set_aside(self, name: str) -> str:
        """A note that cannot be read is kept for a person to look at. Gives its new name."""
        aside = name + ".unreadable"
        os.rename(os.path.join(self.folder, name), os.path.join(self.folder, aside))
        return aside

    def tidy(self) -> None:
        """Removes what was begun by processes that are gone; such notes were of operations that did not begin."""
        for name in os.listdir(self.folder):
            if name.startswith(_BEGUN) and self._abandoned(name):
                try:
                    os.unlink(os.path.join(self.folder, name))
                except FileNotFoundError:
                    pass

    def _abandoned(self, name: str) -> bool:
        try:
            descriptor = os.open(os.path.join(self.folder, name), os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return time.time() - os.fstat(descriptor).st_mtime > 60
        except OSError:
            return False
        finally:
            os.close(descriptor)

    def only_worker(self) -> Optional[int]:
        """Of all processes that share the folder one works the notes off: gives the lock that says so, or ``None``."""
        descriptor = os.open(os.path.join(self.folder, "worker.lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        return descriptor

    def _settle_folder(self) -> None:
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _merged_as(looks: List[Dict[str, Any]]) -> str:
    """What notes have in common of which one is enough; empty where each counts: one that is about more than one object, or
    about an announced save, which has to be closed."""
    if len(looks) != 1 or "object" not in looks[0] or "change" in looks[0]:
        return ""
    return _digest(json.dumps(looks[0], sort_keys=True))


def _parts(name: str) -> Tuple[str, str]:
    """Of a note's name, whose share it counts for and what it may be merged with."""
    parts = name[:-len(_ENDING)].split("-")
    return (parts[2], parts[3]) if len(parts) == 4 else ("", "")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _whole(descriptor: int) -> bytes:
    parts: List[bytes] = []
    while True:
        part = os.read(descriptor, 1 << 20)
        if not part:
            return b"".join(parts)
        parts.append(part)
