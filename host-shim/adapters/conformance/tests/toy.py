"""A CalDAV server for one user that keeps texts octet by octet, with an adapter that conforms, unless it is told to break.

It does what Radicale does not: it copies under the same UID, lets another UID overwrite an object, returns representations, has
drafts, and changes events by itself. The adapter is as small as one can be: its notes live in memory.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, List, Optional, Set, Tuple
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from kit import texts

ACCOUNT = "alice@test.tld"
_PATIENCE = 2.0


class Unanswered(Exception):
    """The hook gave no answer that counts."""


class Store:
    """Paths and texts."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.texts: Dict[str, str] = {}
        self.collections = {"/", "/alice/", "/alice/work/"}

    def etag(self, path: str) -> Optional[str]:
        """Of what stands there."""
        text = self.texts.get(path)
        return None if text is None else '"%s"' % hashlib.sha256(text.encode()).hexdigest()[:20]


class Adapter:
    """Tells the hook what the store does."""

    def __init__(self, store: Store, hook: str, secret: str, broken: str, one_beat: bool) -> None:
        self._store, self._hook, self._secret, self.broken, self.one_beat = store, hook, secret, broken, one_beat
        self._noted: Set[Tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._down_until = 0.0
        self.closed = False
        for work in (self._work_off, self._write_back):
            threading.Thread(target=work, daemon=True).start()

    def save(self, path: str, text: str, old: Optional[str], store: Any) -> Tuple[str, bool]:
        """Both beats around a store. Gives what was stored, and whether that is another text than the client's."""
        uid = _uid(text)
        if old not in (None, uid) and self.broken != "forgets-the-overwritten":
            self.note(old, path)
        if uid is None:
            if self.broken == "amends-tasks" and "VTODO" in text:
                text = text.replace("END:VTODO", "URL:https://teams.microsoft.com/l/meetup-join/mine/0\r\nEND:VTODO")
            store(text)
            return text, False
        if (
            self.one_beat
            or time.monotonic() < self._down_until
            or (old is not None and self.broken == "announces-only-what-is-new")
        ):
            store(text)
            self.note(uid, path)
            return text, False
        change = "shared" if self.broken == "mixes-up-changes" else uuid.uuid4().hex
        query = {"object": path, "calendar": path.rsplit("/", 1)[0] + "/", "change": change}
        answered, recorded, known = text, False, True
        ends = time.monotonic() + _PATIENCE
        try:
            status, answer = self.call("PUT", _event(uid), query, text, "wait=1")
            if status in (200, 202):
                answered, recorded = answer["icalendar"], answer["change"] != "unrecorded"
        except Unanswered:
            known = False
        if self.broken == "gives-the-link-only-once" and "teams.microsoft.com" not in text and old is not None:
            answered = text
        with self._store.lock:
            store(answered)
            etag = self._store.etag(path)
        if not known:
            self.note(uid, path)
        elif recorded:
            try:
                result = {"change": change, "result": "stored"}
                self.call("POST", _event(uid) + "/stored", {}, json.dumps(result), None, max(ends - time.monotonic(), 0.2))
            except Unanswered:
                self.note(uid, path)
            if self._store.etag(path) != etag:
                # Another save came between the store and the report.
                self.note(uid, path)
        return answered, answered != text

    def note(self, uid: Optional[str], path: str) -> None:
        """Something has to be told: what stands there then."""
        if uid is not None:
            with self._lock:
                self._noted.add((uid, path))

    def draft(self, uid: str, discard: bool) -> None:
        """Add Teams before saving."""
        if discard:
            if self.broken != "forgets-discarded-drafts":
                self.call("DELETE", _event(uid), {"draft": "true"})
            return
        query = {"meeting": "wanted", **({} if self.broken == "saves-drafts" else {"draft": "true"})}
        self.call("PUT", _event(uid), query, texts.event(uid, "Draft", ()))

    def call(
        self,
        method: str,
        path: str,
        query: Dict[str, str],
        body: str = "",
        prefer: Optional[str] = None,
        patience: float = _PATIENCE,
    ) -> Tuple[int, Any]:
        """One call. Raises `Unanswered`."""
        headers = {
            "Authorization": "Bearer " + self._secret,
            "Content-Type": "application/json" if method == "POST" else "text/calendar; charset=utf-8",
            **({"Prefer": prefer} if prefer else {}),
        }
        parts = urlsplit(self._hook)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=patience)
        try:
            connection.request(
                method, path + ("?" + urlencode(query, quote_via=quote) if query else ""), body.encode() or None, headers
            )
            response = connection.getresponse()
            content = response.read()
            if response.status >= 500 or response.status in (302, 401):
                raise Unanswered(str(response.status))
            answer = json.loads(content) if content and response.headers.get_content_type().endswith("json") else None
            if (
                method == "PUT"
                and response.status in (200, 202)
                and not isinstance(answer.get("icalendar") if isinstance(answer, dict) else None, str)
            ):
                raise Unanswered("no text")
            return response.status, answer
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._down_until = time.monotonic() + 0.5
            raise Unanswered(str(error)) from error
        finally:
            connection.close()

    def _work_off(self) -> None:
        while not self.closed:
            time.sleep(0.05)
            # What is there is told before what is gone.
            for uid, path in sorted(list(self._noted), key=lambda note: note[1] not in self._store.texts):
                try:
                    with self._lock:
                        self._noted.discard((uid, path))
                    self._tell(uid, path)
                except Unanswered:
                    self.note(uid, path)
                    time.sleep(0.2)

    def _tell(self, uid: str, path: str) -> None:
        text = self._store.texts.get(path)
        if text is None or _uid(text) != uid:
            self.call("DELETE", _event(uid), {"object": path})
            return
        status, answer = self.call(
            "PUT",
            _event(uid),
            {"object": path, "calendar": path.rsplit("/", 1)[0] + "/", "stored": "true"},
            text,
            "respond-async",
        )
        if status in (200, 202) and answer["icalendar"] != text and self.one_beat:
            self._replace(uid, path, text, answer["icalendar"])
        elif self._store.texts.get(path) != text:
            self.note(uid, path)

    def _replace(self, uid: str, path: str, text: str, amended: str) -> None:
        with self._store.lock:
            # As If-Match does.
            if self._store.texts.get(path) == text:
                self._store.texts[path] = amended
        self.note(uid, path)

    def _write_back(self) -> None:
        after: Optional[str] = None
        while not self.closed:
            try:
                status, page = self.call("GET", "/v1/changes", {"wait": "5", **({"after": after} if after else {})}, patience=10)
                if status != 200:
                    after = None
                    continue
                for change in page["changes"] if self.broken != "gives-the-link-only-once" else ():
                    for path in change["objects"]:
                        text = self._store.texts.get(path, "")
                        if hashlib.sha256(text.encode()).hexdigest() == change["replaces_sha256"]:
                            self._replace(change["uid"], path, text, change["icalendar"])
                        elif text:
                            self.note(change["uid"], path)
                after = page["cursor"]
            except Unanswered:
                time.sleep(0.1)


