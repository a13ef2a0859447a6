"""fsspec's own suite for implementations, whole, on a storage that passes descriptors and on one that does not."""

from __future__ import annotations

from typing import Any

import coffer
import pytest
from coffer.fsspec import CofferFileSystem
from fsspec.tests.abstract import (
    AbstractCopyTests,
    AbstractFixtures,
    AbstractGetTests,
    AbstractOpenTests,
    AbstractPipeTests,
    AbstractPutTests,
)
from host import Host


class Fixtures(AbstractFixtures):  # type: ignore[misc]
    @pytest.fixture
    def fs(self, shared_host: Host) -> CofferFileSystem:
        return CofferFileSystem(shared_host.socket)

    @pytest.fixture(params=["files", "scratch"])
    def fs_path(self, request: pytest.FixtureRequest, client: coffer.Client) -> str:
        return f"{request.param}/folder"

    @pytest.fixture
    def fs_join(self) -> Any:
        return lambda *parts: "/".join(parts)

    @pytest.fixture
    def supports_empty_directories(self) -> bool:
        return False


class TestCopy(AbstractCopyTests, Fixtures):  # type: ignore[misc]
    pass


class TestGet(AbstractGetTests, Fixtures):  # type: ignore[misc]
    pass


class TestOpen(AbstractOpenTests, Fixtures):  # type: ignore[misc]
    pass


class TestPipe(AbstractPipeTests, Fixtures):  # type: ignore[misc]
    pass


class TestPut(AbstractPutTests, Fixtures):  # type: ignore[misc]
    pass
