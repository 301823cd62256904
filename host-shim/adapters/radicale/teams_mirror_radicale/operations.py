"""What happens around one request that changes a calendar.

Whoever may not write is Radicale's to refuse: the right is asked for before anything is read, looked at or noted, as Radicale
itself does.

A note is on disk before Radicale stores anything (see `spool`). A save of one event has two beats: the hook is asked for the
text to store, and told what became of it. For everything else, and for saves that cannot have a first beat, the note is left to
the worker, which looks at what is stored and tells that: a moment later, or when the hook answers again.
"""

from __future__ import annotations

import io
import time
import uuid
from typing import Any, Callable, Dict, List, Optional, Tuple
from urllib.parse import unquote, urlparse

from radicale import httputils, pathutils

from teams_mirror_radicale import ical, stored
from teams_mirror_radicale.hook import LARGEST, Answer, Unanswered
from teams_mirror_radicale.log import logger
from teams_mirror_radicale.mirror import Mirror
from teams_mirror_radicale.spool import Note, ShareFull, SpoolFull, look, look_through

#: Less than this is too little for a report; the worker makes it then. In seconds.
_SHORTEST = 0.2
#: What validates the text a client sent, and not the one that was stored (RFC 4791 section 5.3.4).
_VALIDATORS = ("etag", "last-modified")


class Operation:
    """A change that is told after it happened."""

    def __init__(self, mirror: Mirror, note: Optional[Note]) -> None:
        self._mirror = mirror
        self._note = note

    def answered(self, answer: Any) -> Any:
        """Radicale's answer is there. Gives the one for the client."""
        if _succeeded(answer):
            self.unknown()
        else:
            self._done()
        return answer

    def unknown(self) -> None:
        """Nobody knows what became of it; whoever looks will see."""
        if self._note is not None:
            self._note.leave()

    def _done(self) -> None:
        if self._note is not None:
            self._note.done()


class Save(Operation):
    """A save of one event, announced."""

    def __init__(self, mirror: Mirror, note: Optional[Note], where: Dict[str, str], environ: Dict[str, Any],
                 content: bytes, text: str, announced: Answer, change: str, patience: float) -> None:
        """``patience``: the seconds that are left to wait for the hook in."""
        super().__init__(mirror, note)
        self._patience = patience
        self._account, self._uid, self._object = where["account"], where["uid"], where["object"]
        self._environ = environ
        self._original = content
        self._type = environ.get("CONTENT_TYPE")
        self._text = text
        self._change = change
        ours = announced.status in (200, 202)
        answered = announced.get("icalendar") if ours else None
        self._recorded = ours and announced.get("change") != "unrecorded"
        #: What is to be stored in place of the client's text; ``None``: the client's.
        self.amended: Optional[str] = answered if isinstance(answered, str) and answered != text else None
        self._result = "stored"

    def store(self, store: Callable[[], Any]) -> Any:
        """Has Radicale store the answered text; the client's own, should Radicale not like the answered one."""
        if self.amended is None:
            return store()
        self._body(self.amended.encode("utf-8"), "text/calendar; charset=utf-8")
        answer = store()
        if not _succeeded(answer):
            amended, self.amended, self._result = self.amended, None, "stored-original"
            self._body(self._original, self._type)
            answer = store()
            if _succeeded(answer):
                logger.error("teams-mirror: Radicale stores `%s` as it was sent, but not with the %d characters of the "
                             "join link", self._object, len(amended) - len(self._text))
        return answer

    def answered(self, answer: Any) -> Any:
        if not self._recorded:
            self._done()
        elif not _succeeded(answer):
            self._report("refused")
        else:
            self._report(self._result, _header(answer, "etag"))
        return answer if self.amended is None else _without(answer, _VALIDATORS)

    def _report(self, result: str, etag: Optional[str] = None) -> None:
        if self._patience < _SHORTEST and self._note is not None:
            self.unknown()
            return
        try:
            answer = self._mirror.hook.report(
                self._account, self._uid, self._change, result, max(self._patience, _SHORTEST))
        except Unanswered as error:
            self._mirror.unanswered(error)
            self.unknown()
            return
        if answer.taken and (result == "refused" or self._is_stored(etag)):
            self._done()
        else:
            self.unknown()

    def _is_stored(self, etag: Optional[str]) -> bool:
        """Whether what was reported is what is stored: another save may have come between, and Radicale may have read the text
        in its own way, as one with a comma that is not escaped."""
        now = self._mirror.stored.object(self._object)
        given = self._text if self.amended is None else self.amended
        return now is not None and now.etag == etag and ical.event_lines(now.text) == ical.event_lines(given)

    def _body(self, content: bytes, kind: Optional[str]) -> None:
        self._environ["wsgi.input"] = io.BytesIO(content)
        self._environ["CONTENT_LENGTH"] = str(len(content))
        self._environ["CONTENT_TYPE"] = kind or ""


