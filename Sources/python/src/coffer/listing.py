"""A whole listing, line by line as the host sends it."""

from __future__ import annotations

import json
import os
from typing import Iterator

from . import _calls
from ._channel import Channel, require_same_process
from ._connection import broken
from ._receiving import Closed
from .errors import Corrupt, error_from_problem
from .model import Entry, Object, Prefix

_PIECE = 64 << 10
_LINE_LIMIT = 1 << 20


class Lines:
    """Bytes as they come, taken apart at their line ends."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[Entry]:
        """The entries that are complete with `piece`; an empty one is the end."""
        if not piece:
            if self._rest:
                raise Corrupt("the listing ends in the middle of a line")
            return []
        lines = (self._rest + piece).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > _LINE_LIMIT:
            raise Corrupt("a line of the listing exceeds 1 MiB")
        return [_entry(line) for line in lines if line]


def _entry(line: bytes) -> Entry:
    try:
        document = json.loads(line)
        if "key" in document:
            return Object(document)
        if "prefix" in document:
            return Prefix(document["prefix"])
        problem = dict(document["problem"])
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"a line of the listing is not understood: {line[:80]!r}") from error
    raise error_from_problem(problem)


def call(target: str) -> _calls.Call[None]:
    """The request for a listing."""
    return _calls.Call("GET", target, lambda _: None, fields=[("Accept", "application/x-ndjson")])


def walk(channel: Channel, target: str) -> Iterator[Entry]:
    """Walks a listing; leaving early ends it at the host too."""
    pid = os.getpid()
    head, connection = channel.exchange(call(target))
    if head.status >= 300:
        _calls.check(head, channel.read_all(head, connection, safe=True))
    lines = Lines()
    try:
        while True:
            require_same_process(pid, "listing")
            piece = connection.read_some(_PIECE)
            yield from lines.feed(piece)
            if not piece:
                break
    except Closed as failure:
        connection.close()
        raise broken(channel.path, failure, safe=True) from failure
    except BaseException:
        if pid == os.getpid():
            connection.close()
        raise
    channel.release(connection)
