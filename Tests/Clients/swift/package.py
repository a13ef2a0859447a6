"""Makes a package that depends on this one by its path, as the page tells its readers to: `package.py PAGE FOLDER`.

Its manifest is the page's first block, its program the second one. Beside that program it gets two more: `page`, which
runs the other blocks, and `driver`, which does the steps of the scenarios. `package.py PAGE FOLDER run` then runs the
page's blocks and compares what they print.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import indent

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "python"))

from host import ROOT, Host  # noqa: E402

BLOCK = re.compile(r"^```(swift|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STRICT = "swiftSettings: [.treatAllWarnings(as: .error)]"
CLIENT = '.product(name: "CofferClient", package: "coffer")'
DEPENDENCY = '.package(path: "../coffer")'
MORE = f"""\
        .executableTarget(name: "page", dependencies: [{CLIENT}], {STRICT}),
        .executableTarget(
            name: "driver",
            dependencies: [{CLIENT}, .product(name: "CofferJSON", package: "plugin-sdk")],
            {STRICT}
        ),
"""
FUNCTION = """\
import CofferClient

func block%d(_ client: CofferClient, _ files: Storage, _ scratch: Storage) async throws {
%s}
"""
MAIN = """\
import CofferClient

let client = CofferClient()
let (files, scratch) = (client.storage("files"), client.storage("scratch"))
switch CommandLine.arguments[1] {
%s
default: fatalError("there is no such block")
}
"""


def put(path: Path, text: str) -> None:
    """Writes what has changed alone, so that a build begins where the last one ended."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def make(blocks: list[tuple[str, str]], folder: Path) -> None:
    swift = [text for language, text in blocks if language == "swift"]
    manifest, program, rest = swift[0], swift[1], swift[2:]
    assert DEPENDENCY in manifest
    assert "    ]\n)" in manifest
    app = folder / "app"
    put(
        app / "Package.swift",
        manifest.replace(DEPENDENCY, f'{DEPENDENCY}, .package(path: "../coffer/plugin-sdk")').replace(
            "    ]\n)", f"{MORE}    ]\n)"
        ),
    )
    put(app / "Sources/app/main.swift", program)
    shutil.rmtree(app / "Sources/page", ignore_errors=True)
    for number, text in enumerate(rest):
        put(app / f"Sources/page/Block{number}.swift", FUNCTION % (number, indent(text, " " * 4)))
    cases = [f'case "{number}": try await block{number}(client, files, scratch)' for number in range(len(rest))]
    put(app / "Sources/page/main.swift", MAIN % "\n".join(cases))
    for file in (HERE / "Driver").iterdir():
        put(app / "Sources/driver" / file.name, file.read_text())
    link = folder / "coffer"
    link.unlink(missing_ok=True)
    link.symlink_to(ROOT)


def run(blocks: list[tuple[str, str]], folder: Path) -> None:
    host = Host()
    atexit.register(host.stop)
    printed, count = "", -1
    for language, text in blocks:
        if language == "text":
            assert printed == text, f"block {count} printed {printed!r} instead of {text!r}"
            continue
        count += 1
        if count == 0:
            continue
        built = folder / "app/.build/debug"
        words = [built / "app"] if count == 1 else [built / "page", str(count - 2)]
        done = subprocess.run(
            words, env={**os.environ, "COFFER_SOCKET": host.socket}, stdout=subprocess.PIPE, text=True, timeout=60
        )
        printed = done.stdout
        assert done.returncode == 0, f"block {count} failed: {text}"
    host.end()
    print(f"{count} blocks do what the page says")


def main() -> None:
    page, folder = Path(sys.argv[1]), Path(sys.argv[2])
    blocks = BLOCK.findall(page.read_text())
    (run if "run" in sys.argv[3:] else make)(blocks, folder)


main()
