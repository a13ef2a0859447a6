"""`coffer://storage/key` for fsspec, and through it for pandas, pyarrow, dask and the like.

Listings are not cached: the host is on this machine, and what it says is true now. Directories are what keys have in
common, so an empty one is not kept. Writes replace what is there, as fsspec has it, unless the mode is `create`.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple, Union, cast

from fsspec.callbacks import DEFAULT_CALLBACK
from fsspec.spec import AbstractFileSystem
from fsspec.utils import isfilelike, stringify_path

from . import _calls, _many
from .client import Client
from .errors import CofferError, InvalidArgument, InvalidKey, NotFound, RangeInvalid
from .model import Entry, Object, parse_time
from .reader import BUFFER_SIZE
from .storage import Storage
from .writer import ObjectWriter

Info = Dict[str, Any]


class CofferFileSystem(AbstractFileSystem):  # type: ignore[misc]
    """The storages of a host as directories of a file system.

    `socket` and `timeout` are those of `coffer.Client`.
    """

    protocol = "coffer"
    root_marker = ""
    # Each storage decides what it does with a path; nothing here depends on the thread or the loop.
    async_impl = False

    def __init__(self, socket: Optional[str] = None, timeout: Optional[float] = None, **options: Any) -> None:
        if self._cached:
            return
        super().__init__(**options)
        self.client = Client(socket, timeout=timeout)

    # Paths

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        text = stringify_path(path)
        if text.startswith("coffer://"):
            text = text[9:]
        elif text.startswith("coffer:"):
            text = text[7:]
        return text.strip("/")

    def unstrip_protocol(self, name: str) -> str:
        """The path with `coffer://` before it."""
        return f"coffer://{self._strip_protocol(name)}"

    def _split(self, path: Any) -> Tuple[Storage, str]:
        name, _, key = cast(str, self._strip_protocol(path)).partition("/")
        return self.client.storage(name), key

    def _object(self, path: Any) -> Tuple[Storage, str]:
        storage, key = self._split(path)
        if not key:
            raise IsADirectoryError(f"{path} is a storage, not an object")
        return storage, key

    # What is there

    def info(self, path: str, **options: Any) -> Info:
        """What is known of an object or a directory."""
        storage, key = self._split(path)
        if not storage.name:
            return _directory("")
        if not key:
            storage.info()
            return _directory(storage.name)
        try:
            return _file(storage.name, storage.stat(key))
        except NotFound:
            if self._is_directory(storage, key):
                return _directory(f"{storage.name}/{key}")
            raise

    @staticmethod
    def _is_directory(storage: Storage, key: str) -> bool:
        page = storage.page(f"{key}/" if key else "", limit=1)
        return bool(page.objects)

    def exists(self, path: str, **options: Any) -> bool:
        """Whether there is an object or a directory; a host that cannot tell is an error."""
        try:
            self.info(path)
        except (NotFound, InvalidKey):
            # What a storage could not hold is not there.
            return False
        return True

    def ls(self, path: str, detail: bool = True, **options: Any) -> Any:
        """What lies directly in a directory; storages where the path is empty."""
        storage, key = self._split(path)
        if not storage.name:
            found = [_directory(info.name) for info in self.client.storages()]
        else:
            prefix = f"{key}/" if key else ""
            found = [_info(storage.name, entry) for entry in storage.list(prefix, delimiter="/") if entry.key != prefix]
            if not found and key:
                # Either an object, or nothing at all, which is an error.
                found = [_file(storage.name, storage.stat(key))]
        return found if detail else [info["name"] for info in found]

    def find(
        self, path: str, maxdepth: Optional[int] = None, withdirs: bool = False, detail: bool = False, **options: Any
    ) -> Any:
        """Everything below a directory: one listing, streamed."""
        storage, key = self._split(path)
        beginning = str(options.pop("prefix", "") or "")
        if maxdepth is not None or not storage.name:
            return super().find(path, maxdepth=maxdepth, withdirs=withdirs, detail=detail, **options)
        top = f"{storage.name}/{key}" if key else storage.name
        prefix = f"{key}/" if key else ""
        found: Dict[str, Info] = {}
        for entry in storage.list(prefix + beginning):
            if entry.key.endswith("/"):
                # A marker that somebody else left for a directory.
                continue
            info = _info(storage.name, entry)
            if withdirs:
                parent = info["name"].rpartition("/")[0]
                while len(parent) > len(top) and parent not in found:
                    found[parent] = _directory(parent)
                    parent = parent.rpartition("/")[0]
            found[info["name"]] = info
        if key and not beginning:
            if withdirs and found:
                found[top] = _directory(top)
            elif not found:
                try:
                    found[top] = _file(storage.name, storage.stat(key))
                except NotFound:
                    pass
        names = sorted(found)
        return {name: found[name] for name in names} if detail else names

    def created(self, path: str) -> datetime:
        """When the object was first written."""
        storage, key = self._object(path)
        found = storage.stat(key)
        return _known(found.created or found.modified, path)

    def modified(self, path: str) -> datetime:
        """When the object was last written."""
        storage, key = self._object(path)
        return _known(storage.stat(key).modified, path)

    def checksum(self, path: str) -> str:
        """What differs whenever the content does."""
        info = self.info(path)
        return str(info.get("etag") or self.ukey(path))

    def ukey(self, path: str) -> str:
        """What differs whenever the object was written anew."""
        info = self.info(path)
        return str(info.get("etag") or (info["name"], info["size"], info.get("mtime")))

    def sign(self, path: str, expiration: int = 100, **options: Any) -> str:
        """A URL that reads the object for `expiration` seconds."""
        storage, key = self._object(path)
        return storage.link(key, expires_in=expiration, **options).url

    # Directories, which are nothing

    def mkdir(self, path: str, create_parents: bool = True, **options: Any) -> None:
        """Nothing: a directory is there with its first object."""

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Nothing: a directory is there with its first object."""

    def rmdir(self, path: str) -> None:
        """Nothing, as long as nothing lies in it."""
        storage, key = self._split(path)
        if self._is_directory(storage, key):
            raise OSError(39, "Directory not empty", path)

    def invalidate_cache(self, path: Optional[str] = None) -> None:
        """Nothing: nothing is cached."""

    # Reading

    def cat_file(self, path: str, start: Optional[int] = None, end: Optional[int] = None, **options: Any) -> bytes:
        """The bytes of an object, or a slice of them."""
        storage, key = self._object(path)
        if not start and end is None:
            return storage.get(key)
        if (start is not None and start < 0) or (end is not None and end < 0):
            size = storage.stat(key).size or 0
            start, end, _ = slice(start, end).indices(size)
        first = start or 0
        if end is not None and end <= first:
            storage.stat(key)
            return b""
        try:
            return storage.get(key, offset=first, length=None if end is None else end - first)
        except RangeInvalid:
            # As slices go: what lies behind the end is empty.
            return b""

    def cat(
        self, path: Union[str, Sequence[str]], recursive: bool = False, on_error: str = "raise", **options: Any
    ) -> Any:
        """The bytes of many objects, read at the same time."""
        stripped = self._strip_protocol(path)
        paths = self.expand_path(path, recursive=recursive)
        if len(paths) == 1 and isinstance(stripped, str) and paths[0] == stripped and not recursive:
            return self.cat_file(paths[0], **options)
        if recursive:
            known = {name for one in _listed(stripped) for name in self.find(one)}
            paths = [one for one in paths if one in known]
        starts = [options.get("start")] * len(paths)
        ends = [options.get("end")] * len(paths)
        found = dict(zip(paths, self._read_many(paths, starts, ends)))
        if on_error == "raise":
            _many.first_failure(found.values())
        if on_error == "omit":
            return {name: data for name, data in found.items() if not isinstance(data, CofferError)}
        return found

    def cat_ranges(
        self,
        paths: List[str],
        starts: Any,
        ends: Any,
        max_gap: Optional[int] = None,
        on_error: str = "return",
        **options: Any,
    ) -> List[Any]:
        """Slices of objects, read at the same time."""
        if max_gap is not None:
            raise NotImplementedError("ranges are not joined here")
        count = len(paths)
        starts = list(starts) if isinstance(starts, Iterable) else [starts] * count
        ends = list(ends) if isinstance(ends, Iterable) else [ends] * count
        if len(starts) != count or len(ends) != count:
            raise ValueError("as many starts and ends as paths")
        found = self._read_many(paths, starts, ends)
        return found if on_error == "return" else _many.first_failure(found)

    def _read_many(
        self, paths: Sequence[str], starts: Sequence[Optional[int]], ends: Sequence[Optional[int]]
    ) -> List[Union[bytes, CofferError]]:
        results: List[Union[bytes, CofferError]] = [b""] * len(paths)
        calls: List[_calls.Call[bytes]] = []
        places: List[int] = []
        for number, (path, start, end) in enumerate(zip(paths, starts, ends)):
            storage, key = self._object(path)
            first = start or 0
            if first < 0 or (end is not None and end <= first):
                # Counted from the end, or empty: for these the size must be known.
                try:
                    results[number] = self.cat_file(path, start, end)
                except CofferError as error:
                    results[number] = error
                continue
            part = _calls.range_field(first, None if end is None else end - first, None)
            calls.append(_calls.get(storage.name, key, [("Range", part)] if part else []))
            places.append(number)
        for number, result in zip(places, _many.exchange_many(self.client._channel, calls)):
            results[number] = b"" if isinstance(result, RangeInvalid) else result
        return results

    def get_file(
        self, rpath: str, lpath: Any, callback: Any = DEFAULT_CALLBACK, outfile: Any = None, **options: Any
    ) -> None:
        """Copies an object into a file of this machine."""
        if isfilelike(lpath) or outfile is not None:
            super().get_file(rpath, lpath, callback=callback, outfile=outfile, **options)
            return
        storage, key = self._split(rpath)
        if not key or (not storage.exists(key) and self._is_directory(storage, key)):
            os.makedirs(lpath, exist_ok=True)
            return
        os.makedirs(os.path.dirname(os.path.abspath(lpath)), exist_ok=True)
        size = storage.download(key, lpath).size or 0
        callback.set_size(size)
        callback.absolute_update(size)

    # Writing

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **options: Any) -> None:
        """Writes an object."""
        storage, key = self._object(path)
        storage.put(key, value, on_conflict=_rule(mode), **options)

    def pipe(self, path: Union[str, Dict[str, bytes]], value: Optional[bytes] = None, **options: Any) -> None:
        """Writes an object, or many at the same time."""
        if isinstance(path, str):
            self.pipe_file(path, cast(bytes, value), **options)
            return
        rule = _rule(options.pop("mode", "overwrite"))
        fields = _calls.write_fields(**options)
        calls: List[_calls.Call[Object]] = []
        for name, data in path.items():
            storage, key = self._object(name)
            calls.append(_calls.put("PUT", _calls.put_target(storage.name, key, rule), bytes(data), fields))
        _many.first_failure(_many.exchange_many(self.client._channel, calls))

    def put_file(
        self, lpath: Any, rpath: str, callback: Any = DEFAULT_CALLBACK, mode: str = "overwrite", **options: Any
    ) -> None:
        """Copies a file of this machine into an object, by its descriptor where it is large."""
        if os.path.isdir(lpath):
            return
        storage, key = self._object(rpath)
        size = os.path.getsize(lpath)
        callback.set_size(size)
        storage.put(key, Path(lpath), on_conflict=_rule(mode), **options)
        callback.absolute_update(size)

    def cp_file(self, path1: str, path2: str, **options: Any) -> None:
        """Copies an object; the host does it."""
        source, key = self._split(path1)
        target, to = self._split(path2)
        try:
            if not key or not to:
                raise NotFound("a storage is not an object")
            source.copy(key, to, to_storage=target.name, on_conflict="replace")
        except NotFound:
            if not self.isdir(path1):
                raise

    def rm_file(self, path: str) -> None:
        """Deletes an object."""
        storage, key = self._object(path)
        storage.delete(key)

    def rm(self, path: Union[str, Sequence[str]], recursive: bool = False, maxdepth: Optional[int] = None) -> None:
        """Deletes objects, and with `recursive` what lies below them."""
        found: Dict[str, List[str]] = {}
        for one in self.expand_path(path, recursive=recursive, maxdepth=maxdepth):
            storage, key = self._split(one)
            if key:
                found.setdefault(storage.name, []).append(key)
        for name, keys in found.items():
            storage = self.client.storage(name)
            if not recursive:
                for key in keys:
                    # Files say so when there is nothing to delete.
                    self._require(storage, key)
            for result in storage.delete_many(keys):
                if result.error is not None:
                    raise result.error

    def _require(self, storage: Storage, key: str) -> None:
        try:
            storage.stat(key)
        except NotFound:
            if self._is_directory(storage, key):
                raise IsADirectoryError(f"{storage.name}/{key} is a directory") from None
            raise

    # Files

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: Optional[int] = None,
        autocommit: bool = True,
        cache_options: Any = None,
        **options: Any,
    ) -> Any:
        storage, key = self._object(path)
        # These are about caches that are not needed here.
        for name in ("cache_type", "size"):
            options.pop(name, None)
        if mode == "rb":
            return storage.open(key, "rb", buffering=block_size or BUFFER_SIZE, **options)
        if mode not in ("wb", "xb"):
            raise NotImplementedError(f"an object cannot be opened with mode {mode}")
        writer = storage.open(key, mode, on_conflict="error" if mode == "xb" else "replace", **options)
        return writer if autocommit else _Transacted(writer)


