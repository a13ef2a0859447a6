"""One host for the tests that do no harm to it; storages are empty before each test."""

from __future__ import annotations

from typing import Iterator

import coffer
import pytest
from host import Host


@pytest.fixture(scope="session")
def shared_host() -> Iterator[Host]:
    host = Host()
    yield host
    host.end()


@pytest.fixture
def client(shared_host: Host) -> Iterator[coffer.Client]:
    with coffer.Client(shared_host.socket) as client:
        for name in ("files", "scratch"):
            client.storage(name).delete_prefix("", force=True)
        yield client


@pytest.fixture(params=["files", "scratch"])
def storage(request: pytest.FixtureRequest, client: coffer.Client) -> coffer.Storage:
    """A storage whose objects pass as descriptors, and one whose bytes come over the connection."""
    return client.storage(request.param)


@pytest.fixture
def own_host() -> Iterator[Host]:
    """A host that a test may kill."""
    host = Host()
    yield host
    host.end()
