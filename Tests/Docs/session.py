"""Runs the code blocks of a Markdown page as its reader would, and compares what they print.

    session.py BUILD_FOLDER PAGE.md [--update]

What it does with a block:
  ```console   lines after `$ ` are commands of one shell; the lines below a command are what it must print.
               `…` stands for anything, and so do fields of an answer's head that are not shown. Times, entity tags, UUIDs, sizes of disks and milliseconds are not compared.
               A command that ends in `&` runs in the background until the page ends; a host is waited for.
  ```yaml      under a line `<!-- file: NAME -->` it is written to NAME; else it must be a right configuration.
  ```swift     must stand, word for word, in examples/swift/main.swift, which the build compiles.
Other blocks are for reading. `--update` writes what the commands printed into the page, where it differs.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)$")
FILE = re.compile(r"^<!-- file: (\S+) -->$")

# What differs from run to run, in what is printed and in what is expected alike.
CHANGING = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"), "TIME"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"\b[0-9a-f]{8,16}(-[0-9a-f]+){3}\b|\b[0-9a-f]{8,16}-\d+\b"), "TAG"),
    # Times and tags are shorter when they end in zeros, or begin with them.
    (re.compile(r"Content-Length: \d{3,}"), "Content-Length: N"),
    (re.compile(r"\b\d+ ms\b"), "N ms"),
    (re.compile(r"\b\d+ (passed|skipped)\b"), r"N \1"),
    (re.compile(r'("milliseconds":)\d+'), r"\1N"),
    (re.compile(r"(bytes_(free|total)\W+)\d+"), r"\1N"),
]


class Page:
    """A page as its lines, its blocks, and what is to be written back."""

    def __init__(self, path):
        self.path = path
        self.lines = path.read_text().split("\n")

    def blocks(self):
        """Each block: its language, the file that it is, its first line and the line after its last."""
        start = None
        for number, line in enumerate(self.lines):
            fence = FENCE.match(line)
            if start is None and fence:
                start, language = number, fence.group(1)
            elif start is not None and line == "```":
                named = FILE.match(self.lines[start - 1]) if start else None
                yield language, named and named.group(1), start + 1, number
                start = None
        if start is not None:
            raise SystemExit(f"{self.path}:{start + 1}: the block has no end")


class Shell:
    """One shell for the whole page, in a folder of its own that looks like a fresh clone."""

    def __init__(self, build):
        # As long as /home/you/coffer, by which it is called in pages: columns stay aligned.
        self.folder = Path(tempfile.mkdtemp(prefix="cof", dir="/tmp"))
        for name in ["README.md", "LICENSE", "examples", "docs", "plugin-sdk"]:
            source = ROOT / name
            if source.exists():
                os.symlink(source, self.folder / name)
        self.build = build
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(self.folder / "notify"))
        self.notify.settimeout(60)
        (self.folder / "home").mkdir()
        (self.folder / "home" / ".curlrc").write_text('silent\nshow-error\nheader = "Expect:"\n')
        environment = {
            "PATH": f"{build}:{os.environ['PATH']}",
            "HOME": str(self.folder / "home"),
            "STATE_DIRECTORY": str(self.folder / "state"),
            "NOTIFY_SOCKET": str(self.folder / "notify"),
            "LC_ALL": "C.UTF-8",
        }
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, command):
        """What `command` printed, and its exit status."""
        mark = "--- end of command ---"
        background = command.rstrip().endswith("&")
        if background:
            command = command.rstrip()[:-1] + f">>{self.folder}/log 2>&1 </dev/null &"
        self.process.stdin.write(f"{command}\nprintf '\\n%s %s\\n' '{mark}' \"$?\"\n")
        self.process.stdin.flush()
        printed = []
        for line in self.process.stdout:
            if line.startswith(mark):
                break
            printed.append(line)
        else:
            raise SystemExit(f"the shell ended in: {command}")
        if background and "cofferd" in command:
            self.wait_for_host()
        text = "".join(printed)
        # The mark begins on a line of its own.
        return text[:-1] if text.endswith("\n") else text

    def wait_for_host(self):
        try:
            while b"READY=1" not in self.notify.recv(4096):
                pass
        except TimeoutError:
            raise SystemExit("the host is not ready: " + (self.folder / "log").read_text())

    def end(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.stdin.close()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def normal(text, folder):
    text = text.replace(str(folder), "/home/you/coffer")
    for pattern, word in CHANGING:
        text = pattern.sub(word, text)
    return "\n".join(line.rstrip() for line in text.replace("\r", "").split("\n")).rstrip()


def matches(expected, printed):
    if expected.startswith("HTTP/"):
        # A page shows the fields that matter; the others are not compared.
        head, _, body = expected.partition("\n\n")
        printed_head, _, printed_body = printed.partition("\n\n")
        head, printed_head = head.split("\n"), printed_head.split("\n")
        return head[0] == printed_head[0] and set(head) <= set(printed_head) and matches(body, printed_body)
    pieces = [re.escape(piece) for piece in expected.split("…")]
    return re.fullmatch(".*".join(pieces), printed, re.DOTALL) is not None


def steps(lines):
    """The commands of a console block with what they must print."""
    found = []
    for line in lines:
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1][0].append(line[2:])
        elif found:
            found[-1][1].append(line)
    return found


def check_yaml(build, text):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "coffer.yaml"
        file.write_text(text)
        result = subprocess.run(
            [f"{build}/cofferd", "config", "check", "--config", file], capture_output=True, text=True, cwd=folder
        )
        return result.stdout + result.stderr if result.returncode else ""


def main():
    build, path = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    updating = "--update" in sys.argv
    page, shell = Page(path), Shell(build)
    failures, count, replaced = [], 0, []
    try:
        for language, name, start, end in page.blocks():
            lines = page.lines[start:end]
            if language == "yaml" and name:
                (shell.folder / name).write_text("\n".join(lines) + "\n")
            elif language == "yaml":
                count += 1
                if wrong := check_yaml(build, "\n".join(lines) + "\n"):
                    failures.append(f"{path}:{start + 1}: {wrong}")
            elif language == "swift":
                count += 1
                if "\n".join(lines) not in (ROOT / "examples/swift/main.swift").read_text():
                    failures.append(f"{path}:{start + 1}: this is not in examples/swift/main.swift")
            elif language == "console":
                written = []
                for command, output in steps(lines):
                    count += 1
                    printed = shell.run("\n".join(command))
                    expected = normal("\n".join(output), shell.folder)
                    shown = ["$ " + command[0]] + ["> " + line for line in command[1:]]
                    if matches(expected, normal(printed, shell.folder)):
                        written += shown + output
                        continue
                    text = printed.replace(str(shell.folder), "/home/you/coffer").replace("\r", "").rstrip()
                    written += shown + (text.split("\n") if text else [])
                    failures.append(f"{path}:{start + 1}: $ {command[0]}\nexpected:\n{expected}\nprinted:\n{text}\n")
                replaced.append((start, end, written))
    finally:
        shell.end()
    if updating:
        for start, end, written in reversed(replaced):
            page.lines[start:end] = written
        path.write_text("\n".join(page.lines))
        print(f"{path}: {count} steps, {len(failures)} written anew")
        return
    for failure in failures:
        print(failure)
    print(f"{path}: {count} steps, {len(failures)} failed")
    sys.exit(1 if failures else 0)


main()
