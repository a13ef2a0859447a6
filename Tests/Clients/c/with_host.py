"""Runs a command against a host of its own: `with_host.py COMMAND…`; its socket is COFFER_SOCKET."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from host import Host  # noqa: E402

host = Host()
atexit.register(host.stop)
status = subprocess.run(
    [word.replace("{socket}", host.socket) for word in sys.argv[1:]], env={**os.environ, "COFFER_SOCKET": host.socket}
).returncode
host.end()
sys.exit(status)
