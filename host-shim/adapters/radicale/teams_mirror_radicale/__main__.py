"""Radicale's own server, with teams-mirror: ``python -m teams_mirror_radicale [options]``.

All options are Radicale's, but for those in `_HELP`.
"""

from __future__ import annotations

import sys
from typing import List

import radicale.__main__
import radicale.server

from teams_mirror_radicale import check, log, preflight
from teams_mirror_radicale.application import Application

_CONFIG = "--teams-mirror-config"
_CHECK = "--teams-mirror-check"

#: What `--help` says after Radicale's own.
_HELP = """
teams-mirror:
  --teams-mirror-config FILE
                        the adapter's configuration
  --teams-mirror-check  see whether all is in order, say what is not, and exit;
                        makes and changes nothing
"""


def main() -> None:
    """Takes the adapter's options away and hands the rest to Radicale."""
    rest: List[str] = []
    wants_check = False
    arguments = iter(sys.argv[1:])
    for argument in arguments:
        if argument == _CONFIG:
            check.argument = next(arguments, None)
            if check.argument is None:
                sys.exit("%s wants a file" % _CONFIG)
        elif argument.startswith(_CONFIG + "="):
            check.argument = argument[len(_CONFIG) + 1:]
        elif argument == _CHECK:
            wants_check = True
        else:
            rest.append(argument)
    sys.argv[1:] = rest
    if "--help" in rest or "-h" in rest:
        try:
            radicale.__main__.run()
        finally:
            print(_HELP, end="")
    if wants_check:
        # What Radicale says while it starts would bury what was asked for.
        log.quiet()
        radicale.server.serve = preflight.serve
    else:
        # Radicale's server makes its application by this name.
        radicale.server.Application = Application
    radicale.__main__.run()


if __name__ == "__main__":
    main()
