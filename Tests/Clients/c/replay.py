"""Replays Tests/Scenarios with the C client: the matching is that of the Python replayer, the calls are driver.c's."""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "python"), str(HERE.parents[2] / "Sources/python/src")]

import scenarios as python  # noqa: E402
from host import Host  # noqa: E402


class Driver:
    """The program that makes the calls."""

    def __init__(self, words, socket):
        self.process = subprocess.Popen([*words, socket], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._folder = tempfile.TemporaryDirectory(prefix="coffer-c-")
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
        self.driver, self.name, self.saved = driver, storage, {"storage": storage}

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
        if verb in REQUESTS:
            step = REQUESTS[verb](quote(storage, safe=""), **{name: step[name] for name in step if name != "call"})
            step = {"call": "request", **step}
        answer = self.driver.call(storage=storage, **step)
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
        if verb == "list":
            entries = found["entries"]
            return {
                "keys": [key for key, is_object in entries if is_object],
                "prefixes": [key for key, is_object in entries if not is_object],
            }
        if verb == "page":
            return {**found, "keys": [one["key"] for one in found["objects"]]}
        if verb == "containers":
            return {"names": [one["name"] for one in found["containers"]]}
        if verb == "storages":
            names = [one["name"] for one in found["storages"]]
            return {"names": names, "default": next(one["name"] for one in found["storages"] if one["default"])}
        return found


def ask(path):
    return lambda storage: {"method": "GET", "target": path.format(storage=storage)}


def page(storage, **which):
    assert set(which) <= {"prefix", "delimiter", "start_after", "cursor", "limit"}, which
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in which.items())
    return {"method": "GET", "target": f"/v1/storages/{storage}/objects?{query}"}


# The verbs that have no function of their own in C.
REQUESTS = {
    "page": page,
    "info": ask("/v1/storages/{storage}"),
    "check": ask("/v1/storages/{storage}/health"),
    "containers": ask("/v1/storages/{storage}/containers"),
    "make_container": lambda storage, name: {"method": "PUT", "target": f"/v1/storages/{storage}/containers/{name}"},
    "remove_container": lambda storage, name: {
        "method": "DELETE",
        "target": f"/v1/storages/{storage}/containers/{name}",
    },
    "make_storage": lambda storage, name, settings: {
        "method": "PUT",
        "target": f"/v1/storages/{name}",
        "document": json.dumps(settings),
    },
    "drop_storage": lambda storage, name: {"method": "DELETE", "target": f"/v1/storages/{name}"},
    "health": ask("/v1/health"),
    "version": ask("/v1/version"),
    "profiles": ask("/v1/profiles"),
    "plugins": ask("/v1/plugins"),
    "storages": ask("/v1/storages"),
    "activate": lambda storage, profile: {"method": "POST", "target": f"/v1/profiles/{profile}/activate"},
    "reload": lambda storage: {"method": "POST", "target": "/v1/reload"},
}


def main() -> int:
    """`replay.py DRIVER…`: what stands before the socket on the driver's command line."""
    # Also where an answer is not what it should be, nothing is left running.
    host = Host((python.FOLDER / "coffer.yaml").read_text())
    atexit.register(host.stop)
    driver = Driver(sys.argv[1:], host.socket)
    paths = driver.call(call="request", method="GET", target="/v1/openapi.json")["result"]["paths"]
    failures = passed = skipped = 0
    for name, storage, scenario in python.scenarios():
        method, _, path = scenario.get("route", "").partition(" ")
        if path and method.lower() not in paths.get(path, {}):
            skipped += 1
            continue
        try:
            Replay(driver, storage).run(scenario)
            passed += 1
        except python.Wrong as error:
            failures += 1
            print(f"{name}: {error}")
    driver.end()
    host.end()
    print(f"{passed} scenarios passed, {failures} failed, {skipped} skipped")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
