"""Coffer's client: put, get, open and list objects of a storage host, through its Unix socket.

    import coffer

    coffer.put("files:greeting.txt", b"hello")
    with coffer.open("files:greeting.txt") as file:
        print(file.read())

`coffer.Client` and its `storage(name)` are the same with a socket of your choice; `coffer.aio` is for asyncio, and
`coffer://storage/key` works wherever fsspec is installed.
"""

from ._shortcuts import (
    client,
    copy,
    delete,
    duplicate,
    exists,
    get,
    link,
    list,
    move,
    open,
    put,
    stat,
    storage,
    url,
)
from .client import Client
from .errors import (
    AlreadyExists,
    BackendError,
    BadType,
    Cancelled,
    Changed,
    ChecksumMismatch,
    CofferError,
    ConfigInvalid,
    Corrupt,
    Internal,
    InvalidArgument,
    InvalidKey,
    NoSpace,
    NotEmpty,
    NotFound,
    NotModified,
    PermissionDenied,
    PluginFailed,
    PreconditionFailed,
    QuotaExceeded,
    RangeInvalid,
    RateLimited,
    Timeout,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unsupported,
)
from .model import Checksum, Deletion, Entry, Link, Object, Page, Prefix, PrefixDeletion, StorageInfo
from .reader import ObjectReader
from .storage import Storage
from .writer import ObjectWriter

__version__ = "0.1.0"

__all__ = [
    "AlreadyExists",
    "BackendError",
    "BadType",
    "Cancelled",
    "Changed",
    "Checksum",
    "ChecksumMismatch",
    "Client",
    "CofferError",
    "ConfigInvalid",
    "Corrupt",
    "Deletion",
    "Entry",
    "Internal",
    "InvalidArgument",
    "InvalidKey",
    "Link",
    "NoSpace",
    "NotEmpty",
    "NotFound",
    "NotModified",
    "Object",
    "ObjectReader",
    "ObjectWriter",
    "Page",
    "PermissionDenied",
    "PluginFailed",
    "PreconditionFailed",
    "Prefix",
    "PrefixDeletion",
    "QuotaExceeded",
    "RangeInvalid",
    "RateLimited",
    "Storage",
    "StorageInfo",
    "Timeout",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "Unsupported",
    "client",
    "copy",
    "delete",
    "duplicate",
    "exists",
    "get",
    "link",
    "list",
    "move",
    "open",
    "put",
    "stat",
    "storage",
    "url",
]