def saved(mirror: Mirror, environ: Dict[str, Any], length: int, path: str, user: str,
          further: Tuple[Any, ...]) -> Optional[Operation]:
    """PUT: of one event, or of a whole collection. ``length``: the octets of the body, more than 0."""
    target = mirror.whose(path, user, further)
    path, account = target.path, target.account
    if account is None or not target.rights.any():
        return None
    place = mirror.stored.place(path)
    if place.is_collection or place.becomes_collection:
        return collection_changed(mirror, account, path, imported=True) if target.rights.collection() else None
    if place.parent_tag != "VCALENDAR" or not target.rights.object():
        return None
    before = place.object.uid if place.object else None
    if length > LARGEST:
        return _noted(mirror, [look(account, before, path)]) if before else None
    content = _read(environ, length)
    if len(content) < length:
        # It broke off; Radicale says so.
        return None
    text = httputils.decode_request(mirror.configuration, environ, content)
    uid = ical.event_uid(text)
    if uid is None:
        # A task in the place of an event, perhaps. Most likely Radicale will not have it.
        return _noted(mirror, [look(account, before, path)]) if before else None
    if before not in (None, uid) or _precondition_fails(mirror, environ, place):
        return None
    # Radicale looks through the whole calendar for this, and so do we, but only where a meeting is asked for: that costs more.
    # A meeting that a default gives to a save which is then refused goes with its report.
    if place.object is None and _mentions_teams(text) and mirror.stored.uid_taken(path, uid):
        return None
    if environ.get("HTTP_IF_MATCH") == "*" or not mirror.up:
        return _noted(mirror, [look(account, uid, path)])
    return _announced(
        mirror, environ, {"account": account, "uid": uid, "object": path}, place.calendar, content, text)


def _announced(mirror: Mirror, environ: Dict[str, Any], where: Dict[str, str], calendar: stored.Calendar, content: bytes,
               text: str) -> Operation:
    change = uuid.uuid4().hex
    note = _note(mirror, [look(where["account"], where["uid"], where["object"], change)])
    try:
        begun = time.monotonic()
        with mirror.waits() as waits:
            answer = mirror.hook.announce(
                where["account"], where["uid"], text, where["object"], calendar, change,
                mirror.settings.patience, waits)
    except Unanswered as error:
        mirror.unanswered(error)
        return Operation(mirror, note)
    except BaseException:
        if note is not None:
            note.leave()
        raise
    if not answer.taken:
        mirror.refused(where["object"], answer)
    left = mirror.settings.patience - (time.monotonic() - begun)
    return Save(mirror, note, where, environ, content, text, answer, change, left)


def deleted(mirror: Mirror, path: str, user: str, further: Tuple[Any, ...]) -> Optional[Operation]:
    """DELETE: of an object, or of a collection with all it holds."""
    target = mirror.whose(path, user, further)
    path, account = target.path, target.account
    if account is None or not target.rights.any():
        return None
    place = mirror.stored.place(path)
    if place.is_collection:
        return collection_changed(mirror, account, path, imported=False) if target.rights.collection() else None
    uid = place.object.uid if place.object and target.rights.object() else None
    return _noted(mirror, [look(account, uid, path)]) if uid else None


