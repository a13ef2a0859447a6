"""A storage of a host: what an application puts its objects into."""

from __future__ import annotations

import contextlib
import io
import os
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Literal, Mapping, cast, overload

from . import _calls, _many, _source
from ._calls import Checksums, Tag
from ._verbs import Verbs
from ._wire import Malformed
from .errors import AlreadyExists, InvalidArgument, Unsupported
from .listing import walk
from .model import Entry, Object
from .reader import BUFFER_SIZE, DESCRIPTOR, ObjectReader, RawReader, pread_exactly
from .writer import ObjectWriter, TextWriter

if TYPE_CHECKING:
    from .client import Client

_ONE_SEND = 64 << 10


class Storage(Verbs):
    """A storage: a name and the client that talks to the host; it holds nothing open.

    `on_conflict` is `error`, `replace` or `rename`; without it, the storage's own rule decides. `if_match` and
    `if_none_match` take an `etag`, several, or `"*"` for any object.
    """

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name
        self._channel = client._channel

    def __repr__(self) -> str:
        return f"Storage({self.name!r}, socket={self.client.socket!r})"

    # Writing

    def put(
        self,
        key: str,
        data: _source.Data,
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
        an `idempotency_key` may be done again after a lost answer: it then answers as the first one did.
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
        return self._send("PUT", _calls.put_target(self.name, key, on_conflict), fields, data)

    def create(
        self,
        data: _source.Data,
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
        return self._send("POST", _calls.create_target(self.name, filename, location), fields, data)

    def _send(self, method: str, target: str, fields: _calls.FieldList, data: _source.Data) -> Object:
        source = _source.Source(data)
        try:
            result = self._send_source(method, target, fields, source)
            source.done()
            return result
        finally:
            source.close()

    def _send_source(self, method: str, target: str, fields: _calls.FieldList, source: _source.Source) -> Object:
        whole = source.bytes
        if whole is not None and len(whole) <= _ONE_SEND:
            return self._channel.run(_calls.put(method, target, bytes(whole), fields))
        if source.region is not None:
            fd, offset, length = source.region
            passing = [*fields, ("Coffer-Fd", f"offset={offset}; length={length}")]
            try:
                return self._channel.run(_calls.put(method, target, b"", passing), fd)
            except Unsupported:
                # Refused before anything was written: a host that takes no descriptor takes bytes.
                pass
        with ObjectWriter(self._channel, method, target, fields, source.length) as writer:
            if whole is not None:
                writer.write(whole)
            else:
                for piece in source.pieces():
                    writer.write(piece)
        return writer.object

    def put_many(
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
        return _many.first_failure(_many.exchange_many(self._channel, calls, concurrency))

    # Reading

    def get(
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
        return self._read(key, fields, version)

    def _read(self, key: str, fields: _calls.FieldList, version: str | None) -> bytes:
        head, connection = self._channel.exchange(_calls.get(self.name, key, fields, version))
        if head.status >= 300:
            _calls.check(head, self._channel.read_all(head, connection, safe=True))
        passed = head.passed()
        if passed is None:
            return self._channel.read_all(head, connection, safe=True)
        fd, head.fd = head.fd, -1
        self._channel.release(connection)
        if fd < 0:
            # Too many files are open here for one more: then the bytes themselves.
            if fields[:1] != [DESCRIPTOR]:
                raise Malformed("it names a descriptor that nobody asked for").explained(self._channel.path)
            return self._read(key, fields[1:], version)
        try:
            return pread_exactly(fd, *passed)
        finally:
            os.close(fd)

    def get_many(self, keys: Iterable[str], *, concurrency: int = _many.CONCURRENCY) -> list[bytes]:
        """Reads many small objects, `concurrency` at a time, in the order of `keys`; raises the first failure."""
        calls = [_calls.get(self.name, key, []) for key in keys]
        return _many.first_failure(_many.exchange_many(self._channel, calls, concurrency))

    def download(self, key: str, path: str | os.PathLike[str], *, version: str | None = None) -> Object:
        """Writes an object into the file at `path`, which is there whole or not at all."""
        path = os.fspath(path)
        with RawReader(self._channel, self.name, key, [], version) as reader:
            folder = os.path.dirname(path) or "."
            temporary = os.path.join(folder, f".coffer-{os.urandom(8).hex()}")
            try:
                with io.FileIO(temporary, "x") as file:
                    _copy(reader, file)
                os.replace(temporary, path)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temporary)
                raise
            return reader.object

    @overload
    def open(self, key: str, mode: Literal["rb"] = "rb", *, buffering: Literal[0], **terms: Any) -> RawReader: ...
    @overload
    def open(self, key: str, mode: Literal["rb"] = "rb", **terms: Any) -> ObjectReader: ...
    @overload
    def open(self, key: str, mode: Literal["r", "rt"], **terms: Any) -> io.TextIOWrapper: ...
    @overload
    def open(self, key: str, mode: Literal["wb", "xb"], **terms: Any) -> ObjectWriter: ...
    @overload
    def open(self, key: str, mode: Literal["w", "wt", "x", "xt"], **terms: Any) -> TextWriter: ...
    @overload
    def open(self, key: str, mode: str, **terms: Any) -> Any: ...

    def open(
        self,
        key: str,
        mode: str = "rb",
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        **terms: Any,
    ) -> Any:
        """Opens an object as a file: `rb` and `r` read, `wb` and `w` write, `xb` and `x` only where there is none.

        A reader can seek; its *terms* are `buffering`, and those of `get`. What is written is published by `close`, and
        dropped when an exception leaves the `with` block; `file.object` then says where it went. The terms of a writer
        are `length`, and those of `put`.
        """
        kind, binary = mode.replace("b", "").replace("t", ""), "b" in mode
        if kind not in ("r", "w", "x") or len(mode) > 2 or ("b" in mode and "t" in mode):
            raise ValueError(f"mode is rb, r, wb, w, xb or x, not {mode!r}")
        if binary and (encoding or errors or newline is not None):
            raise ValueError("encoding, errors and newline go with text")
        text: dict[str, Any] = {"encoding": encoding or "utf-8", "errors": errors, "newline": newline}
        if kind == "r":
            reader = self._open_reader(key, **terms)
            return reader if binary else io.TextIOWrapper(cast(io.BufferedReader, reader), **text)
        if kind == "x":
            if terms.setdefault("on_conflict", "error") != "error":
                raise InvalidArgument("mode x means on_conflict error")
            # Told before the bytes are made, where it is known by now; the host decides at the end.
            if self.exists(key):
                raise AlreadyExists(f"already exists: {key}", storage=self.name, key=key)
        writer = self._open_writer(key, **terms)
        return writer if binary else TextWriter(writer, **text)

    def _open_reader(
        self,
        key: str,
        *,
        buffering: int = BUFFER_SIZE,
        offset: int = 0,
        length: int | None = None,
        suffix: int | None = None,
        version: str | None = None,
        if_match: Tag | None = None,
        if_none_match: Tag | None = None,
    ) -> ObjectReader | RawReader:
        fields = _calls.match_fields(if_match, if_none_match)
        part = _calls.range_field(offset, length, suffix)
        if part:
            fields.append(("Range", part))
        raw = RawReader(self._channel, self.name, key, fields, version)
        return ObjectReader(raw, buffering if buffering > 1 else BUFFER_SIZE) if buffering else raw

    def _open_writer(
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
    ) -> ObjectWriter:
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
        return ObjectWriter(self._channel, "PUT", target, fields, length, name=f"{self.name}:{key}")

    def list(self, prefix: str = "", *, delimiter: str = "", start_after: str = "") -> Iterator[Entry]:
        """Everything whose key starts with `prefix`, in byte order, as the host reads it.

        With a `delimiter`, keys that share what follows the prefix up to it appear as one `Prefix`.
        """
        items = [("prefix", prefix), ("delimiter", delimiter), ("start_after", start_after)]
        return walk(self._channel, _calls.list_target(self.name, items))


def _copy(reader: RawReader, file: io.FileIO) -> None:
    """Everything that is left, by the kernel alone where it can."""
    if reader.is_direct:
        (fd, place), left = reader.file, reader.length
        try:
            while left:
                count = os.copy_file_range(fd, file.fileno(), min(left, 1 << 30), place)
                if not count:
                    break
                left, place = left - count, place + count
        except (AttributeError, OSError):
            # Python 3.9 on an old system, or two file systems that cannot: then byte by byte.
            pass
        reader.seek(reader.length - left)
    buffer = memoryview(bytearray(_source.PIECE))
    while True:
        count = reader.readinto(buffer)
        if not count:
            return
        rest = buffer[:count]
        while len(rest):
            rest = rest[file.write(rest) :]
