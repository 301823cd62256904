"""Radicale's own server, with a broken adapter: ``python -m tests.variants NAME [Radicale's options]``."""

import sys

from teams_mirror_radicale.__main__ import main

from tests.variants import VARIANTS

name = sys.argv.pop(1)
if name != "sound":
    VARIANTS[name][1]()
main()
