"""Every scenario of Tests/Scenarios."""

from __future__ import annotations

from typing import Any, Dict, Iterator

import coffer
import pytest
from scenarios import Replay, scenarios, scenarios_host

ALL = list(scenarios())


@pytest.fixture(scope="module")
def replay_client() -> Iterator[coffer.Client]:
    host = scenarios_host()
    with coffer.Client(host.socket) as client:
        yield client
    host.end()


@pytest.mark.parametrize(("storage", "scenario"), [one[1:] for one in ALL], ids=[one[0] for one in ALL])
def test_scenario(replay_client: coffer.Client, storage: str, scenario: Dict[str, Any]) -> None:
    if "route" in scenario:
        method, path = scenario["route"].split(" ")
        if method.lower() not in replay_client.openapi()["paths"].get(path, {}):
            pytest.skip(f"this host has no {scenario['route']}")
    Replay(replay_client, storage).run(scenario)


def test_there_are_enough_of_them() -> None:
    assert len({one[0].rpartition(" [")[0] for one in ALL}) >= 40
