"""Replays Tests/Scenarios with the C client: the calls are driver.c's, and the rest is ../driven.py."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import driven  # noqa: E402
from driven import Driver  # noqa: E402, F401


class Replay(driven.Replay):
    """One run of one scenario; what has no function of its own goes by coffer_request."""

    def asked(self, verb, storage, step):
        if verb not in REQUESTS:
            return step
        arguments = {name: step[name] for name in step if name != "call"}
        return {"call": "request", **REQUESTS[verb](quote(storage, safe=""), **arguments)}

    def result(self, verb, found, reads):
        if verb == "list":
            return {
                "keys": [key for key, is_object in found["entries"] if is_object],
                "prefixes": [key for key, is_object in found["entries"] if not is_object],
            }
        if verb == "storages":
            names = [one["name"] for one in found["storages"]]
            return {"names": names, "default": next(one["name"] for one in found["storages"] if one["default"])}
        return super().result(verb, found, reads)


def ask(path):
    return lambda storage: {"method": "GET", "target": path.format(storage=storage)}


REQUESTS = {
    "info": ask("/v1/storages/{storage}"),
    "check": ask("/v1/storages/{storage}/health"),
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


if __name__ == "__main__":
    sys.exit(driven.main(Replay))