def collection_changed(mirror: Mirror, account: str, path: str, imported: bool) -> Optional[Operation]:
    """A whole collection is replaced or removed."""
    before = [[uid, object_] for uid, object_ in mirror.stored.events(path)]
    if not before and not imported:
        return None
    return _noted(mirror, [look_through(account, path, before, imported)])


def moved(mirror: Mirror, environ: Dict[str, Any], base_prefix: str, path: str, user: str,
          further: Tuple[Any, ...]) -> Optional[Operation]:
    """MOVE: of an object."""
    source = mirror.whose(path, user, further)
    if not source.rights.object():
        return None
    named = _destinations(environ.get("HTTP_DESTINATION", ""), base_prefix)
    targets = [target for target in (mirror.whose(name, user, further) for name in named) if target.rights.object()]
    if not targets:
        return None
    found = mirror.stored.object(source.path)
    uid = found.uid if found else None
    if uid is None:
        return None
    looks = [look(source.account, uid, source.path)] if source.account else []
    looks += [look(target.account, uid, target.path) for target in targets if target.account and target.path != source.path]
    return _noted(mirror, looks) if looks else None


def _destinations(raw: str, base_prefix: str) -> List[str]:
    """The path a MOVE leads to. Radicale's versions differ in when they decode it; looking at a path too many does no harm."""
    paths = []
    for decoded in (urlparse(unquote(raw)).path, unquote(urlparse(raw).path), urlparse(raw).path):
        path = pathutils.sanitize_path(decoded)
        if (path + "/").startswith(base_prefix + "/"):
            path = path[len(base_prefix):]
            if path not in paths:
                paths.append(path)
    return paths


def _precondition_fails(mirror: Mirror, environ: Dict[str, Any], place: stored.Place) -> bool:
    """Whether Radicale will answer 412; then nothing may be made at Microsoft."""
    if_match = environ.get("HTTP_IF_MATCH", "")
    if place.object is None:
        return bool(if_match)
    if if_match and if_match not in ("*", place.object.etag):
        return True
    if not if_match and mirror.strict_preconditions:
        return True
    return environ.get("HTTP_IF_NONE_MATCH", "") == "*"


def _mentions_teams(text: str) -> bool:
    """Whether the text may ask for a meeting, by ``X-TEAMS-MEETING`` or by the lines of another event's link."""
    return "teams" in text.lower()


def _noted(mirror: Mirror, looks: List[Dict[str, Any]]) -> Operation:
    return Operation(mirror, _note(mirror, looks))


def _note(mirror: Mirror, looks: List[Dict[str, Any]]) -> Optional[Note]:
    """Without a note the save goes on all the same; only what happens to the hook or to this process is lost then."""
    try:
        return mirror.spool.note(looks)
    except ShareFull as error:
        mirror.loudly(
            "share", "teams-mirror: not everything is noted: %s. What this user saves besides while teams-mirror does not answer "
            "will be missing in Teams until its next save; `spool_limit` can be raised" % error)
        return None
    except (OSError, SpoolFull) as error:
        mirror.loudly(
            "spool", "teams-mirror: nothing can be noted in `%s` (%s); what is saved while teams-mirror does not answer "
            "will be missing in Teams until its next save" % (mirror.spool.folder, error))
        return None


class _Broken(io.RawIOBase):
    """A body that could not be read; whoever reads it again meets the same."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    def read(self, size: int = -1) -> bytes:
        raise self._error


def _read(environ: Dict[str, Any], length: int) -> bytes:
    """Reads the body and leaves it for Radicale to read."""
    try:
        content = environ["wsgi.input"].read(length)
    except BaseException as error:
        environ["wsgi.input"] = _Broken(error)
        raise
    environ["wsgi.input"] = io.BytesIO(content)
    return content


def _succeeded(answer: Any) -> bool:
    return 200 <= answer[0] < 300


def _header(answer: Any, name: str) -> Optional[str]:
    return next((value for known, value in dict(answer[1]).items() if known.lower() == name), None)


def _without(answer: Any, names: Tuple[str, ...]) -> Any:
    status, headers, *rest = answer
    return (status, {name: value for name, value in dict(headers).items() if name.lower() not in names}, *rest)
