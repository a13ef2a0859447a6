"""Compiles and runs each block of C of a page, and compares what it prints: `page.py PAGE FOLDER LIBRARY_FOLDER`."""

from __future__ import annotations

import atexit
import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import indent

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "python"))

from host import ROOT, Host  # noqa: E402

BLOCK = re.compile(r"^```(c|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FLAGS = "-std=c11 -pedantic -Wall -Wextra -Werror -g -fsanitize=address,undefined".split()
AROUND = """\
#include <coffer.h>
#include <stdio.h>
static int block(coffer_client *client) {
    coffer_failure failure = COFFER_FAILURE_INIT;
%s
    return 0;
}
int main(void) {
    coffer_client *client;
    if (coffer_client_open(NULL, NULL, &client, NULL)) return 2;
    int status = block(client);
    coffer_client_close(client);
    return status;
}
"""


def main() -> None:
    page, folder, library = map(Path, sys.argv[1:])
    folder.mkdir()
    host = Host()
    atexit.register(host.stop)
    printed, blocks = "", 0
    for language, text in BLOCK.findall(page.read_text()):
        if language == "text":
            assert printed == text, f"printed {printed!r} instead of {text!r}"
            continue
        source, program = folder / f"block{blocks}.c", folder / f"block{blocks}"
        source.write_text(text if text.startswith("#include") else AROUND % indent(text, " " * 4))
        subprocess.run(
            [
                "cc",
                *FLAGS,
                f"-I{ROOT}/Sources/libcoffer/include",
                source,
                f"-L{library}",
                "-lcoffer",
                f"-Wl,-rpath,{library}",
                "-o",
                program,
            ],
            check=True,
        )
        run = subprocess.run(
            [program], env={**os.environ, "COFFER_SOCKET": host.socket}, stdout=subprocess.PIPE, text=True
        )
        printed = run.stdout
        assert run.returncode == 0, f"block {blocks} failed: {text}"
        blocks += 1
    assert blocks
    host.end()
    print(f"{blocks} blocks do what the page says")


main()
