"""A connection to the hook on which everything ends at one moment.

Time-outs of sockets begin anew with each step and each octet that arrives. Whoever saves waits for the whole of it, so here the
steps (reaching an address, TLS, sending, the answer's first octet and its last) share one deadline.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from typing import Any, Optional

#: Seconds until an address must be reached. The hook is on this machine or next door.
REACHED = 2.0


class Connection(http.client.HTTPConnection):
    """HTTP to a host and port, with TLS if there is a context for it, or to a Unix socket."""

    def __init__(self, host: str, port: Optional[int], context: Optional[ssl.SSLContext] = None,
                 unix: Optional[str] = None) -> None:
        super().__init__(host, port)
        self._context = context
        self._unix = unix
        self._deadline = 0.0

    def ends_in(self, seconds: float) -> None:
        """Everything from now on is done in so many seconds, or raises `socket.timeout`."""
        self._deadline = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until the deadline. Raises `socket.timeout` when there are none."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        return left

    def connect(self) -> None:
        """Reaches the hook."""
        reached = self._reached()
        try:
            if self._context is not None:
                reached.settimeout(self.left())
                reached = self._context.wrap_socket(reached, server_hostname=self.host)
        except BaseException:
            reached.close()
            raise
        self.sock = _Timed(reached, self)

    def _reached(self) -> socket.socket:
        if self._unix is not None:
            return self._tried(socket.AF_UNIX, 0, self._unix)
        failure: OSError = OSError("the name leads to no address")
        for family, _, proto, _, address in socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_STREAM):
            try:
                reached = self._tried(family, proto, address)
                reached.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return reached
            except OSError as error:
                failure = error
        raise failure

    def _tried(self, family: int, proto: int, address: Any) -> socket.socket:
        tried = socket.socket(family, socket.SOCK_STREAM, proto)
        try:
            tried.settimeout(min(REACHED, self.left()))
            tried.connect(address)
        except BaseException:
            tried.close()
            raise
        return tried


class _Timed:
    """Of a socket, what `http.client` uses. It is closed when the connection and the answer's reader are done with it."""

    def __init__(self, wrapped: socket.socket, connection: Connection) -> None:
        self.wrapped = wrapped
        self._connection = connection
        self._users = 1

    def sendall(self, content: Any) -> None:
        unsent = memoryview(content)
        while unsent:
            self.wrapped.settimeout(self._connection.left())
            unsent = unsent[self.wrapped.send(unsent):]

    def receive(self, buffer: Any) -> int:
        self.wrapped.settimeout(self._connection.left())
        return self.wrapped.recv_into(buffer)

    def makefile(self, _mode: str) -> io.BufferedReader:
        self._users += 1
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        self._users -= 1
        if self._users <= 0:
            self.wrapped.close()


class _Reader(io.RawIOBase):
    """An answer's octets."""

    def __init__(self, timed: _Timed) -> None:
        super().__init__()
        self._timed = timed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._timed.receive(buffer)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._timed.close()
