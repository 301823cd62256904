"""What an administrator should know at the start, on standard error and in Radicale's log."""

from __future__ import annotations

import time
from typing import Any, List, Optional, Tuple

from radicale.log import logger

from teams_mirror_radicale.hook import Unanswered
from teams_mirror_radicale.mirror import Mirror, waiting

#: The configuration file named on the command line.
argument: Optional[str] = None


def at_start(mirror: Mirror, configuration: Any) -> None:
    """Says what is wrong. Nothing of it keeps Radicale from starting."""
    problems, remarks = findings(mirror, configuration)
    for problem in problems:
        logger.error("teams-mirror: %s", problem)
    for remark in remarks:
        logger.info("teams-mirror: %s", remark)


def findings(mirror: Mirror, configuration: Any, only_look: bool = False) -> Tuple[List[str], List[str]]:
    """What is wrong, and what is worth knowing. ``only_look``: nothing is made."""
    problems, remarks = [], []
    settings = mirror.settings
    remarks.append("configuration `%s`, hook `%s`, notes in `%s`, at most %d saves wait for a link at once" % (
        settings.source, settings.hook, mirror.spool.folder, waiting(settings, configuration)))
    try:
        mirror.spool.make(only_look)
    except OSError as error:
        problems.append(
            "the folder for notes, `%s`, cannot be written: %s; name another as `spool`, or give it to Radicale's user. "
            "Until then what is saved while teams-mirror does not answer is missing in Teams" % (
                mirror.spool.folder, error.strerror or error))
    kind = configuration.get("auth", "type")
    if kind == "none" and settings.settings_path:
        problems.append(
            "Radicale lets everybody in as anybody (`[auth] type = none`), so everybody could connect a Microsoft account "
            "with any calendar; the settings page `%s` is closed until users log in" % settings.settings_path)
    try:
        answer = mirror.hook.probe()
        if answer.get("code") == "other-domain" and settings.account("teams-mirror-check"):
            problems.append(
                "`address = %s`: %s" % (settings.address, answer.get("detail")))
        elif answer.status == 400:
            problems.append("`address = %s` gives no address: %s" % (settings.address, answer.get("detail")))
        else:
            remarks.append("teams-mirror answers")
    except Unanswered as error:
        mirror.up = not error.down
        problems.append("%s. Until it answers, saves go on and are noted" % error)
    notes = mirror.spool.names()
    if notes:
        remarks.append("notes that wait to be told: %d, the oldest since %s" % (len(notes), _when(notes[0])))
    return problems, remarks


def _when(name: str) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(int(name.split("-", 1)[0]) / 1e9))
    except ValueError:
        return "an unknown time"
