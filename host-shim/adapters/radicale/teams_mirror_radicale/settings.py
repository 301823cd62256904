"""The adapter's own configuration file.

Radicale refuses sections it does not know, so this one stands beside Radicale's. It also means that plain ``radicale`` can be
started at any time with the configuration as it is.
"""

from __future__ import annotations

import configparser
import difflib
import os
import re
import string
import unicodedata
from dataclasses import dataclass
from typing import Dict, List, Optional
from urllib.parse import urlsplit

#: Paths with a dot that Radicale itself answers under.
_RADICALES = ("/.web", "/.well-known", "/.token", "/.sharing", "/.mobileconfig")

SECTION = "teams-mirror"
VARIABLE = "TEAMS_MIRROR_RADICALE_CONFIG"
PLACES = ("/etc/radicale/teams-mirror.ini", "~/.config/radicale/teams-mirror.ini")

_LOOPBACK = re.compile(r"^(localhost|127(\.\d{1,3}){3}|::1)$", re.IGNORECASE)
# What the hook API takes: something before and after one "@", a domain with letters or digits, nothing that needs quoting.
_ADDRESS = re.compile(r"^[^@\s<>\"(),:;\[\]\\]{1,64}@[^@\s<>\"(),:;\[\]\\/]{1,253}$")


class SettingsError(Exception):
    """Why the adapter cannot work, in sentences for an administrator."""


@dataclass(frozen=True)
class Settings:
    """What the administrator chose."""

    #: Where it was read.
    source: str
    #: ``http://127.0.0.1:7460``, ``https://…`` or ``unix:/path``.
    hook: str
    #: The file with the hook secret. It is read whenever it is needed, so that a new secret counts at once.
    secret_file: str
    #: How a login becomes an address; ``{user}`` stands for the login.
    address: str
    #: The folder with the notes; ``None``: beside Radicale's collections.
    spool: Optional[str]
    #: The most notes kept.
    spool_limit: int
    #: Where users find their settings; ``None``: nowhere.
    settings_path: Optional[str]
    #: Seconds a save waits for the hook in all, a new link included.
    patience: int
    #: The most saves that wait for a link at the same time; ``None``: half of Radicale's ``max_connections``.
    max_waiting: Optional[int]
    #: The authorities trusted for an ``https`` hook; ``None``: the system's.
    ca_file: Optional[str]
    #: The IANA zone in which floating times of users are meant who have told none.
    time_zone: Optional[str]
    #: The language of users who have told none (BCP 47).
    language: Optional[str]

    def account(self, user: str, upper: bool = False) -> Optional[str]:
        """The address of one of Radicale's users. ``None`` where the template gives none, as for ``a@b`` in ``{user}@c``.

        To Radicale ``alice`` and ``Alice`` are two people, an address knows no case. So that no two logins lead to one address,
        only those in lower case have one; with ``upper``, where Radicale makes all names upper case, only such.
        """
        plain = folded(user)
        if not user or user != (plain.upper() if upper else plain):
            return None
        address = self.address.lower().replace("{user}", plain)
        return address if _ADDRESS.match(address) else None


