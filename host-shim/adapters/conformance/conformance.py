#!/usr/bin/env python3
"""Looks whether a server with its adapter keeps the contract of the hook API of teams-mirror. See README.md and PROTOCOL.md."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from kit.main import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
