"""What an administrator should know at the start, on standard error and in Radicale's log."""

from __future__ import annotations

import os
import time
from typing import Any, List, Optional, Tuple


from teams_mirror_radicale.hook import Hook, Unanswered
from teams_mirror_radicale.log import logger
from teams_mirror_radicale.mirror import Mirror, option, waiting
from teams_mirror_radicale.settings import Settings, folded
from teams_mirror_radicale.spool import Spool

#: So many names are written out where there are many.
_NAMED = 5

#: The configuration file named on the command line.
argument: Optional[str] = None


def at_start(mirror: Mirror, configuration: Any) -> None:
    """Says what is wrong. Nothing of it keeps Radicale from starting."""
    problems, remarks, unanswered = findings(mirror.settings, configuration, mirror.hook, mirror.spool)
    mirror.up = unanswered is None or not unanswered.down
    for problem in problems:
        logger.error("teams-mirror: %s", problem)
    for remark in remarks:
        logger.info("teams-mirror: %s", remark)


def findings(settings: Settings, configuration: Any, hook: Hook, spool: Spool,
             only_look: bool = False) -> Tuple[List[str], List[str], Optional[Unanswered]]:
    """What is wrong, what is worth knowing, and why the hook does not answer, if so. ``only_look``: nothing is made."""
    problems, remarks, unanswered = [], [], None
    remarks.append("configuration `%s`, hook `%s`, notes in `%s`, at most %d saves wait for a link at once" % (
        settings.source, settings.hook, spool.folder, waiting(settings, configuration)))
    try:
        spool.make(only_look)
    except OSError as error:
        problems.append(
            "the folder for notes, `%s`, cannot be written: %s; name another as `spool`, or give it to Radicale's user. "
            "Until then what is saved while teams-mirror does not answer is missing in Teams" % (
                spool.folder, error.strerror or error))
    kind = configuration.get("auth", "type")
    if kind == "none" and settings.settings_path:
        problems.append(
            "Radicale lets everybody in as anybody (`[auth] type = none`), so everybody could connect a Microsoft account "
            "with any calendar; the settings page `%s` is closed until users log in" % settings.settings_path)
    try:
        answer = hook.probe()
        if answer.get("code") == "other-domain" and settings.account("teams-mirror-check"):
            problems.append(
                "`address = %s`: %s" % (settings.address, answer.get("detail")))
        elif answer.status == 400:
            problems.append("`address = %s` gives no address: %s" % (settings.address, answer.get("detail")))
        else:
            remarks.append("teams-mirror answers")
    except Unanswered as error:
        unanswered = error
        problems.append("%s. Until it answers, saves go on and are noted" % error)
    _left_out(settings, configuration, problems, remarks)
    notes = spool.names()
    if notes:
        remarks.append("notes that wait to be told: %d, the oldest since %s" % (len(notes), _when(notes[0])))
    return problems, remarks, unanswered


def _left_out(settings: Settings, configuration: Any, problems: List[str], remarks: List[str]) -> None:
    """Whose calendars are there and have no address."""
    upper = bool(option(configuration, "auth", "uc_username", False))
    left = [name for name in principals(configuration) if settings.account(name, upper) is None]
    wanted = {name: folded(name).upper() if upper else folded(name) for name in left}
    cased = [name for name in left if wanted[name] != name]
    if cased:
        lowers = option(configuration, "auth", "lc_username", None)
        problems.append(
            "not mirrored: the calendars of %s. To Radicale, logins that differ in case are different people; they would share "
            "one address. Have these users log in as %s, and rename their folders in `%s` to that while Radicale is stopped%s" % (
                _names(cased), _names([wanted[name] for name in cased]), _collections(configuration),
                "; with `[auth] lc_username = True` Radicale takes any case" if lowers is False and not upper else ""))
    others = [name for name in left if wanted[name] == name]
    if others:
        remarks.append("not mirrored: the calendars of %s, because `address = %s` makes no address of these logins" % (
            _names(others), settings.address))


def principals(configuration: Any) -> List[str]:
    """The users who have a folder in Radicale's own storage. Looked up in the file system, because Radicale's storage makes
    folders when it is asked."""
    if not str(configuration.get("storage", "type")).startswith("multifilesystem"):
        return []
    groups = option(configuration, "group", "group_collections_folder", None)
    try:
        with os.scandir(_collections(configuration)) as entries:
            return sorted(entry.name for entry in entries
                          if entry.is_dir() and not entry.name.startswith(".") and entry.name != groups)
    except OSError:
        return []


def _collections(configuration: Any) -> str:
    return os.path.join(configuration.get("storage", "filesystem_folder"), "collection-root")


def _names(names: List[str]) -> str:
    written = ", ".join("`%s`" % name for name in names[:_NAMED])
    return written + (" and %d more" % (len(names) - _NAMED) if len(names) > _NAMED else "")


def _when(name: str) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(int(name.split("-", 1)[0]) / 1e9))
    except ValueError:
        return "an unknown time"
