"""The client of the hook API, whose description is served at ``/v1/openapi.json``.

Every call may be repeated: saves carry a change id of our own, reports and deletes are answered like the first time. So a
connection that died while it was idle costs a second try and nothing else.
"""

from __future__ import annotations

import http.client
import json
import os
import queue
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, Optional, Tuple
from urllib.parse import quote, urlencode, urlsplit

from teams_mirror_radicale.connection import Connection
from teams_mirror_radicale.settings import Settings

if TYPE_CHECKING:
    from teams_mirror_radicale.stored import Calendar

#: The largest text the API takes, in octets.
LARGEST = 8 * 1024 * 1024

#: Seconds for an answer for which nobody waits at Microsoft.
PROMPT = 5.0
#: Of the seconds that a save may wait, those that are not asked for: the answer needs some to arrive.
MARGIN = 1
#: Connections kept for the next call.
KEPT = 8


class Unanswered(Exception):
    """The hook gave no answer that counts: nothing was told, and it has to be told later. The sentence says what to do."""

    def __init__(self, sentence: str, down: bool = True) -> None:
        super().__init__(sentence)
        #: Whether the next call would fare no better: nobody listens, or nobody lets us in.
        self.down = down


@dataclass(frozen=True)
class Answer:
    """An answer that counts."""

    status: int
    reason: str
    body: Any

    def get(self, name: str) -> Any:
        """A field of the JSON body."""
        return self.body.get(name) if isinstance(self.body, dict) else None

    @property
    def taken(self) -> bool:
        """Whether it is no refusal."""
        return 200 <= self.status < 300

    @property
    def sentence(self) -> str:
        """A refusal's reason, for a log."""
        return "%d %s" % (self.status, self.get("detail") or self.get("title") or self.reason)


