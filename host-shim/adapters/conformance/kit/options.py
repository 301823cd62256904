"""The command line."""

from __future__ import annotations

import argparse
import os
import re
import textwrap
from dataclasses import dataclass
from typing import List, Optional, Sequence
from urllib.parse import urlsplit

_EXAMPLE = """\
The adapter is configured to call the address after --listen with the secret in --secret-file, and the server is started. Then:

  python3 conformance.py --listen 127.0.0.1:7460 --secret-file hook.secret \\
      --caldav http://127.0.0.1:5232 --user alice:pw --calendar /alice/work/ \\
      --second-calendar /alice/home/ --guest bob:pw --delegate secretary:pw --import-path '/alice/{name}/' \\
      --restart-command './restart-my-server'

Use a test server and a calendar for tests: events are made, changed and deleted there, and the server is killed where a command
for that is given. PROTOCOL.md has the requirements, README.md has more about each option. The status is 0 where no MUST failed,
1 where one did, 2 where nothing could be looked at.
"""


@dataclass
class Options:
    """What was chosen."""

    listen: str
    secret: str
    caldav: str
    user: str
    calendar: str
    account: Optional[str] = None
    domains: Sequence[str] = ()
    second_calendar: Optional[str] = None
    guest: Optional[str] = None
    delegate: Optional[str] = None
    delegate_calendar: Optional[str] = None
    import_path: Optional[str] = None
    restart_command: Optional[str] = None
    server_change_command: Optional[str] = None
    draft_command: Optional[str] = None
    discard_command: Optional[str] = None
    ca_file: Optional[str] = None
    patience: float = 5.0
    slack: float = 2.5
    settle: float = 30.0
    quiet: float = 1.0
    one_beat: bool = False
    only: Sequence[str] = ()
    as_json: bool = False
    verbose: bool = False


def parser() -> argparse.ArgumentParser:
    """What can be said."""
    made = argparse.ArgumentParser(
        prog="conformance.py",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_EXAMPLE,
        description="Looks whether a server with its adapter keeps the contract of the hook API of teams-mirror.",
    )
    to = made.add_argument
    to("--list", action="store_true", help="print the requirements and exit")
    to(
        "--only",
        action="append",
        default=[],
        metavar="ID",
        help="look at this requirement alone, or at a group (SAVE); may be repeated",
    )
    to("--json", action="store_true", dest="as_json", help="print JSON in place of the table")
    to("--verbose", action="store_true", help="print the requests seen for what holds, too")
    hook = made.add_argument_group("the hook API, for which this stands in").add_argument
    hook("--listen", metavar="HOST:PORT", help="where the adapter calls; or unix:/path")
    hook("--secret-file", metavar="FILE", help="the hook secret that the adapter sends")
    hook(
        "--domain", action="append", default=[], metavar="DOMAIN", help="the secret may speak for this one only; may be repeated"
    )
    server = made.add_argument_group("the server").add_argument
    server("--caldav", metavar="URL", help="its address; the paths below are put after its host")
    server("--user", metavar="NAME:PASSWORD", help="whose calendar it is")
    server("--calendar", metavar="PATH", help="a calendar for tests, which is there")
    server("--account", metavar="ADDRESS", help="the user's address; where it is not given, what the adapter says first counts")
    server("--ca-file", metavar="FILE", help="the authorities trusted for https")
    more = made.add_argument_group("more to look at").add_argument
    more("--second-calendar", metavar="PATH", help="another calendar of the user, for MOVE and COPY; else one is made")
    more("--guest", metavar="NAME:PASSWORD", help="a user who may not write there")
    more("--delegate", metavar="NAME:PASSWORD", help="a user who may")
    more("--delegate-calendar", metavar="PATH", help="the delegate's own calendar, for a move to another account")
    more("--import-path", metavar="PATH", help="where a whole calendar can be PUT, with {name} for a name of our own")
    more("--restart-command", metavar="COMMAND", help="kills the server (-9) and starts it again")
    more(
        "--server-change-command",
        metavar="COMMAND",
        help="has the server change the event {path} by itself, its SUMMARY to {summary}",
    )
    more("--draft-command", metavar="COMMAND", help="has the server announce a draft under {uid}, with Teams")
    more("--discard-command", metavar="COMMAND", help="has the server discard the draft under {uid}")
    more("--one-beat", action="store_true", help="the server can call only once, after its store")
    times = made.add_argument_group("times, in seconds").add_argument
    times("--patience", type=float, default=5.0, help="how long the adapter lets a save wait (default 5)")
    times("--slack", type=float, default=2.5, help="what the server itself may need besides (default 2.5)")
    times("--settle", type=float, default=30.0, help="until what has to be told must have been told (default 30)")
    times("--quiet", type=float, default=1.0, help="after which nothing more is expected (default 1)")
    other = made.add_argument_group("the kit itself").add_argument
    other(
        "--compare",
        metavar="URL",
        help="in place of a server, look whether the stand-in answers as the real hook API under this "
        "address does, with --secret-file and --account",
    )
    return made


