"""The short lines: `coffer.put("files:a.txt", b"…")`, over one client for this process.

An address is `storage:key`, as on the command line; a key without a storage lies in the default one.
"""

from __future__ import annotations

import os
from typing import Any, Dict, Iterator

from . import _source
from ._location import locate
from .client import Client
from .model import Entry, Link, Object
from .storage import Storage

_clients: Dict[str, Client] = {}


def client() -> Client:
    """The client of this process, at the socket that the environment names now."""
    path = locate()
    found = _clients.get(path)
    if found is None:
        found = _clients.setdefault(path, Client(path))
    return found


def resolve(address: str | os.PathLike[str]) -> tuple[Storage, str]:
    """The storage and the key that `storage:key` means."""
    name, colon, key = os.fspath(address).partition(":")
    if colon:
        return client().storage(name), key
    return client().default_storage(), name


def storage(name: str) -> Storage:
    """The storage called `name`."""
    return client().storage(name)


def put(address: str, data: _source.Data, **options: Any) -> Object:
    """Writes an object: see `Storage.put`."""
    target, key = resolve(address)
    return target.put(key, data, **options)


def get(address: str, **options: Any) -> bytes:
    """Reads an object: see `Storage.get`."""
    source, key = resolve(address)
    return source.get(key, **options)


def open(address: str, mode: str = "rb", **options: Any) -> Any:
    """Opens an object as a file: see `Storage.open`."""
    target, key = resolve(address)
    return target.open(key, mode, **options)


def stat(address: str, **options: Any) -> Object:
    """What is known of an object: see `Storage.stat`."""
    source, key = resolve(address)
    return source.stat(key, **options)


def exists(address: str) -> bool:
    """Whether there is an object: see `Storage.exists`."""
    source, key = resolve(address)
    return source.exists(key)


def list(address: str, **options: Any) -> Iterator[Entry]:
    """Everything below a prefix: see `Storage.list`."""
    source, prefix = resolve(address)
    return source.list(prefix, **options)


def delete(address: str, **options: Any) -> None:
    """Deletes an object: see `Storage.delete`."""
    source, key = resolve(address)
    source.delete(key, **options)


def copy(address: str, to: str, **options: Any) -> Object:
    """Copies an object to another address: see `Storage.copy`."""
    source, key, target, name = _two(address, to)
    return source.copy(key, name, to_storage=target, **options)


def move(address: str, to: str, **options: Any) -> Object:
    """Moves an object to another address: see `Storage.move`."""
    source, key, target, name = _two(address, to)
    return source.move(key, name, to_storage=target, **options)


def duplicate(address: str, **options: Any) -> Object:
    """Copies an object to a key that the host makes: see `Storage.duplicate`."""
    source, key = resolve(address)
    return source.duplicate(key, **options)


def url(address: str) -> str:
    """An object's public URL: see `Storage.url`."""
    source, key = resolve(address)
    return source.url(key)


def link(address: str, **options: Any) -> Link:
    """A signed URL that expires: see `Storage.link`."""
    source, key = resolve(address)
    return source.link(key, **options)


def _two(address: str, to: str) -> tuple[Storage, str, str | None, str]:
    source, key = resolve(address)
    if ":" not in to:
        # Beside it: a bare target stays in the storage of its source.
        return source, key, None, to
    target, name = resolve(to)
    return source, key, target.name, name
