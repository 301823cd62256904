"""From the command line to the status."""

from __future__ import annotations

import sys
import time
from typing import Callable, List, Optional, Tuple

from kit import compare, options, report, runner
from kit.bench import Bench, Finding
from kit.caldav import Unreachable
from kit.options import Options
from kit.standin import StandIn


def main(arguments: Optional[List[str]] = None) -> int:
    """Gives the status: 0, no MUST failed; 1, one did; 2, nothing could be looked at."""
    given = options.read(arguments)
    if given.list:
        print(report.listed())
        return 0
    if given.compare:
        return compare.run(given.compare, given.secret, given.account)
    chosen = options.chosen(given)
    begun = time.monotonic()

    def progress(what: str) -> None:
        print("%5.1f s  %s" % (time.monotonic() - begun, what), file=sys.stderr, flush=True)

    try:
        bench, findings = look(chosen, progress)
    except runner.CannotBegin as error:
        print("conformance: %s" % error, file=sys.stderr)
        return 2
    print(report.as_json(bench, findings) if chosen.as_json else report.table(findings, chosen.verbose))
    return 1 if report.failed(findings) else 0


def look(chosen: Options, progress: Callable[[str], None] = lambda _: None) -> Tuple[Bench, List[Finding]]:
    """Looks at a server. Raises `CannotBegin`."""
    ids = runner.wanted(list(chosen.only))
    standin = StandIn(chosen.listen, chosen.secret, list(chosen.domains))
    try:
        standin.start()
    except OSError as error:
        raise runner.CannotBegin(
            "`%s` cannot be listened on: %s; is teams-mirror itself running there?" % (chosen.listen, error.strerror or error)
        ) from error
    bench = Bench(chosen, standin)
    try:
        runner.preflight(bench)
        return bench, runner.play(bench, ids, progress)
    except Unreachable as error:
        raise runner.CannotBegin("the server stopped answering: %s" % error) from error
    finally:
        try:
            bench.tidy()
        finally:
            standin.forget()
            standin.stop()