class Hook:
    """The hook API under one address with one secret."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._idle: "queue.LifoQueue[Tuple[int, Connection]]" = queue.LifoQueue(KEPT)
        self._tls: Optional[Tuple[float, ssl.SSLContext]] = None
        self._lock = threading.Lock()

    def announce(self, account: str, uid: str, text: str, object_: str, calendar: Calendar, change: str,
                 patience: float, link: bool) -> Answer:
        """First beat. ``patience``: seconds until there is an answer, or none; ``link``: whether to wait for a new link."""
        query = {"object": object_, **_calendar(calendar), "change": change}
        wait = int(patience) - MARGIN if link else 0
        prefer = "wait=%d" % wait if wait > 0 else "respond-async"
        return _with_text(self._call("PUT", _event(account, uid), query, text, prefer, patience))

    def report(self, account: str, uid: str, change: str, result: str, patience: float = PROMPT) -> Answer:
        """Second beat: ``stored``, ``stored-original`` or ``refused``."""
        return self._call("POST", _event(account, uid) + "/stored", {}, {"change": change, "result": result}, timeout=patience)

    def tell(self, account: str, uid: str, text: str, object_: str, calendar: Calendar, imported: bool) -> Answer:
        """Both beats in one, after the store."""
        query = {"object": object_, **_calendar(calendar), "stored": "true"}
        if imported:
            query["import"] = "true"
        return _with_text(self._call("PUT", _event(account, uid), query, text, "respond-async"))

    def gone(self, account: str, uid: str, object_: str) -> Answer:
        """An object is gone."""
        return self._call("DELETE", _event(account, uid), {"object": object_})

    def account(self, account: str) -> Answer:
        """How an account stands."""
        return self._call("GET", _account(account), {})

    def describe(self, account: str, known: Dict[str, Any]) -> Answer:
        """Tells of an account. What is absent is forgotten there."""
        return self._call("PUT", _account(account), {}, known)

    def settings_link(self, account: str) -> Answer:
        """A one-time link to the user's settings."""
        return self._call("POST", _account(account) + "/settings-link", {})

    def changes(self, after: Optional[str], wait: int) -> Answer:
        """Texts to write back; waits for the first."""
        query = {"wait": str(wait)}
        if after:
            query["after"] = after
        return self._call("GET", "/v1/changes", query, timeout=wait + 2 * PROMPT)

    def probe(self) -> Answer:
        """Raises `Unanswered` where nobody listens, or nobody lets us in. The answer says whether the template fits."""
        return self.account(self._settings.account("teams-mirror-check") or "teams-mirror-check@invalid")

    def _call(self, method: str, path: str, query: Dict[str, str], body: Any = None, prefer: Optional[str] = None,
              timeout: float = PROMPT) -> Answer:
        headers = {"Authorization": "Bearer " + self._secret(), "Accept": "application/json"}
        content = None
        if isinstance(body, str):
            content = body.encode("utf-8")
            headers["Content-Type"] = "text/calendar; charset=utf-8"
        elif body is not None:
            content = json.dumps(body).encode("utf-8")
            headers["Content-Type"] = "application/json"
        elif method in ("POST", "PUT"):
            content = b""
        if prefer:
            headers["Prefer"] = prefer
        target = self._prefix() + path + ("?" + urlencode(query, quote_via=quote) if query else "")
        try:
            status, reason, kind, read = self._send(method, target, content, headers, timeout)
        except (OSError, http.client.HTTPException) as error:
            raise Unanswered(self.advice(error)) from error
        return _counted(status, reason, kind, read)

    def _send(self, method: str, target: str, content: Optional[bytes], headers: Dict[str, str],
              timeout: float) -> Tuple[int, str, str, bytes]:
        """Sends on a kept connection; where that died idle on one fresh one, in what is left of the time."""
        ends = time.monotonic() + timeout
        kept = self._kept()
        while True:
            connection = kept or self._fresh()
            try:
                connection.ends_in(ends - time.monotonic())
                connection.request(method, target, content, headers)
                response = connection.getresponse()
                read = response.read()
            except (ConnectionError, http.client.BadStatusLine):
                connection.close()
                if kept is None:
                    raise
                kept = None
                continue
            except BaseException:
                connection.close()
                raise
            self._keep(connection, response.will_close)
            return response.status, response.reason, response.headers.get_content_type(), read

    def _kept(self) -> Optional[Connection]:
        while True:
            try:
                process, connection = self._idle.get_nowait()
            except queue.Empty:
                return None
            if process == os.getpid():
                return connection

    def _keep(self, connection: Connection, closing: bool) -> None:
        try:
            if not closing:
                self._idle.put_nowait((os.getpid(), connection))
                return
        except queue.Full:
            pass
        connection.close()

    def _fresh(self) -> Connection:
        if self._settings.hook.startswith("unix:"):
            return Connection("localhost", None, unix=self._settings.hook[len("unix:"):])
        parts = urlsplit(self._settings.hook)
        host = parts.hostname or ""
        if parts.scheme == "https":
            return Connection(host, parts.port or 443, self._context())
        return Connection(host, parts.port or 80)

    def _prefix(self) -> str:
        return "" if self._settings.hook.startswith("unix:") else urlsplit(self._settings.hook).path

    def _context(self) -> ssl.SSLContext:
        """Read anew when the file of authorities changed."""
        file = self._settings.ca_file
        changed = os.stat(file).st_mtime if file else 0.0
        with self._lock:
            if self._tls is None or self._tls[0] != changed:
                self._tls = (changed, ssl.create_default_context(cafile=file))
            return self._tls[1]

    def _secret(self) -> str:
        file = self._settings.secret_file
        try:
            with open(file, encoding="ascii") as opened:
                secret = opened.read().strip()
        except OSError as error:
            raise Unanswered(
                "the hook secret `%s` cannot be read: %s; it is a file that Radicale's user may read, with what "
                "`teams-mirror secret add` printed" % (file, error.strerror or error)) from error
        except UnicodeDecodeError as error:
            raise Unanswered("`%s` holds no hook secret" % file) from error
        if not secret or not secret.isprintable() or " " in secret:
            raise Unanswered("`%s` holds no hook secret; `teams-mirror secret add NAME` prints one" % file)
        return secret

    def advice(self, error: BaseException) -> str:
        """What an administrator can do about a failure of the connection."""
        where = self._settings.hook
        if isinstance(error, ssl.SSLCertVerificationError):
            return ("the certificate of `%s` is not trusted: %s; name its authority as `ca_file`, or mend the "
                    "certificate" % (where, error.verify_message))
        if isinstance(error, ssl.SSLError):
            return "no TLS with `%s`: %s; see whether it speaks https" % (where, error.reason or error)
        if isinstance(error, socket.gaierror):
            return "the name in `hook = %s` leads nowhere: %s" % (where, error.strerror)
        if isinstance(error, socket.timeout):
            return "`%s` does not answer in time; see whether teams-mirror runs and `hook` is its address" % where
        if isinstance(error, FileNotFoundError) and self._settings.ca_file and where.startswith("https"):
            return "the file of authorities `%s` (`ca_file`) is not there" % self._settings.ca_file
        if isinstance(error, PermissionError):
            return "`%s`: %s; Radicale's user must be in the socket's group" % (where, error.strerror)
        if isinstance(error, http.client.HTTPException):
            return "`%s` does not speak HTTP as expected (%s); see whether `hook` is the hook API's address" % (
                where, type(error).__name__)
        return "`%s` cannot be reached: %s; see whether teams-mirror runs and `hook` is its address" % (
            where, getattr(error, "strerror", None) or error)


def _counted(status: int, reason: str, kind: str, read: bytes) -> Answer:
    """An answer, unless it says that nothing was taken and may be later."""
    body = None
    if kind.endswith("json"):
        try:
            body = json.loads(read)
        except ValueError as error:
            raise Unanswered("the hook's answer is no JSON (%d)" % status, down=False) from error
    answer = Answer(status, reason, body)
    if status == 401:
        raise Unanswered("the hook secret is wrong (401); put what `teams-mirror secret add NAME --domain …` prints into "
                         "the file named as `secret_file`")
    if status >= 500 or status in (408, 429) or 300 <= status < 400:
        raise Unanswered("the hook answers %s" % answer.sentence, down=False)
    if answer.get("code") == "no-such-route" or (status == 404 and body is None):
        raise Unanswered("there is no hook API under this address (404); `hook` names the listener `listen.hook` of "
                         "teams-mirror's configuration, without a path")
    return answer


def _with_text(answer: Answer) -> Answer:
    """The answer to a save. Where it should hold the text to store and does not, something else than the hook has answered: what
    the hook knows by now is not known, so the save is told again."""
    if answer.status in (200, 202) and not isinstance(answer.get("icalendar"), str):
        raise Unanswered("the hook's answer holds no text to store (%d)" % answer.status, down=False)
    return answer


def _calendar(calendar: Calendar) -> Dict[str, str]:
    named = {"calendar": calendar.path}
    return {**named, "calendar_name": calendar.name[:200]} if calendar.name else named


def _account(account: str) -> str:
    return "/v1/accounts/" + quote(account, safe="")


def _event(account: str, uid: str) -> str:
    return _account(account) + "/events/" + quote(uid, safe="")
