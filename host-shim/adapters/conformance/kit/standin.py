"""The stand-in for the hook API: it listens where the adapter calls, writes every request down, and answers by the API's rules
unless a check has chosen otherwise."""

from __future__ import annotations

import json
import os
import socket
import socketserver
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

from kit import routes
from kit.model import Model, Refused
from kit.routes import Answer, Call


@dataclass
class Fault:
    """What a check does to a call in place of its answer."""

    matches: Callable[[Call], bool]
    #: Given the answer by the rules, writes something else; ``None``: cuts the connection.
    spoil: Callable[["Handler", Answer], None]
    #: Whether the API takes the call all the same, as where only its answer is lost.
    taken: bool = False
    times: int = 1_000_000


class StandIn:
    """One hook API, which can be stopped and started under one address."""

    def __init__(self, listen: str, secret: str, domains: Optional[List[str]] = None) -> None:
        self.listen, self.secret, self.domains = listen, secret, [domain.lower() for domain in domains or []]
        self.model = Model()
        self.calls: List[Call] = []
        self.faults: List[Fault] = []
        #: Called with each event's call when it arrives, before anything is made of it.
        self.watch: Optional[Callable[[Call], None]] = None
        #: Whether answers have fields and headers that the API does not have yet.
        self.newer = False
        #: Set when a check ends, so that nobody is held any longer.
        self.released = threading.Event()
        self._server: Optional[Any] = None
        self._open: Set[socket.socket] = set()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Listens. Raises `OSError` where it cannot."""
        family, address = _address(self.listen)
        if family == socket.AF_UNIX and os.path.exists(address):
            os.unlink(address)
        self._server = _server(family)(address, self)
        if self.listen.endswith(":0"):
            self.listen = "127.0.0.1:%d" % self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Nobody listens any more, and what was connected is not."""
        server, self._server = self._server, None
        if server is None:
            return
        server.shutdown()
        server.server_close()
        with self._lock:
            for connection in list(self._open):
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def seen(self, kind: str = "", uid: Optional[str] = None, since: float = 0.0) -> List[Call]:
        """The calls of a kind, in order; several kinds are separated by spaces."""
        kinds = kind.split()
        with self._lock:
            return [
                call
                for call in self.calls
                if (not kinds or call.kind in kinds) and (uid is None or call.uid == uid) and call.at >= since
            ]

    def forget(self) -> None:
        """Ends all faults, and lets go of whom they held."""
        self.faults.clear()
        self.watch = None
        self.released.set()
        self.released = threading.Event()

    def note(self, call: Call) -> None:
        """Writes a call down."""
        with self._lock:
            self.calls.append(call)

    def connected(self, connection: socket.socket, is_open: bool) -> None:
        """Keeps count of connections."""
        with self._lock:
            (self._open.add if is_open else self._open.discard)(connection)

    def fault(self, call: Call) -> Optional[Fault]:
        """The fault that a call meets, if any."""
        with self._lock:
            for fault in self.faults:
                if fault.times > 0 and fault.matches(call):
                    fault.times -= 1
                    return fault
        return None


