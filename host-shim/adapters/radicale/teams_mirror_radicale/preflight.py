"""``--teams-mirror-check``: says whether all is in order, in place of serving.

Neither Radicale's application nor its storage is made for it, because they make folders where there are none: whoever tries
this as another user, or before Radicale was ever started, leaves nothing behind.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from teams_mirror_radicale import check, settings, stored
from teams_mirror_radicale.hook import Hook
from teams_mirror_radicale.log import printable
from teams_mirror_radicale.mirror import spool


def serve(configuration: Any, _shutdown: Any = None) -> None:
    """Looks, reports, and ends the process: status 0 where all is in order. In the place of `radicale.server.serve`."""
    configuration = configuration.copy()
    configuration.update({"server": {"_internal_server": "True"}}, "server", privileged=True)
    folder = configuration.get("storage", "filesystem_folder")
    if os.path.exists(folder) and os.stat(folder).st_uid != os.geteuid():
        sys.exit("run this as the user who owns `%s`: another may do what Radicale may not" % folder)
    problems, remarks = [], []
    try:
        stored.known_rights()
        chosen = settings.load(check.argument)
        problems, remarks = check.findings(chosen, configuration, Hook(chosen), spool(chosen, configuration), True)[:2]
    except settings.SettingsError as error:
        problems.append(str(error))
    if not os.path.exists(folder):
        remarks.append("the folder of collections, `%s`, is not there yet; Radicale makes it at its first start, so this is "
                       "for Radicale's user to run" % folder)
    sys.stderr.flush()
    print("\nteams-mirror: %s" % ("this is not in order" if problems else "all is in order"))
    for remark in remarks:
        print("  %s" % printable(remark))
    for problem in problems:
        print("! %s" % printable(problem))
    sys.stdout.flush()
    sys.exit(1 if problems else 0)
