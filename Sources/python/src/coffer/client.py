"""A client of one host."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, List, Mapping, Optional, Type

from . import _calls, _wire
from ._channel import Channel
from ._location import locate
from .errors import NotFound
from .model import StorageInfo
from .storage import Storage


class Client:
    """A client of one host, over its Unix socket.

    Nothing is connected before the first request; connections are kept for the next ones. Safe to use from many threads
    at once, and in a child after a fork. A host that was restarted is found again by itself. A request never goes out
    twice unless that does the same as once.

    `socket` is the path of the host's socket; without it, it is looked for where every client looks: `COFFER_SOCKET`,
    `$XDG_RUNTIME_DIR/coffer/coffer.sock`, `/run/coffer/coffer.sock`. `timeout` is how many seconds the host may be
    silent; without it, the host's own deadlines are what ends a request.
    """

    def __init__(self, socket: str | os.PathLike[str] | None = None, *, timeout: float | None = None) -> None:
        if timeout is not None and timeout <= 0:
            raise ValueError("a timeout is more than 0 seconds")
        self._channel = Channel(locate(socket), timeout)

    def __repr__(self) -> str:
        return f"Client({self.socket!r})"

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    # Copied to another process or machine, a client is its address.
    def __getstate__(self) -> tuple[str, float | None]:
        return self._channel.path, self._channel.timeout

    def __setstate__(self, state: tuple[str, float | None]) -> None:
        self._channel = Channel(*state)

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

    def default_storage(self) -> Storage:
        """The storage that a bare key means."""
        for info in self.storages():
            if info.is_default:
                return self.storage(info.name)
        raise NotFound(f"the host at {self.socket} has no storage")

    def storages(self) -> List[StorageInfo]:
        """All storages, in the order of the configuration."""
        return self._channel.run(_calls.storages())

    def health(self) -> Mapping[str, Any]:
        """Whether the host lives, and how its storages are: `status`, `profile`, `generation`, `storages`."""
        return self._channel.run(_calls.ask("/v1/health"))

    def version(self) -> Mapping[str, str]:
        """The versions of host, API and ABI."""
        return self._channel.run(_calls.ask("/v1/version"))

    def openapi(self) -> Mapping[str, Any]:
        """The contract of this host, for machines."""
        return self._channel.run(_calls.ask("/v1/openapi.json"))

    def plugins(self) -> List[Mapping[str, Any]]:
        """The plugins that the host found and loaded."""
        return list(self._channel.run(_calls.ask("/v1/plugins"))["plugins"])

    def profiles(self) -> Mapping[str, Any]:
        """The profiles, the `active` one and who decided (`decided_by`)."""
        return self._channel.run(_calls.ask("/v1/profiles"))

    def activate(self, profile: str) -> Mapping[str, Any]:
        """Makes `profile` the active one; on any failure nothing has changed."""
        return self._channel.run(_calls.tell(f"/v1/profiles/{_wire.component(profile)}/activate"))

    def reload(self) -> Mapping[str, Any]:
        """Lets the host read its configuration again."""
        return self._channel.run(_calls.tell("/v1/reload"))

    def make_storage(self, name: str, settings: Mapping[str, Any]) -> StorageInfo:
        """Makes a storage that goes with the host; `settings` are what the configuration would have."""
        return self._channel.run(_calls.make_storage(name, dict(settings)))

    def drop_storage(self, name: str) -> None:
        """Drops such a storage, never its data."""
        self._channel.run(_calls.drop_storage(name))
