"""What Radicale's storage holds, and how a text gets back into it.

Reads go through the interface of Radicale's storage plugins, under its lock for readers, and never while the hook is asked.
The way back is Radicale's own PUT, as the calendar's owner and with If-Match: so Radicale checks rights and preconditions under
its lock, runs its hooks and renews its caches as for any save, and it makes no difference how users log in.
"""

from __future__ import annotations

import inspect
import io
import posixpath
import sys
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from radicale import pathutils
from radicale.app import Application as Radicale
from radicale.app.base import Access

from teams_mirror_radicale import ical
from teams_mirror_radicale.settings import SettingsError

#: What Radicale's versions have to be told for a question about rights.
_ASKED_WITH = {"rights", "user", "user_groups", "path", "permissions_filter"}


@dataclass(frozen=True)
class Calendar:
    """A collection as the hook is told of it."""

    path: str
    #: What its user calls it; ``None``: it has no name.
    name: Optional[str]


@dataclass(frozen=True)
class Object:
    """A calendar object as it is stored."""

    text: str
    etag: str
    calendar: Calendar

    @property
    def uid(self) -> Optional[str]:
        """The UID of the event it is; ``None`` where it is no event."""
        return ical.event_uid(self.text)


@dataclass(frozen=True)
class Place:
    """What stands under a path, and around it."""

    #: The object; ``None``: there is none.
    object: Optional[Object]
    #: Whether the path is a collection.
    is_collection: bool
    #: Whether the path, where it is no object, can only become a collection.
    becomes_collection: bool
    #: The parent's kind: ``VCALENDAR``, ``VADDRESSBOOK``, empty, or ``None`` where there is no parent.
    parent_tag: Optional[str]
    #: The parent.
    calendar: Calendar


class Rights:
    """What a user may do under a path, asked as Radicale's own methods ask it: of the rights alone, whatever is stored."""

    def __init__(self, accesses: List[Access]) -> None:
        self._accesses = accesses

    def any(self) -> bool:
        """What Radicale asks before it reads a body or looks into its storage."""
        return any(access.check("w") for access in self._accesses)

    def object(self) -> bool:
        """Whether an object may be written or removed there."""
        return any("w" in access.parent_permissions for access in self._accesses)

    def collection(self) -> bool:
        """Whether a collection may be written or removed there."""
        return any(not {"w", "W"}.isdisjoint(access.permissions) for access in self._accesses)


