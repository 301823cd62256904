"""``--teams-mirror-check``: says whether all is in order, in place of serving."""

from __future__ import annotations

import os
import sys
from typing import Any

from radicale.app import Application as Radicale

from teams_mirror_radicale import check, settings
from teams_mirror_radicale.mirror import Mirror


class Application(Radicale):
    """Looks, reports, and ends the process: status 0 where all is in order."""

    def __init__(self, configuration: Any) -> None:
        super().__init__(configuration)
        folder = configuration.get("storage", "filesystem_folder")
        if os.path.exists(folder) and os.stat(folder).st_uid != os.geteuid():
            sys.exit("run this as the user who owns `%s`: another may do what Radicale may not" % folder)
        try:
            problems, remarks = check.findings(Mirror(settings.load(check.argument), configuration, self), configuration, True)
        except settings.SettingsError as error:
            problems, remarks = [str(error)], []
        for remark in remarks:
            print("  %s" % remark)
        for problem in problems:
            print("! %s" % problem)
        sys.exit(1 if problems else 0)
