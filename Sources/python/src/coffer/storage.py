"""A storage of a host: what an application puts its objects into."""

from __future__ import annotations

import contextlib
import io
import os
from typing import TYPE_CHECKING, Any, Iterable, Iterator, List, Mapping, Union

from . import _calls, _many, _source
from ._calls import KEEP, Checksums, Tag
from .errors import AlreadyExists, InvalidArgument, NotFound, Unsupported
from .listing import walk
from .model import Deletion, Entry, Link, Object, Page, PrefixDeletion, StorageInfo
from .reader import BUFFER_SIZE, ObjectReader, RawReader, lost_descriptor, pread_exactly
from .writer import ObjectWriter, TextWriter

if TYPE_CHECKING:
    from .client import Client

_FD = ("Prefer", "coffer-fd")
_ONE_SEND = 64 << 10


class Storage:
    """A storage: a name and the client that talks to the host; it holds nothing open.

    `on_conflict` is `error`, `replace` or `rename`; without it, the storage's own rule decides. `if_match` and
    `if_none_match` take an `etag`, several, or `"*"` for any object.
    """

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name
        self._channel = client._channel
        self._objects = f"{_calls.base(name)}/objects/"

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
        fields = [_FD]
        if offset or length is not None or suffix is not None:
            part = _calls.range_field(offset, length, suffix)
            if part:
                fields.append(("Range", part))
        if if_match is not None or if_none_match is not None:
            fields += _calls.match_fields(if_match, if_none_match)
        head, connection = self._channel.exchange(_calls.get(self.name, key, fields, version))
        if head.status >= 300:
            _calls.check(head, self._channel.read_all(head, connection, safe=True))
        passed = head.passed()
        if passed is None:
            return self._channel.read_all(head, connection, safe=True)
        fd, head.fd = head.fd, -1
        self._channel.release(connection)
        if fd < 0:
            raise lost_descriptor()
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

    def open(
        self,
        key: str,
        mode: str = "rb",
        *,
        buffering: int = BUFFER_SIZE,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        offset: int = 0,
        length: int | None = None,
        suffix: int | None = None,
        version: str | None = None,
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
    ) -> Any:
        """Opens an object as a file: `rb` and `r` read, `wb` and `w` write, `xb` and `x` only where there is none.

        A reader can seek. What is written is published by `close`, and dropped when an exception leaves the `with`
        block; `file.object` then says where it went.
        """
        kind, binary = mode.replace("b", "").replace("t", ""), "b" in mode
        if kind not in ("r", "w", "x") or len(mode) > 2 or ("b" in mode and "t" in mode):
            raise ValueError(f"mode is rb, r, wb, w, xb or x, not {mode!r}")
        text: dict[str, Any] = {"encoding": encoding or "utf-8", "errors": errors, "newline": newline}
        if binary and (encoding or errors or newline is not None):
            raise ValueError("encoding, errors and newline go with text")
        if kind == "r":
            fields = _calls.match_fields(if_match, if_none_match)
            part = _calls.range_field(offset, length, suffix)
            if part:
                fields.append(("Range", part))
            raw = RawReader(self._channel, self.name, key, fields, version)
            if buffering == 0 and binary:
                return raw
            reader = ObjectReader(raw, buffering if buffering > 1 else BUFFER_SIZE)
            return reader if binary else io.TextIOWrapper(reader, **text)
        if kind == "x":
            if on_conflict not in (None, "error"):
                raise InvalidArgument("mode x means on_conflict error")
            on_conflict = "error"
            # Told before the bytes are made, where it is known by now; the host decides at the end.
            if self.exists(key):
                raise AlreadyExists(f"already exists: {key}", storage=self.name, key=key)
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
        writer = ObjectWriter(self._channel, "PUT", target, fields, length, name=f"{self.name}:{key}")
        return writer if binary else TextWriter(writer, **text)

    def stat(
        self,
        key: str,
        *,
        version: str | None = None,
        if_match: Tag | None = None,
        if_none_match: Tag | None = None,
    ) -> Object:
        """What is known of an object."""
        return self._channel.run(_calls.stat(self.name, key, version, if_match, if_none_match))

    def exists(self, key: str) -> bool:
        """Whether there is an object under `key`; any failure but absence is raised."""
        try:
            self.stat(key)
        except NotFound as error:
            if error.key is None:
                # It is the storage that is not there.
                raise
            return False
        return True

    def list(self, prefix: str = "", *, delimiter: str = "", start_after: str = "") -> Iterator[Entry]:
        """Everything whose key starts with `prefix`, in byte order, as the host reads it.

        With a `delimiter`, keys that share what follows the prefix up to it appear as one `Prefix`.
        """
        items = [("prefix", prefix), ("delimiter", delimiter), ("start_after", start_after)]
        return walk(self._channel, _calls.list_target(self.name, items))

    def page(
        self,
        prefix: str = "",
        *,
        delimiter: str = "",
        start_after: str = "",
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page:
        """A part of a listing; its `cursor` asks for the next one."""
        items = [
            ("prefix", prefix),
            ("delimiter", delimiter),
            ("start_after", start_after),
            ("cursor", cursor),
            ("limit", None if limit is None else str(limit)),
        ]
        return self._channel.run(_calls.page(self.name, items))

    def url(self, key: str) -> str:
        """The object's public URL."""
        return self._channel.run(_calls.url(self.name, key))

    def link(
        self,
        key: str,
        *,
        method: str = "GET",
        expires_in: int | str | None = None,
        content_type: str | None = None,
        filename: str | None = None,
    ) -> Link:
        """A signed URL that lets its holder read, write or delete this object until it expires."""
        document = {
            "key": key,
            "method": method,
            "expires_in": expires_in,
            "content_type": content_type,
            "filename": filename,
        }
        return self._channel.run(_calls.link(self.name, document))

    # Changing

    def delete(self, key: str, *, version: str | None = None, if_match: Tag | None = None) -> None:
        """Deletes an object; that there is none is success, unless `if_match` names one."""
        self._channel.run(_calls.delete(self.name, key, version, if_match))

    def delete_many(self, keys: Iterable[Union[str, tuple[str, str]]]) -> List[Deletion]:
        """Deletes many objects, with one result for each, in order.

        A key may come with the `etag` that its object must have.
        """
        found: List[Deletion] = []
        rest = list(keys)
        while rest:
            # The host takes so many in one request.
            found += self._channel.run(_calls.delete_many(self.name, rest[:10_000]))
            rest = rest[10_000:]
        return found

    def delete_prefix(self, prefix: str, *, dry_run: bool = False, force: bool = False) -> PrefixDeletion:
        """Deletes what lies below `prefix`, by segments: `a/b` means `a/b/…`, never `a/bb`.

        The empty prefix is everything and needs `force`.
        """
        return self._channel.run(_calls.delete_prefix(self.name, prefix, dry_run, force))

    def copy(
        self,
        key: str,
        to: str,
        *,
        to_storage: str | None = None,
        on_conflict: str | None = None,
        if_match: Tag | None = None,
        if_none_match: Tag | None = None,
        source_if_match: str | None = None,
    ) -> Object:
        """Copies an object, inside this storage or into another.

        `if_match` and `if_none_match` are about the target.
        """
        return self._transfer("copy", key, to, to_storage, on_conflict, if_match, if_none_match, source_if_match)

    def move(
        self,
        key: str,
        to: str,
        *,
        to_storage: str | None = None,
        on_conflict: str | None = None,
        if_match: Tag | None = None,
        if_none_match: Tag | None = None,
        source_if_match: str | None = None,
    ) -> Object:
        """Moves an object, inside this storage or into another."""
        return self._transfer("move", key, to, to_storage, on_conflict, if_match, if_none_match, source_if_match)

    def duplicate(self, key: str, *, to_storage: str | None = None) -> Object:
        """Copies an object to a key that the host makes."""
        return self._transfer("duplicate", key, None, to_storage)

    def _transfer(
        self,
        verb: str,
        key: str,
        to: str | None,
        to_storage: str | None,
        on_conflict: str | None = None,
        if_match: Tag | None = None,
        if_none_match: Tag | None = None,
        source_if_match: str | None = None,
    ) -> Object:
        document = {
            "from": key,
            "to": to,
            "to_storage": to_storage,
            "on_conflict": on_conflict,
            "source_if_match": source_if_match,
        }
        return self._channel.run(_calls.transfer(verb, self.name, document, if_match, if_none_match))

    def change(
        self,
        key: str,
        *,
        if_match: Tag | None = None,
        content_type: str | None = KEEP,
        content_encoding: str | None = KEEP,
        content_disposition: str | None = KEEP,
        content_language: str | None = KEEP,
        cache_control: str | None = KEEP,
        metadata: Mapping[str, str | None] | None = None,
    ) -> Object:
        """Changes an object's metadata and leaves its bytes; None removes, what is not named stays."""
        content = {
            "content_type": content_type,
            "content_encoding": content_encoding,
            "content_disposition": content_disposition,
            "content_language": content_language,
            "cache_control": cache_control,
        }
        return self._channel.run(_calls.change(self.name, key, if_match, metadata, content))

    def info(self, *, probe: bool = False) -> StorageInfo:
        """What the storage can do, its limits and its state."""
        return self._channel.run(_calls.storage_info(self.name, probe))

    def health(self) -> Mapping[str, Any]:
        """Tests the connection to the store without writing."""
        return self._channel.run(_calls.ask(f"{_calls.base(self.name)}/health"))


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
