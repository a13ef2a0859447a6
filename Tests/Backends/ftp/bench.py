"""bench.py LIBRARY ENV WORK RCLONE: interleaved rounds of the plugin, rclone and curl on the server of ENV."""

import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from plugin import Plugin  # noqa: E402

library, environment, work, rclone = sys.argv[1:5]
settings = dict(line.split("=", 1) for line in open(environment).read().split("\n") if line)
home = pathlib.Path(settings["HOME_DIRECTORY"])
rounds = int(os.environ.get("ROUNDS", "3"))
small, size, workers, large = 1000, 4096, 8, 256 << 20
folder = pathlib.Path(work)
environment = {
    **os.environ, "RCLONE_CONFIG": "/dev/null", "RCLONE_FTP_HOST": "127.0.0.1", "RCLONE_FTP_PORT": settings["PORT"],
    "RCLONE_FTP_USER": "test",
    "RCLONE_FTP_PASS": subprocess.run([rclone, "obscure", settings["PASSWORD"]], capture_output=True, text=True, check=True)
    .stdout.strip(),
}
user, url = f"test:{settings['PASSWORD']}", f"ftp://127.0.0.1:{settings['PORT']}"

(folder / "large").write_bytes(os.urandom(1 << 20) * (large >> 20))
block = (folder / "large").read_bytes()
(folder / "small").mkdir()
content = os.urandom(size)
for n in range(small):
    (folder / "small" / f"{n}").write_bytes(content)


def timed(body):
    began = time.monotonic()
    body()
    return time.monotonic() - began


def run(*words):
    subprocess.run(words, check=True, env=environment, stdout=subprocess.DEVNULL)


def shared(body):
    """Runs `body` for each small object, over as many threads as a host would."""
    def work_on(first):
        for n in range(first, small, workers):
            body(n)

    threads = [threading.Thread(target=work_on, args=(first,)) for first in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def plugin():
    return Plugin(
        library, host="127.0.0.1", port=settings["PORT"], user="test", password=settings["PASSWORD"], root="ours",
        atomic_rename="true", connections=workers, seconds=120)


def list_of(name, method):
    lines = "".join(method(n) for n in range(small))
    (folder / name).write_text(lines)
    return str(folder / name)


ups = list_of("ups", lambda n: f'url = "{url}/curl/{n}"\nupload-file = "{folder}/small/{n}"\n')
downs = list_of("downs", lambda n: f'url = "{url}/curl/{n}"\noutput = "/dev/null"\n')
opened = plugin()
opened.put("warm", b"x")


into = folder / "down"
tasks = {
    f"{small} files of {size} B up": {
        "coffer": lambda: shared(lambda n: opened.put(f"small/{n}", content)),
        "rclone": lambda: run(rclone, "copy", f"{folder}/small", ":ftp:rclone"),
        "curl": lambda: run("curl", "-sS", "-u", user, "--ftp-create-dirs", "-K", ups),
    },
    f"{small} files of {size} B down": {
        "coffer": lambda: shared(lambda n: opened.get(f"small/{n}")),
        "rclone": lambda: run(rclone, "copy", ":ftp:rclone", str(into)),
        "curl": lambda: run("curl", "-sS", "-u", user, "-K", downs),
    },
    "256 MiB up": {
        "coffer": lambda: opened.put("large", block),
        "rclone": lambda: run(rclone, "copyto", f"{folder}/large", ":ftp:rclone-large"),
        "curl": lambda: run("curl", "-sS", "-u", user, "-T", f"{folder}/large", f"{url}/curl-large"),
    },
    "256 MiB down": {
        "coffer": lambda: opened.get("large", keep=False),
        "rclone": lambda: run(rclone, "cat", ":ftp:rclone-large"),
        "curl": lambda: run("curl", "-sS", "-u", user, "-o", "/dev/null", f"{url}/curl-large"),
    },
    f"list {small} files": {
        "coffer": lambda: opened.list("small/"),
        "rclone": lambda: run(rclone, "lsf", ":ftp:rclone"),
        "curl": lambda: run("curl", "-sS", "-u", user, f"{url}/curl/"),
    },
}
contenders = ["coffer", "rclone", "curl"]


def round_of(number):
    """Seconds of each contender at each task; who begins changes from round to round."""
    order = contenders[number % 3 :] + contenders[: number % 3]
    return {task: {name: timed(bodies[name]) for name in order} for task, bodies in tasks.items()}


measured = []
for number in range(rounds):
    measured.append(round_of(number))
    for name in ("ours/small", "rclone", "curl"):
        subprocess.run(["rm", "-rf", str(home / name), str(folder / "down")], check=True)
opened.close()
print("| | coffer | rclone | curl | rclone / coffer | curl / coffer |\n| --- | --- | --- | --- | --- | --- |")
for task in measured[0]:
    seconds = {name: statistics.median(one[task][name] for one in measured) for name in contenders}
    ratios = [statistics.median(one[task][name] / one[task]["coffer"] for one in measured) for name in ("rclone", "curl")]
    print(f"| {task} | " + " | ".join(f"{value:.2f} s" for value in seconds.values()) + " | "
          + " | ".join(f"{ratio:.2f}x" for ratio in ratios) + " |")
