"""Radicale's log, one line for each message.

Paths, logins and UIDs come from clients, and sentences of the hook's may hold them. A line break or an escape sequence in one
of them must not look like a line of its own, so what is not printable is written as an escape, whoever says what.
"""

from __future__ import annotations

import logging
from typing import Any

from radicale.log import logger as _radicales


def printable(text: str) -> str:
    """A text in which nothing can move a cursor or end a line."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii") for character in text)


def quiet() -> None:
    """What may be wrong is still said from now on, and nothing else."""
    _radicales.addFilter(lambda record: record.levelno >= logging.WARNING)


class _Log:
    """What the adapter's modules use in place of Radicale's logger."""

    def info(self, message: str, *arguments: Any) -> None:
        self._say(logging.INFO, message, arguments)

    def warning(self, message: str, *arguments: Any) -> None:
        self._say(logging.WARNING, message, arguments)

    def error(self, message: str, *arguments: Any, exc_info: bool = False) -> None:
        """``exc_info``: with the traceback, which Radicale shows on the level `debug`."""
        self._say(logging.ERROR, message, arguments, exc_info)

    @staticmethod
    def _say(level: int, message: str, arguments: Any, exc_info: bool = False) -> None:
        if _radicales.isEnabledFor(level):
            said = printable(message % arguments if arguments else message)
            _radicales.log(level, "%s", said, exc_info=exc_info, stacklevel=3)


logger = _Log()
