"""Radicale as a program, with the adapter of this repository as it is, or broken on purpose."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import stat
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, List, Sequence

from kit import main
from kit.bench import Finding
from kit.caldav import Client, Unreachable
from kit.options import Options
from tests.ports import free_port

HERE = Path(__file__).resolve().parent
ADAPTER = HERE.parent.parent / "radicale"
SECRET = "conformance-secret"

_RIGHTS = """[own]
user: .+
collection: {user}(/.*)?
permissions: RrWw
[root]
user: .+
collection:
permissions: R
[delegate]
user: secretary
collection: alice(/.*)?
permissions: RrWw
[reader]
user: bob
collection: alice(/.*)?
permissions: Rr
"""
_START = """#!/bin/sh
[ -e pid ] && kill -9 "$(cat pid)" 2>/dev/null
{environment} {python} -m tests.variants {variant} --config {folder}/config >>{folder}/log 2>&1 </dev/null &
echo $! >pid
"""


class Server:
    """One Radicale, and what has to be said to the kit about it."""

    def __init__(self, variant: str = "sound", adapter: str = "patience = 3") -> None:
        self.folder = tempfile.mkdtemp()
        self.port, self.hook_port = free_port(), free_port()
        self._write("users", "alice:pw\nbob:pw\nsecretary:pw\n")
        self._write("rights", _RIGHTS)
        self._write(
            "config",
            (
                "[server]\nhosts = 127.0.0.1:%d\n[auth]\ntype = htpasswd\nhtpasswd_filename = %s/users\nhtpasswd_encryption = plain\n"
                "delay = 0\n[rights]\ntype = from_file\nfile = %s/rights\n[storage]\nfilesystem_folder = %s/store\n"
                % (self.port, self.folder, self.folder, self.folder)
            ),
        )
        self._write("secret", SECRET + "\n")
        self._write(
            "teams-mirror.ini",
            "[teams-mirror]\nhook = http://127.0.0.1:%d\nsecret_file = %s/secret\naddress = {user}@test.tld\n%s\n"
            % (self.hook_port, self.folder, adapter),
        )
        environment = {
            "PYTHONPATH": "%s:%s" % (HERE.parent, ADAPTER),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TEAMS_MIRROR_RADICALE_CONFIG": self.folder + "/teams-mirror.ini",
        }
        self._write(
            "restart",
            "cd %s\n" % shlex.quote(self.folder)
            + _START.format(
                environment=" ".join("%s=%s" % (name, shlex.quote(value)) for name, value in environment.items()),
                python=shlex.quote(sys.executable),
                variant=variant,
                folder=shlex.quote(self.folder),
            ),
        )
        os.chmod(self.folder + "/restart", stat.S_IRWXU)
        self._start()

    def options(self, only: Sequence[str] = (), **more: Any) -> Options:
        """All that this server has."""
        base = "http://127.0.0.1:%d" % self.port
        chosen = dict(
            listen="127.0.0.1:%d" % self.hook_port,
            secret=SECRET,
            caldav=base,
            user="alice:pw",
            calendar="/alice/work/",
            second_calendar="/alice/home/",
            guest="bob:pw",
            delegate="secretary:pw",
            delegate_calendar="/secretary/work/",
            import_path="/alice/{name}/",
            restart_command="sh %s/restart" % shlex.quote(self.folder),
            patience=3.0,
            settle=12.0,
            only=only,
            domains=("test.tld",),
        )
        chosen.update(more)
        return Options(**chosen)

    def look(self, only: Sequence[str] = (), **more: Any) -> List[Finding]:
        """Runs the kit."""
        return main.look(self.options(only, **more))[1]

    def log(self) -> str:
        """What it logged, its end."""
        return Path(self.folder, "log").read_text("utf-8", "replace")[-4000:]

    def close(self) -> None:
        """Kills it and removes what it left."""
        try:
            os.kill(int(Path(self.folder, "pid").read_text()), signal.SIGKILL)
        except (OSError, ValueError):
            pass
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        os.system("sh %s/restart" % shlex.quote(self.folder))
        base = "http://127.0.0.1:%d" % self.port
        alice, secretary = Client(base, "alice:pw"), Client(base, "secretary:pw")
        for _ in range(400):
            try:
                alice.request("OPTIONS", "/", longest=5)
                break
            except Unreachable:
                threading.Event().wait(0.05)
        else:
            raise OSError("Radicale did not start:\n" + self.log())
        for client, path in ((alice, "/alice/work/"), (alice, "/alice/home/"), (secretary, "/secretary/work/")):
            made = client.request("MKCALENDAR", path)
            if made.status != 201:
                raise OSError("no calendar %s: %d\n%s" % (path, made.status, self.log()))

    def _write(self, name: str, text: str) -> None:
        Path(self.folder, name).write_text(text, "utf-8")
