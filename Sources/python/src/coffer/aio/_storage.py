"""A storage of a host, for asyncio."""

from __future__ import annotations

import asyncio
import os
from typing import (
    TYPE_CHECKING,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
    TypeVar,
    Union,
    cast,
)

from .. import _calls, _many, _source, listing
from .._calls import Checksums, Tag
from .._connection import broken
from .._receiving import Closed
from .._wire import Malformed
from ..errors import Unsupported
from ..model import Entry, Object
from ..reader import DESCRIPTOR
from . import _file
from ._reader import Reader
from ._verbs import Verbs
from ._writer import Writer

if TYPE_CHECKING:
    from ._client import Client

S = TypeVar("S")
T = TypeVar("T")
Data = Union[_source.Data, AsyncIterable[bytes]]

_ONE_SEND = 64 << 10


class Storage(Verbs):
    """A storage: the verbs of `coffer.Storage`, awaited. It holds nothing open."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name
        self._channel = client._channel

    def __repr__(self) -> str:
        return f"Storage({self.name!r}, socket={self.client.socket!r})"

    # Writing

    async def put(
        self,
        key: str,
        data: Data,
        *,
        on_conflict: str | None = None,
        if_match: Tag | None = None,
        if_none_match: Tag | None = None,
        content_type: str | None = None,
        content_encoding: str | None = None,
        content_disposition: str | None = None,
        content_language: str | None = None,
        cache_control: str | None = None,
        metadata: Mapping[str, str] | None = None,
        checksums: Checksums | None = None,
        idempotency_key: str | None = None,
    ) -> Object:
        """Writes an object and says where it went: with `rename`, the real key is in the answer.

        `data` is bytes, an open binary file (from where it stands), a `Path`, or pieces. A regular file goes by its
        descriptor. `checksums` are digests of the bytes, like `{"sha256": "…"}`: others publish nothing. A write with
        an `idempotency_key` is sent again after a lost answer, and answers as the first one did.
        """
        fields = _calls.write_fields(
            if_match=if_match,
            if_none_match=if_none_match,
            content_type=content_type,
            content_encoding=content_encoding,
            content_disposition=content_disposition,
            content_language=content_language,
            cache_control=cache_control,
            metadata=metadata,
            checksums=checksums,
            idempotency_key=idempotency_key,
        )
        return await self._send("PUT", _calls.put_target(self.name, key, on_conflict), fields, data)

    async def create(
        self,
        data: Data,
        *,
        filename: str | None = None,
        location: str | None = None,
        content_type: str | None = None,
        content_encoding: str | None = None,
        content_disposition: str | None = None,
        content_language: str | None = None,
        cache_control: str | None = None,
        metadata: Mapping[str, str] | None = None,
        checksums: Checksums | None = None,
        idempotency_key: str | None = None,
    ) -> Object:
        """Writes an object under a key that the host makes.

        It is a UUID with the extension of `filename`, below `location`.
        """
        fields = _calls.write_fields(
            content_type=content_type,
            content_encoding=content_encoding,
            content_disposition=content_disposition,
            content_language=content_language,
            cache_control=cache_control,
            metadata=metadata,
            checksums=checksums,
            idempotency_key=idempotency_key,
        )
        return await self._send("POST", _calls.create_target(self.name, filename, location), fields, data)

    async def _send(self, method: str, target: str, fields: _calls.FieldList, data: Data) -> Object:
        if isinstance(data, AsyncIterable):
            async with Writer(self._channel, method, target, fields, None) as writer:
                async for piece in data:
                    await writer.write(piece)
            return writer.object
        source = _source.Source(data)
        try:
            result = await self._send_source(method, target, fields, source)
            source.done()
            return result
        finally:
            source.close()

    async def _send_source(self, method: str, target: str, fields: _calls.FieldList, source: _source.Source) -> Object:
        whole = source.bytes
        if whole is not None and len(whole) <= _ONE_SEND:
            return await self._channel.run(_calls.put(method, target, bytes(whole), fields))
        if source.region is not None:
            fd, offset, length = source.region
            passing = [*fields, ("Coffer-Fd", f"offset={offset}; length={length}")]
            try:
                return await self._channel.run(_calls.put(method, target, b"", passing), fd)
            except Unsupported:
                # Refused before anything was written: a host that takes no descriptor takes bytes.
                pass
        async with Writer(self._channel, method, target, fields, source.length) as writer:
            if whole is not None:
                await writer.write(whole)
            else:
                pieces = source.pieces()
                while piece := await _next(pieces, may_wait=source.is_file):
                    await writer.write(piece)
        return writer.object

    async def put_many(
        self,
        items: Mapping[str, bytes] | Iterable[tuple[str, bytes]],
        *,
        on_conflict: str | None = None,
        concurrency: int = _many.CONCURRENCY,
    ) -> list[Object]:
        """Writes many small objects, `concurrency` at a time; raises the first failure when all are done."""
        pairs = items.items() if isinstance(items, Mapping) else items
        calls = [
            _calls.put("PUT", _calls.put_target(self.name, key, on_conflict), bytes(data), []) for key, data in pairs
        ]
        return await _together(self._channel.run, calls, concurrency)

    # Reading

    async def get(
        self,
        key: str,
        *,
        offset: int = 0,
        length: int | None = None,
        suffix: int | None = None,
        version: str | None = None,
        if_match: Tag | None = None,
        if_none_match: Tag | None = None,
    ) -> bytes:
        """Reads an object, or `length` bytes from `offset`, or its last `suffix` bytes."""
        fields = [DESCRIPTOR]
        if offset or length is not None or suffix is not None:
            part = _calls.range_field(offset, length, suffix)
            if part:
                fields.append(("Range", part))
        if if_match is not None or if_none_match is not None:
            fields += _calls.match_fields(if_match, if_none_match)
        return await self._read(key, fields, version)

    async def _read(self, key: str, fields: _calls.FieldList, version: str | None) -> bytes:
        head, connection = await self._channel.exchange(_calls.get(self.name, key, fields, version))
        if head.status >= 300:
            _calls.check(head, await self._channel.read_all(head, connection, safe=True))
        passed = head.passed()
        if passed is None:
            return await self._channel.read_all(head, connection, safe=True)
        fd, head.fd = head.fd, -1
        self._channel.release(connection)
        if fd < 0:
            # Too many files are open here for one more: then the bytes themselves.
            if fields[:1] != [DESCRIPTOR]:
                raise Malformed("it names a descriptor that nobody asked for").explained(self._channel.path)
            return await self._read(key, fields[1:], version)
        try:
            return await _file.read_exactly(fd, *passed)
        finally:
            os.close(fd)

    async def get_many(self, keys: Iterable[str], *, concurrency: int = _many.CONCURRENCY) -> list[bytes]:
        """Reads many small objects, `concurrency` at a time, in the order of `keys`; raises the first failure."""
        return await _together(self.get, list(keys), concurrency)

    def open(
        self,
        key: str,
        *,
        offset: int = 0,
        length: int | None = None,
        suffix: int | None = None,
        version: str | None = None,
        if_match: Tag | None = None,
        if_none_match: Tag | None = None,
    ) -> Reader:
        """Opens an object for reading: `async with`, or `await` and `close`."""
        fields = _calls.match_fields(if_match, if_none_match)
        part = _calls.range_field(offset, length, suffix)
        if part:
            fields.append(("Range", part))
        return Reader(self._channel, self.name, key, fields, version)

    def write(
        self,
        key: str,
        *,
        length: int | None = None,
        on_conflict: str | None = None,
        if_match: Tag | None = None,
        if_none_match: Tag | None = None,
        content_type: str | None = None,
        content_encoding: str | None = None,
        content_disposition: str | None = None,
        content_language: str | None = None,
        cache_control: str | None = None,
        metadata: Mapping[str, str] | None = None,
        checksums: Checksums | None = None,
        idempotency_key: str | None = None,
    ) -> Writer:
        """Opens an object for writing in pieces: `async with`, whose end publishes it."""
        fields = _calls.write_fields(
            if_match=if_match,
            if_none_match=if_none_match,
            content_type=content_type,
            content_encoding=content_encoding,
            content_disposition=content_disposition,
            content_language=content_language,
            cache_control=cache_control,
            metadata=metadata,
            checksums=checksums,
            idempotency_key=idempotency_key,
        )
        target = _calls.put_target(self.name, key, on_conflict)
        return Writer(self._channel, "PUT", target, fields, length, f"{self.name}:{key}")

    async def list(self, prefix: str = "", *, delimiter: str = "", start_after: str = "") -> AsyncIterator[Entry]:
        """Everything whose key starts with `prefix`, in byte order, as the host reads it."""
        items = [("prefix", prefix), ("delimiter", delimiter), ("start_after", start_after)]
        head, connection = await self._channel.exchange(listing.call(_calls.list_target(self.name, items)))
        if head.status >= 300:
            _calls.check(head, await self._channel.read_all(head, connection, safe=True))
        lines = listing.Lines()
        try:
            while True:
                piece = await connection.read_some(_ONE_SEND)
                for entry in lines.feed(piece):
                    yield entry
                if not piece:
                    break
        except Closed as failure:
            connection.close()
            raise broken(self._channel.path, failure, safe=True) from failure
        except BaseException:
            connection.close()
            raise
        self._channel.release(connection)


async def _next(pieces: Iterator[bytes], may_wait: bool) -> bytes:
    """The next piece that is not empty; empty at the end."""
    found = filter(None, pieces)
    # A file may make its reader wait; pieces of the caller are the caller's.
    return await asyncio.to_thread(next, found, b"") if may_wait else next(found, b"")


async def _together(work: Callable[[S], Awaitable[T]], items: Sequence[S], concurrency: int) -> list[T]:
    """The results for all items, so many at a time; the first failure, when all have ended."""
    gate = asyncio.Semaphore(concurrency)

    async def one(item: S) -> T:
        async with gate:
            return await work(item)

    results = await asyncio.gather(*map(one, items), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return cast("list[T]", results)
