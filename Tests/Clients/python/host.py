"""A real host in a folder of its own, which tests start, kill and start again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("COFFER_BUILD", ROOT / ".build/release")).resolve()

CONFIGURATION = """\
defaults: { backend: memory, on_conflict: replace }
storages:
  files:   { backend: local, root: ./files, durability: relaxed, url: "https://files.example.org/" }
  scratch: {}
"""


class Host:
    """A host; `start` returns when it has said that it is ready."""

    def __init__(self, configuration: str = CONFIGURATION, fixtures: dict[str, list[str]] | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="coffer-")
        self.folder = Path(self._folder.name)
        self.socket = str(self.folder / "coffer.sock")
        (self.folder / "coffer.yaml").write_text(configuration.replace("FOLDER", self._folder.name))
        for name, words in (fixtures or {}).items():
            compiler = ["cc", "-shared", "-fPIC", f"-I{ROOT}/plugin-sdk/C/include", "-o", str(self.folder / name)]
            subprocess.run([*compiler, *words], cwd=ROOT / "Tests/Fixtures/Plugins", check=True)
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        assert self.process is None
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            notify = self.folder / "notify.sock"
            notify.unlink(missing_ok=True)
            ready.bind(str(notify))
            ready.settimeout(0.1)
            environment = {
                "HOME": str(self.folder),
                "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
                "NOTIFY_SOCKET": str(notify),
                "STATE_DIRECTORY": str(self.folder / "state"),
            }
            if "LD_LIBRARY_PATH" in os.environ:
                environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
            words = [f"{BUILD}/cofferd", "--config", f"{self.folder}/coffer.yaml", "--socket", self.socket]
            with open(self.folder / "log", "ab") as log:
                self.process = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
            deadline, said = time.monotonic() + 60, b""
            while b"READY=1" not in said:
                try:
                    said = ready.recv(4096)
                except socket.timeout:
                    # One that ends says why, and nobody waits for it.
                    if self.process.poll() is not None or time.monotonic() > deadline:
                        self.stop(signal.SIGKILL)
                        raise AssertionError(f"the host is not ready: {self.said()}") from None

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None

    def restart(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.stop(how)
        self.start()

    def descriptors(self) -> int:
        assert self.process is not None
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def said(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def end(self) -> None:
        self.stop(signal.SIGTERM)
        assert "Fatal error" not in self.said(), self.said()
        self._folder.cleanup()