class Stored:
    """The storage of one of Radicale's applications.

    Raises `SettingsError` with a Radicale that asks for rights in a new way.
    """

    def __init__(self, application: Radicale) -> None:
        self._asked_with = known_rights()
        self._application = application
        self._storage = application._storage
        # What Radicale hands to `do_PUT` and its like after the user, by name; it differs between versions.
        self._further = list(inspect.signature(Radicale.do_PUT).parameters)[5:]

    def object(self, path: str) -> Optional[Object]:
        """The object under a path."""
        with self._storage.acquire_lock("r"):
            return self._object(self._discover(path), path)

    def place(self, path: str) -> Place:
        """What a save to a path would meet."""
        parent_path = _parent(path)
        with self._storage.acquire_lock("r"):
            item = self._discover(path)
            parent = self._discover(parent_path) if parent_path != path else None
            found = self._object(item, path)
            calendar = _calendar(parent, path)
            tag = (parent.tag or "") if _is_collection(parent) else None
        return Place(found, _is_collection(item), tag == "" and found is None, tag, calendar)

    def uid_taken(self, path: str, uid: str) -> bool:
        """Whether another object beside this path has the UID; Radicale refuses such a save."""
        with self._storage.acquire_lock("r"):
            parent = self._discover(_parent(path))
            return _is_collection(parent) and parent.has_uid(uid)

    def events(self, path: str) -> List[Tuple[str, str]]:
        """UID and path of each event in a collection, and in the collections it holds."""
        texts = []
        waiting = [path]
        with self._storage.acquire_lock("r"):
            while waiting:
                at = pathutils.unstrip_path(pathutils.strip_path(waiting.pop()), True)
                collection = self._discover(at)
                if not _is_collection(collection):
                    continue
                if collection.tag == "VCALENDAR":
                    texts.extend((item.serialize(), _path(collection.path, item.href)) for item in collection.get_all())
                elif not collection.tag:
                    children = list(self._storage.discover(at, "1"))[1:]
                    waiting.extend(_path(child.path, "") for child in children if _is_collection(child))
        # Read when nobody has to wait for it any more.
        uids = ((ical.event_uid(text), object_) for text, object_ in texts)
        return [(uid, object_) for uid, object_ in uids if uid]

    def rights(self, path: str, user: str, further: Tuple[Any, ...], share: Optional[Dict[str, Any]]) -> Rights:
        """What this user may do under a path; with a share, what the share lets do under the path it stands for.

        Costs no look into the storage. A user who did not log in is the empty name here as everywhere in Radicale.
        """
        groups = dict(zip(self._further, further)).get("user_groups") or set()
        given = {"rights": self._application._rights, "user_groups": groups}
        asked = [{"user": user, "path": path, "permissions_filter": None}] if not share or share["PathMapped"] == path else []
        if share:
            asked.append({"user": share["Owner"], "path": share["PathMapped"], "permissions_filter": share["Permissions"]})
        return Rights([
            Access(**{name: value for name, value in {**given, **one}.items() if name in self._asked_with}) for one in asked])

    def put_back(self, path: str, owner: str, text: str, etag: str) -> int:
        """Stores a text over the one with this ETag, as its owner. Gives Radicale's status; 412: the object changed."""
        content = text.encode("utf-8")
        environ = {
            "REQUEST_METHOD": "PUT", "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": "",
            "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": "text/calendar; charset=utf-8", "CONTENT_LENGTH": str(len(content)), "HTTP_IF_MATCH": etag,
            "wsgi.input": io.BytesIO(content), "wsgi.errors": sys.stderr, "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0), "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
        }
        further = {
            "user_groups": set(),
            "request_info": {
                "method": "PUT", "login": owner, "path": path, "useragent": "teams-mirror", "host": "localhost"},
        }
        return Radicale.do_PUT(
            self._application, environ, "", path, owner, *(further.get(name) for name in self._further))[0]

    def share(self, path: str, user: str, further: Tuple[Any, ...]) -> Optional[Dict[str, Any]]:
        """What a path stands for that somebody shared with this user (Radicale 3.7 and later)."""
        sharing = getattr(self._application, "_sharing", None)
        if sharing is None or not getattr(sharing, "_enabled", False):
            return None
        resolve = sharing.sharing_collection_resolver
        named = dict(zip(self._further, further))
        if "user_groups" in inspect.signature(resolve).parameters:
            return resolve(path, user, named.get("user_groups") or set())
        from radicale import sharing as module
        groups = getattr(self._application._rights, "_user_groups", None)
        if groups and hasattr(module, "SHARING_SEPARATOR_GROUP"):
            user += module.SHARING_SEPARATOR_GROUP + ",".join(groups)
        return resolve(path, user)

    def _discover(self, path: str) -> Any:
        return next(iter(self._storage.discover(path)), None)

    @staticmethod
    def _object(item: Any, path: str) -> Optional[Object]:
        if item is None or _is_collection(item):
            return None
        return Object(item.serialize(), item.etag, _calendar(item.collection, path))


def _is_collection(item: Any) -> bool:
    return item is not None and hasattr(item, "get_all")


def _parent(path: str) -> str:
    return pathutils.unstrip_path(posixpath.dirname(pathutils.strip_path(path)), True)


def _path(collection: str, href: str) -> str:
    return "/" + posixpath.join(collection, href)


def owner(path: str) -> str:
    """Whose calendars a path leads to: Radicale keeps them under their owner's name."""
    return path.strip("/").split("/", 1)[0]


def _calendar(collection: Any, path: str) -> Calendar:
    """The collection an object's path leads to."""
    name = collection.get_meta("D:displayname") if _is_collection(collection) else None
    return Calendar(_parent(path), name or None)


def known_rights() -> List[str]:
    """What this version of Radicale has to be told for a question about rights. Raises `SettingsError` where that is new."""
    parameters = inspect.signature(Access).parameters
    if any(name not in _ASKED_WITH and parameter.default is parameter.empty for name, parameter in parameters.items()):
        raise SettingsError("this version of Radicale asks for rights in a way that this adapter does not know; use a newer "
                            "adapter, or a version of Radicale that its page names")
    return [name for name in parameters if name in _ASKED_WITH]
