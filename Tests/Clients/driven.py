"""Replays Tests/Scenarios with a client by a program that makes its calls: `driven.py DRIVER…`.

The matching is that of the Python replayer. A driver gets the host's socket as its last word, and then one step as
JSON on a line: verb, storage and arguments are those of Tests/Scenarios, but `body` is the path of a file, and what
get, read and seek find goes to the file `into` (of seek one after the other, with `counts` in the answer). It
answers with a line: `{"result": …}`, `{"error": …}`, or `{"unsayable": REASON}` where its language cannot express
what the host refuses.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "python"), str(HERE.parents[1] / "Sources/python/src")]

import coffer  # noqa: E402
import scenarios as python  # noqa: E402


class Driver:
    """The program that makes the calls."""

    def __init__(self, words, socket):
        self.process = subprocess.Popen([*words, socket], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._folder = tempfile.TemporaryDirectory(prefix="coffer-driver-")
        self.body = Path(self._folder.name, "body")
        self.into = Path(self._folder.name, "into")

    def call(self, **step):
        self.process.stdin.write(json.dumps(step).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the driver ended at {step}"
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(120) == 0, "the driver failed"


class Replay(python.Replay):
    """One run of one scenario."""

    def __init__(self, driver, storage):
        self.driver, self.name, self.saved, self.unsayable = driver, storage, {"storage": storage}, []

    def run(self, scenario):
        for name in python.EMPTIED:
            assert "result" in self.driver.call(call="delete_prefix", storage=name, prefix="", force=True)
        for number, step in enumerate(scenario["steps"], 1):
            try:
                self.step(self.filled(step))
            except python.Wrong as error:
                raise python.Wrong(f"step {number} ({step['call']}): {error}") from None

    def step(self, step):
        gives, fails, save = step.pop("gives", {}), step.pop("fails", None), step.pop("save", {})
        verb, storage = step["call"], step.pop("storage", self.name)
        if "body" in step:
            self.driver.body.write_bytes(python.body(step["body"]))
            step["body"] = str(self.driver.body)
        if verb in ("get", "read", "seek"):
            step["into"] = str(self.driver.into)
        reads = step.get("reads", [])
        answer = self.driver.call(storage=storage, **self.asked(verb, storage, step))
        if "unsayable" in answer:
            if fails is None or fails.get("code") != "invalid_argument":
                raise python.Wrong(f"cannot be said: {answer['unsayable']}")
            self.unsayable.append(answer["unsayable"])
            return
        if "error" in answer:
            if fails is None:
                raise python.Wrong(f"failed with {answer['error']}")
            self.compare(fails, answer["error"])
            return
        if fails is not None:
            raise python.Wrong(f"gave {answer} instead of failing with {fails}")
        result = self.result(verb, answer["result"], reads)
        self.compare(gives, result)
        for name, member in save.items():
            self.saved[name] = result[member]

    def asked(self, verb, storage, step):
        """The step as the driver takes it."""
        return step

    def result(self, verb, found, reads):
        """What the driver told, as the scenarios name it."""
        if verb in ("get", "read"):
            return {**found, "body": self.driver.into.read_bytes()}
        if verb == "seek":
            data, bodies = self.driver.into.read_bytes(), []
            for count in found["counts"]:
                bodies.append(data[:count])
                data = data[count:]
            assert len(bodies) == len(reads) and not data
            return {"bodies": bodies}
        return found


def main(replay=Replay) -> int:
    # Also where an answer is not what it should be, nothing is left running.
    host = python.scenarios_host()
    atexit.register(host.stop)
    with coffer.Client(host.socket) as client:
        paths = client.openapi()["paths"]
    driver = Driver(sys.argv[1:], host.socket)
    failures = passed = skipped = 0
    for name, storage, scenario in python.scenarios():
        method, _, path = scenario.get("route", "").partition(" ")
        if path and method.lower() not in paths.get(path, {}):
            skipped += 1
            print(f"{name}: skipped, this host has no {scenario['route']}")
            continue
        run = replay(driver, storage)
        try:
            run.run(scenario)
            passed += 1
        except python.Wrong as error:
            failures += 1
            print(f"{name}: {error}")
        for reason in run.unsayable:
            print(f"{name}: refused by its types: {reason}")
    driver.end()
    host.end()
    print(f"{passed} scenarios passed, {failures} failed, {skipped} skipped")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
