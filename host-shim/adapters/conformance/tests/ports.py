"""Ports for servers that tests start."""

import os
import socket
import threading

_taken = set()
_lock = threading.Lock()


def free_port() -> int:
    """A port below those the system gives to outgoing connections, and never the same one twice."""
    with _lock:
        for port in range(12_000 + os.getpid() % 400 * 40, 32_000):
            with socket.socket() as tried:
                try:
                    tried.bind(("127.0.0.1", port))
                except OSError:
                    continue
            if port not in _taken:
                _taken.add(port)
                return port
    raise OSError("there is no free port")