def folded(user: str) -> str:
    """A login in lower case and composed (NFC), as addresses are compared."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", user).lower())


def find(argument: Optional[str] = None) -> str:
    """The file to read: as named, by the environment's variable, or the first of the usual places that is there.

    Raises `SettingsError` where there is none.
    """
    named = argument or os.environ.get(VARIABLE)
    if named:
        return os.path.expanduser(named)
    for place in map(os.path.expanduser, PLACES):
        if os.path.exists(place):
            return place
    raise SettingsError(
        "there is no configuration; write %s, or name another file in the variable %s" % (PLACES[0], VARIABLE))


def load(argument: Optional[str] = None) -> Settings:
    """Reads and checks the file. Raises `SettingsError`."""
    path = find(argument)
    parser = configparser.RawConfigParser(inline_comment_prefixes=("#", ";"))
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
    except OSError as error:
        raise SettingsError("the configuration `%s` cannot be read: %s" % (path, error.strerror or error)) from error
    except (configparser.Error, UnicodeDecodeError) as error:
        raise SettingsError("the configuration `%s` is not in order: %s" % (path, error)) from error
    for section in parser.sections():
        if section != SECTION:
            raise SettingsError("`%s` has an unknown section `[%s]`; the only one is `[%s]`" % (path, section, SECTION))
    if not parser.has_section(SECTION):
        raise SettingsError("`%s` lacks the section `[%s]`" % (path, SECTION))
    return _read(path, dict(parser.items(SECTION)))


def _read(path: str, values: Dict[str, str]) -> Settings:
    unknown = [key for key in values if key not in _KEYS]
    if unknown:
        near = difflib.get_close_matches(unknown[0], _KEYS, 1)
        raise SettingsError("`%s` has an unknown key `%s`; %s" % (
            path, unknown[0], "did you mean `%s`?" % near[0] if near else "known are: %s" % ", ".join(_KEYS)))

    def text(key: str) -> Optional[str]:
        return values.get(key, "").strip() or None

    def number(key: str, default: Optional[int], least: int, most: int) -> Optional[int]:
        value = text(key)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            raise SettingsError("`%s`: `%s` is a number from %d to %d, not `%s`" % (path, key, least, most, value))
        return int(value)

    missing = [key for key in ("secret_file", "address") if text(key) is None]
    if missing:
        raise SettingsError("`%s` lacks `%s`" % (path, "` and `".join(missing)))
    return Settings(
        source=path,
        hook=_hook(path, text("hook") or "http://127.0.0.1:7460"),
        secret_file=os.path.expanduser(text("secret_file") or ""),
        address=_template(path, text("address") or ""),
        spool=os.path.expanduser(text("spool") or "") or None,
        spool_limit=number("spool_limit", 100_000, 1, 10_000_000) or 0,
        settings_path=_settings_path(path, values.get("settings_path", "/.teams/").strip()),
        patience=number("patience", 5, 1, 30) or 5,
        max_waiting=number("max_waiting", None, 0, 1000),
        ca_file=os.path.expanduser(text("ca_file") or "") or None,
        time_zone=text("time_zone"),
        language=text("language"),
    )


_KEYS: List[str] = [
    "hook", "secret_file", "address", "spool", "spool_limit", "settings_path", "patience", "max_waiting", "ca_file",
    "time_zone", "language",
]


def _hook(path: str, value: str) -> str:
    if value.startswith("unix:"):
        if not value[len("unix:"):].startswith("/"):
            raise SettingsError("`%s`: a socket is named as `unix:/path`, not `%s`" % (path, value))
        return value
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or parts.username:
        raise SettingsError(
            "`%s`: `hook` is `http://127.0.0.1:PORT`, `unix:/path` or `https://…`, not `%s`" % (path, value))
    if parts.scheme == "http" and not _LOOPBACK.match(host):
        raise SettingsError(
            "`%s`: over `http` the hook secret would cross the network readable, so `hook` may only be on this machine; "
            "use `https`" % path)
    return value.rstrip("/")


def _template(path: str, value: str) -> str:
    fields = []
    try:
        fields = [name for _, name, _, _ in string.Formatter().parse(value) if name is not None]
    except ValueError:
        pass
    if fields != ["user"] or value.count("{user}") != 1:
        raise SettingsError(
            "`%s`: `address` holds `{user}` once, as in `{user}@example.org`, or is `{user}` where users log in with "
            "their addresses; this is: `%s`" % (path, value))
    if value != "{user}" and not _ADDRESS.match(value.replace("{user}", "user")):
        raise SettingsError("`%s`: `address` gives no address: `%s`" % (path, value))
    return value


def _settings_path(path: str, value: str) -> Optional[str]:
    if not value:
        return None
    if not re.match(r"^/\.[A-Za-z0-9_-]+/?$", value) or value.rstrip("/") in _RADICALES:
        raise SettingsError(
            "`%s`: `settings_path` is one name that begins with a dot, which no calendar can have, as in `/.teams/`; "
            "this is: `%s`" % (path, value))
    return value.rstrip("/")