class Handler(BaseHTTPRequestHandler):
    """One connection of the adapter."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "teams-mirror-conformance", ""
    standin: StandIn
    _call: Call

    def setup(self) -> None:
        self.standin = self.server.standin  # type: ignore[attr-defined]
        self.standin.connected(self.request, True)
        super().setup()
        if self.request.family != socket.AF_UNIX:
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def finish(self) -> None:
        self.standin.connected(self.request, False)
        try:
            super().finish()
        except OSError:
            pass

    def log_message(self, *_: Any) -> None:
        """The calls are written down elsewhere."""

    def address_string(self) -> str:
        return "the adapter"

    def any_method(self) -> None:
        """Takes a call, whatever its method."""
        call = Call(self.command, self.path, [(name, value) for name, value in self.headers.items()], self._body())
        try:
            routes.understand(call, self.standin.secret, self.standin.domains)
            refused = None
        except Refused as error:
            refused = error
        fault = self.standin.fault(call)
        call.spoiled = fault is not None
        self.standin.note(call)
        if self.standin.watch is not None and call.uid:
            self.standin.watch(call)
        answer, self._call = Answer(500), call
        if fault is None or fault.taken:
            answer = self._answered(call, refused)
        try:
            if fault is not None:
                fault.spoil(self, answer)
            else:
                self.send(answer)
        except OSError:
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = any_method

    def _answered(self, call: Call, refused: Optional[Refused]) -> Answer:
        try:
            if refused is not None:
                raise refused
            return routes.take(call, self.standin.model)
        except Refused as error:
            call.code = error.code
            return routes.problem(error)

    def send(self, answer: Answer) -> None:
        """Writes an answer."""
        self._call.status = answer.status
        content, headers = self._content(answer)
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if answer.status != 204 and self.command != "HEAD":
            self.wfile.write(content)

    def raw(self, answer: Answer) -> bytes:
        """The whole answer as octets, to be spoiled."""
        content, headers = self._content(answer)
        head = "HTTP/1.1 %d X\r\n" % answer.status + "".join("%s: %s\r\n" % pair for pair in headers.items())
        return head.encode("latin-1") + b"Content-Length: %d\r\n\r\n" % len(content) + content

    def _content(self, answer: Answer) -> Tuple[bytes, Dict[str, str]]:
        headers = {"Cache-Control": "no-store", **answer.headers}
        if self.standin.newer:
            headers["Not-Yet-Known"] = "something"
        if answer.body is None:
            return b"", headers
        if isinstance(answer.body, str):
            headers.setdefault("Content-Type", "text/calendar; charset=utf-8")
            return answer.body.encode("utf-8"), headers
        body = dict(answer.body)
        if self.standin.newer:
            body = {"not_yet_known": {"a": [1, None]}, **body}
            body["changes"] = [{"not_yet_known": True, **change} for change in body["changes"]] if "changes" in body else None
            body = {name: value for name, value in body.items() if value is not None}
        headers.setdefault("Content-Type", "application/json")
        return json.dumps(body).encode("utf-8"), headers

    def _body(self) -> bytes:
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            parts = []
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                part = self.rfile.read(size)
                self.rfile.readline()
                if not size:
                    return b"".join(parts)
                parts.append(part)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))


def refuse(status: int, code: str, detail: str = "chosen by the conformance kit") -> Callable[[Handler, Answer], None]:
    """A problem."""
    return lambda handler, _: handler.send(routes.problem(Refused(status, code, detail)))


def answer(status: int, body: Any = None, headers: Optional[Dict[str, str]] = None) -> Callable[[Handler, Answer], None]:
    """This in place of the answer."""
    return lambda handler, _: handler.send(Answer(status, body, headers or {}))


def hang(handler: Handler, _: Answer) -> None:
    """Answers nothing, until the check ends."""
    handler.close_connection = True
    handler.standin.released.wait(120)


def cut(handler: Handler, given: Answer) -> None:
    """Half of the answer, and an end."""
    whole = handler.raw(given)
    handler.wfile.write(whole[: len(whole) - len(whole) // 3])
    handler.wfile.flush()
    handler.close_connection = True


def slow(seconds: float) -> Callable[[Handler, Answer], None]:
    """The answer as it is, but later."""

    def spoil(handler: Handler, given: Answer) -> None:
        handler.standin.released.wait(seconds)
        handler.send(given)

    return spoil


def held(until: threading.Event) -> Callable[[Handler, Answer], None]:
    """The answer as it is, when somebody says so."""

    def spoil(handler: Handler, given: Answer) -> None:
        ends = time.monotonic() + 60
        while not until.wait(0.02) and not handler.standin.released.is_set() and time.monotonic() < ends:
            pass
        handler.send(given)

    return spoil


def _address(listen: str) -> Tuple[int, Any]:
    if listen.startswith("unix:"):
        return socket.AF_UNIX, listen[len("unix:") :]
    host, _, port = listen.rpartition(":")
    return socket.AF_INET, (host, int(port))


def _server(family: int) -> Any:
    base = socketserver.UnixStreamServer if family == socket.AF_UNIX else socketserver.TCPServer

    class Server(socketserver.ThreadingMixIn, base):  # type: ignore[misc, valid-type]
        daemon_threads = True
        allow_reuse_address = True
        request_queue_size = 64

        def __init__(self, address: Any, standin: StandIn) -> None:
            self.standin = standin
            super().__init__(address, Handler)

        def handle_error(self, *_: Any) -> None:
            """A connection that the adapter gave up."""

    return Server