class _Transacted:
    """A writer of a transaction: `close` ends it, and only `commit` publishes it."""

    def __init__(self, writer: ObjectWriter) -> None:
        self._writer = writer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)

    def __enter__(self) -> _Transacted:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is not None:
            self._writer.abort()

    def close(self) -> None:
        """Nothing yet."""

    def commit(self) -> None:
        """Publishes the object."""
        self._writer.close()

    def discard(self) -> None:
        """Gives the write up."""
        self._writer.abort()
        self._writer.close()


def _file(storage: str, found: Object) -> Info:
    modified = parse_time(found.document.get("modified"))
    return {
        "name": f"{storage}/{found.key}",
        "size": found.size,
        "type": "file",
        "mtime": modified.timestamp() if modified else None,
        "created": found.document.get("created"),
        "etag": found.etag,
        "content_type": found.content_type,
        "metadata": dict(found.metadata),
    }


def _directory(name: str) -> Info:
    return {"name": name, "size": 0, "type": "directory"}


def _info(storage: str, entry: Entry) -> Info:
    if isinstance(entry, Object):
        return _file(storage, entry)
    return _directory(f"{storage}/{entry.key.rstrip('/')}")


def _known(time: Optional[datetime], path: str) -> datetime:
    if time is None:
        raise NotImplementedError(f"nobody knows when {path} was written")
    return time


def _listed(path: Union[str, List[str]]) -> List[str]:
    return [path] if isinstance(path, str) else path


def _rule(mode: str) -> str:
    if mode not in ("overwrite", "create"):
        raise InvalidArgument(f"mode is overwrite or create, not {mode!r}")
    return "error" if mode == "create" else "replace"