def read(arguments: Optional[List[str]] = None) -> argparse.Namespace:
    """Reads the command line; says what is wrong with it and ends with status 2."""
    made = parser()
    given = made.parse_args(arguments)
    if given.list:
        return given
    needed = ["compare", "secret_file", "account"] if given.compare else ["listen", "secret_file", "caldav", "user", "calendar"]
    missing = ["--" + name.replace("_", "-") for name in needed if not getattr(given, name)]
    if missing:
        made.error("missing: %s. A whole call:\n\n%s" % (", ".join(missing), textwrap.indent(_EXAMPLE.split("\n\n")[1], "")))
    given.secret = _secret(made, given.secret_file)
    if given.account and not re.match(r"[^@\s]+@[^@\s]+\Z", given.account):
        made.error("--account is an address, not `%s`" % given.account)
    if given.compare:
        _is_url(made, "--compare", given.compare)
        return given
    if not given.listen.startswith("unix:/") and not re.match(r".+:\d{1,5}\Z", given.listen):
        made.error("--listen is HOST:PORT, as in 127.0.0.1:7460, or unix:/path; not `%s`" % given.listen)
    _is_url(made, "--caldav", given.caldav)
    for name in ("user", "guest", "delegate"):
        value = getattr(given, name)
        if value and ":" not in value:
            made.error("--%s is NAME:PASSWORD, with a colon; not `%s`" % (name, value))
    for name in ("calendar", "second_calendar", "delegate_calendar", "import_path"):
        value = getattr(given, name)
        if value and not (value.startswith("/") and (value.endswith("/") or name == "import_path")):
            made.error(
                "--%s is a path that begins and ends with a slash, as in /alice/work/; not `%s`" % (name.replace("_", "-"), value)
            )
    if given.import_path and "{name}" not in given.import_path:
        made.error("--import-path has {name} in it, because what is PUT there replaces what was there: /alice/{name}/")
    if given.delegate_calendar and not given.delegate:
        made.error("--delegate-calendar is of use with --delegate only")
    for name in ("draft_command", "discard_command"):
        if getattr(given, name) and "{uid}" not in getattr(given, name):
            made.error("--%s has {uid} in it" % name.replace("_", "-"))
    if given.server_change_command and not {"{path}", "{summary}"} <= set(re.findall(r"\{\w+\}", given.server_change_command)):
        made.error("--server-change-command has {path} and {summary} in it")
    for name in ("patience", "slack", "settle", "quiet"):
        if not 0 < getattr(given, name) <= 600:
            made.error("--%s is a number of seconds, more than 0 and at most 600" % name)
    return given


def chosen(given: argparse.Namespace) -> Options:
    """The options of a run."""
    names = [name for name in Options.__dataclass_fields__ if hasattr(given, name)]
    return Options(domains=given.domain, **{name: getattr(given, name) for name in names})


def _secret(made: argparse.ArgumentParser, path: str) -> str:
    try:
        with open(os.path.expanduser(path), encoding="ascii") as file:
            secret = file.read().strip()
    except OSError as error:
        made.error(
            "--secret-file: `%s` cannot be read: %s; put any word into it, and the same into the adapter's"
            % (path, error.strerror)
        )
    except UnicodeDecodeError:
        made.error("--secret-file: `%s` holds more than ASCII" % path)
    if not secret or len(secret.split()) != 1:
        made.error("--secret-file: `%s` holds one word, the hook secret" % path)
    return secret


def _is_url(made: argparse.ArgumentParser, name: str, value: str) -> None:
    parts = urlsplit(value)
    try:
        _ = parts.port
    except ValueError:
        made.error("%s: the port of `%s` is no number" % (name, value))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        made.error("%s is an address such as http://127.0.0.1:5232, not `%s`" % (name, value))
