"""A plain CalDAV client: it sends what a check says and shows what came back, whatever it is."""

from __future__ import annotations

import base64
import http.client
import re
import ssl
import time
from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple
from urllib.parse import quote, unquote, urlsplit

#: How long one request may take, in seconds. Far above what any patience allows.
LONGEST = 75.0


class Unreachable(Exception):
    """The server gave no answer."""


@dataclass(frozen=True)
class Answer:
    """An answer, whatever its status."""

    status: int
    headers: Tuple[Tuple[str, str], ...]
    body: bytes
    #: Seconds until it was there.
    took: float

    @property
    def ok(self) -> bool:
        """Whether it is a success."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body."""
        return self.body.decode("utf-8", "replace")

    def header(self, name: str) -> Optional[str]:
        """A header's value."""
        return next((value for known, value in self.headers if known.lower() == name), None)


class Client:
    """One user at one server."""

    def __init__(self, base: str, login: Optional[str], ca_file: Optional[str] = None) -> None:
        parts = urlsplit(base)
        self.base, self._parts, self.login = base.rstrip("/"), parts, login
        self._context = ssl.create_default_context(cafile=ca_file) if parts.scheme == "https" else None

    @property
    def user(self) -> str:
        """The login's name."""
        return (self.login or "").split(":", 1)[0]

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Optional[Dict[str, str]] = None,
        longest: float = LONGEST,
        once: bool = False,
    ) -> Answer:
        """Sends a request on a connection of its own. ``once``: not again where the connection was reset. Raises `Unreachable`."""
        sent = {"Connection": "close", **(headers or {})}
        if self.login is not None:
            sent["Authorization"] = "Basic " + base64.b64encode(self.login.encode("utf-8")).decode("ascii")
        begun = time.monotonic()
        for attempt in range(5):
            connection = self._connection(longest)
            try:
                content_or_none = body if body or method in ("PUT", "POST") else None
                connection.request(method, quote(path, safe="/%:@!$&'()*+,;=~-._?"), content_or_none, sent)
                response = connection.getresponse()
                content = response.read()
                return Answer(response.status, tuple(response.getheaders()), content, time.monotonic() - begun)
            except ConnectionResetError as error:
                # A full queue of the server's; clients come again.
                if once or attempt == 4 or isinstance(error, http.client.RemoteDisconnected):
                    raise Unreachable("%s %s: %s" % (method, path, error)) from error
                time.sleep(0.1)
            except (OSError, http.client.HTTPException) as error:
                raise Unreachable("%s %s: %s" % (method, path, error or type(error).__name__)) from error
            finally:
                connection.close()
        raise Unreachable("%s %s" % (method, path))

    def put(self, path: str, text: str, headers: Optional[Dict[str, str]] = None, once: bool = False) -> Answer:
        """Saves a calendar text."""
        kind = {"Content-Type": "text/calendar; charset=utf-8"}
        return self.request("PUT", path, text.encode("utf-8"), {**kind, **(headers or {})}, once=once)

    def get(self, path: str, longest: float = LONGEST) -> Answer:
        """Reads one."""
        return self.request("GET", path, longest=longest)

    def stored(self, path: str, longest: float = LONGEST) -> Optional[str]:
        """What is stored under a path; ``None``: nothing."""
        answer = self.get(path, longest)
        if answer.status in (404, 410):
            return None
        if not answer.ok:
            raise Unreachable("GET %s: %d" % (path, answer.status))
        return answer.text

    def onto(self, method: str, path: str, to: str) -> Answer:
        """COPY or MOVE."""
        return self.request(method, path, headers={"Destination": self.url(to), "Overwrite": "T"})

    def url(self, path: str) -> str:
        """A path's address."""
        return "%s://%s%s" % (self._parts.scheme, self._parts.netloc, path)

    def members(self, path: str) -> List[str]:
        """The paths below a collection, as the server writes them."""
        answer = self.request(
            "PROPFIND",
            path,
            b'<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>',
            {"Depth": "1", "Content-Type": "application/xml"},
        )
        found = [unquote(urlsplit(href.strip()).path) for href in re.findall(r"<(?:\w+:)?href[^>]*>([^<]+)<", answer.text)]
        return [one for one in found if one.rstrip("/") != unquote(path).rstrip("/")] if answer.status == 207 else []

    def _connection(self, longest: float) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._context is not None:
            return http.client.HTTPSConnection(host, port or 443, timeout=longest, context=self._context)
        return http.client.HTTPConnection(host, port or 80, timeout=longest)