class Toy:
    """The server, running."""

    def __init__(self, port: int, hook: str, secret: str, broken: str = "", one_beat: bool = False) -> None:
        self.store = Store()
        self.adapter = Adapter(self.store, hook, secret, broken, one_beat)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
        self._server.daemon_threads = True
        self._server.toy = self  # type: ignore[attr-defined]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Ends it."""
        self.adapter.closed = True
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def _any(self) -> None:
        toy: Toy = self.server.toy  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8")
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"alice:pw").decode():
            return self._answer(401)
        path, _, query = self.path.partition("?")
        try:
            getattr(self, "_" + self.command.lower())(toy, unquote(path), body, query)
        except AttributeError:
            self._answer(405)

    do_GET = do_PUT = do_DELETE = do_MOVE = do_COPY = do_MKCALENDAR = do_PROPFIND = do_OPTIONS = do_POST = _any

    def _get(self, toy: Toy, path: str, *_: Any) -> None:
        text, etag = toy.store.texts.get(path), toy.store.etag(path)
        self._answer(404) if text is None else self._answer(200, text, {"ETag": etag or "", "Content-Type": "text/calendar"})

    def _put(self, toy: Toy, path: str, body: str, _: str) -> None:
        store = toy.store
        etag, match = store.etag(path), self.headers.get("If-Match")
        if (match and match != etag) or (self.headers.get("If-None-Match") == "*" and etag):
            return self._answer(412)
        if path.rsplit("/", 1)[0] + "/" not in store.collections:
            return self._answer(409)
        if not texts.is_icalendar(body) or "DTSTART:never" in body or texts.uids(body)[:1] in ([], [None]):
            return self._answer(400, "no event")
        old = _uid(store.texts.get(path) or "")

        def put(text: str) -> None:
            store.texts[path] = text if texts.is_icalendar(text) and "DTSTART:never" not in text else body

        stored, amended = toy.adapter.save(path, body, old, put)
        headers = {} if amended else {"ETag": store.etag(path) or ""}
        if toy.adapter.broken == "gives-no-etag-to-what-has-a-link" and "teams.microsoft.com" in stored:
            headers = {}
        if "return=representation" in (self.headers.get("Prefer") or ""):
            returned = body if toy.adapter.broken == "returns-what-was-sent" else stored
            return self._answer(
                200, returned, {**headers, "Content-Type": "text/calendar", "Preference-Applied": "return=representation"}
            )
        self._answer(204 if etag else 201, "", headers)

    def _delete(self, toy: Toy, path: str, *_: Any) -> None:
        store, match = toy.store, self.headers.get("If-Match")
        if path in store.collections:
            gone = [one for one in store.texts if one.startswith(path)]
            store.collections.discard(path)
        else:
            gone = [path] if path in store.texts else []
            if not gone:
                return self._answer(404)
            if match and match != store.etag(path):
                return self._answer(412)
        for one in gone:
            toy.adapter.note(_uid(store.texts.pop(one)), one)
        self._answer(204)

    def _move(self, toy: Toy, path: str, *_: Any) -> None:
        self._onto(toy, path, True)

    def _copy(self, toy: Toy, path: str, *_: Any) -> None:
        self._onto(toy, path, False)

    def _onto(self, toy: Toy, path: str, moves: bool) -> None:
        to, store = unquote(urlsplit(self.headers.get("Destination") or "").path), toy.store
        with store.lock:
            if path not in store.texts:
                return self._answer(404)
            store.texts[to] = store.texts[path]
            uid = _uid(store.texts[to])
            if moves:
                del store.texts[path]
        if moves or toy.adapter.broken != "forgets-copies":
            toy.adapter.note(uid, to)
        if moves:
            toy.adapter.note(uid, path)
        self._answer(201)

    def _mkcalendar(self, toy: Toy, path: str, *_: Any) -> None:
        toy.store.collections.add(path)
        self._answer(201)

    def _propfind(self, toy: Toy, path: str, *_: Any) -> None:
        if path not in toy.store.collections:
            return self._answer(404)
        self._answer(207, '<multistatus xmlns="DAV:"/>', {"Content-Type": "application/xml"})

    def _options(self, *_: Any) -> None:
        self._answer(200)

    def _post(self, toy: Toy, path: str, _: str, query: str) -> None:
        given = {name: values[0] for name, values in parse_qs(query).items()}
        if path == "/.change":
            text = toy.store.texts[given["path"]]
            lines = [line for line in text.splitlines(True)]
            toy.store.texts[given["path"]] = "".join(
                "SUMMARY:%s\r\n" % given["summary"] if line.startswith("SUMMARY:") else line for line in lines
            )
            if toy.adapter.broken != "forgets-the-servers-changes":
                toy.adapter.note(_uid(text), given["path"])
        else:
            toy.adapter.draft(given["uid"], path == "/.discard")
        self._answer(204)

    def _answer(self, status: int, text: str = "", headers: Optional[Dict[str, str]] = None) -> None:
        content = text.encode("utf-8")
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status == 401:
            self.send_header("WWW-Authenticate", "Basic")
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if status != 204:
            self.wfile.write(content)


def _event(uid: str) -> str:
    return "/v1/accounts/%s/events/%s" % (quote(ACCOUNT, safe=""), quote(uid, safe=""))


def _uid(text: str) -> Optional[str]:
    found: List[Optional[str]] = texts.uids(text) if texts.is_event(text) else []
    return found[0] if len(found) == 1 and found[0] and len(found[0].encode()) <= 1024 and len(text) <= 8 << 20 else None
