"""A client of one host, for asyncio."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, List, Mapping, Optional, Type

from .. import _calls, _wire
from .._location import locate
from ..errors import NotFound
from ..model import StorageInfo
from ._channel import Channel
from ._storage import Storage


class Client:
    """A client of one host, over its Unix socket; the verbs are those of `coffer.Client`, awaited.

    It belongs to one loop at a time. Cancelling a task ends its request, and a write that was cancelled leaves nothing.
    """

    def __init__(self, socket: str | os.PathLike[str] | None = None, *, timeout: float | None = None) -> None:
        if timeout is not None and timeout <= 0:
            raise ValueError("a timeout is more than 0 seconds")
        self._channel = Channel(locate(socket), timeout)

    def __repr__(self) -> str:
        return f"Client({self.socket!r})"

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    @property
    def socket(self) -> str:
        """The path of the host's socket."""
        return self._channel.path

    @property
    def timeout(self) -> float | None:
        """How many seconds the host may be silent."""
        return self._channel.timeout

    def close(self) -> None:
        """Closes the connections that wait for a next request; the client stays usable."""
        self._channel.discard_idle()

    def storage(self, name: str) -> Storage:
        """The storage called `name`; nothing is asked before the first operation."""
        return Storage(self, name)

    async def default_storage(self) -> Storage:
        """The storage that a bare key means."""
        for info in await self.storages():
            if info.is_default:
                return self.storage(info.name)
        raise NotFound(f"the host at {self.socket} has no storage")

    async def storages(self) -> List[StorageInfo]:
        """All storages, in the order of the configuration."""
        return await self._channel.run(_calls.storages())

    async def health(self) -> Mapping[str, Any]:
        """Whether the host lives, and how its storages are: `status`, `profile`, `generation`, `storages`."""
        return await self._channel.run(_calls.ask("/v1/health"))

    async def version(self) -> Mapping[str, str]:
        """The versions of host, API and ABI."""
        return await self._channel.run(_calls.ask("/v1/version"))

    async def openapi(self) -> Mapping[str, Any]:
        """The contract of this host, for machines."""
        return await self._channel.run(_calls.ask("/v1/openapi.json"))

    async def plugins(self) -> List[Mapping[str, Any]]:
        """The plugins that the host found and loaded."""
        return list((await self._channel.run(_calls.ask("/v1/plugins")))["plugins"])

    async def profiles(self) -> Mapping[str, Any]:
        """The profiles, the `active` one and who decided (`decided_by`)."""
        return await self._channel.run(_calls.ask("/v1/profiles"))

    async def activate(self, profile: str) -> Mapping[str, Any]:
        """Makes `profile` the active one; on any failure nothing has changed."""
        return await self._channel.run(_calls.tell(f"/v1/profiles/{_wire.component(profile)}/activate"))

    async def reload(self) -> Mapping[str, Any]:
        """Lets the host read its configuration again."""
        return await self._channel.run(_calls.tell("/v1/reload"))

    async def make_storage(self, name: str, settings: Mapping[str, Any]) -> StorageInfo:
        """Makes a storage that goes with the host; `settings` are what the configuration would have."""
        return await self._channel.run(_calls.make_storage(name, dict(settings)))

    async def drop_storage(self, name: str) -> None:
        """Drops such a storage, never its data."""
        await self._channel.run(_calls.drop_storage(name))
