"""Many small requests at once, by one thread: over several connections, several of them under way on each.

A store that is far away wants many requests at the same time; a near one wants few system calls for each. Both come
from the same loop: every connection has a few requests under way, and is served when epoll says that it has something.
"""

from __future__ import annotations

import select
import socket
from collections import deque
from typing import Deque, Iterable, Sequence, TypeVar, cast

from . import _calls, _wire
from ._channel import Channel
from ._connection import Connection, broken
from ._receiving import Closed
from .errors import CofferError

T = TypeVar("T")

CONCURRENCY = 32
# Requests under way on one connection: enough that the host always has a next one.
_DEPTH = 4
_PIECE = 256 << 10


class _Line:
    """A connection, the numbers of the requests under way on it, and what came of the next answer."""

    __slots__ = ("answered", "blocked", "connection", "data", "is_old", "outgoing", "waiting")

    def __init__(self, connection: Connection, is_old: bool) -> None:
        self.connection = connection
        self.is_old = is_old
        self.waiting: Deque[int] = deque()
        self.data = bytearray()
        self.outgoing = b""
        self.blocked = False
        self.answered = False


def exchange_many(
    channel: Channel, calls: Sequence[_calls.Call[T]], concurrency: int = CONCURRENCY
) -> list[T | CofferError]:
    """The result of each call, in their order; a failure stands in the place of its result."""
    results: list[T | CofferError | None] = [None] * len(calls)
    queue = deque(range(len(calls)))
    repeated: set[int] = set()
    lines: dict[int, _Line] = {}
    poll = select.epoll()
    try:
        while queue or lines:
            while queue and len(lines) < concurrency:
                try:
                    line = _open(channel, calls, queue)
                except CofferError:
                    # Fewer connections do it too, only slower.
                    if not lines:
                        raise
                    concurrency = len(lines)
                    break
                lines[line.connection.socket.fileno()] = line
                poll.register(line.connection.socket, select.EPOLLIN)
                _fill(line, calls, queue, poll, len(lines), concurrency)
            limit = channel.timeout
            ready = poll.poll(-1 if limit is None else limit)
            if not ready:
                raise next(iter(lines.values())).connection._blocked("answering")
            for number, events in ready:
                line = lines[number]
                try:
                    if events & select.EPOLLOUT:
                        _push(line, poll)
                    _receive(line, calls, results)
                    _fill(line, calls, queue, poll, len(lines), concurrency)
                except Closed as failure:
                    del lines[number]
                    poll.unregister(number)
                    _lost(channel, line, failure, calls, queue, results, repeated)
                    continue
                if not line.waiting:
                    del lines[number]
                    poll.unregister(number)
                    channel.release(line.connection)
    finally:
        poll.close()
        for line in lines.values():
            line.connection.close()
    # Every place was filled: a call leaves the queue only for a line, and a line only with its results.
    return cast("list[T | CofferError]", results)


def first_failure(results: Iterable[T | CofferError]) -> list[T]:
    """The results, or the first failure among them as an exception."""
    found: list[T] = []
    for result in results:
        if isinstance(result, CofferError):
            raise result
        found.append(result)
    return found


def _open(channel: Channel, calls: Sequence[_calls.Call[T]], queue: Deque[int]) -> _Line:
    connection, is_old = channel.acquire(must_live=not calls[queue[0]].is_repeatable)
    return _Line(connection, is_old)


def _fill(
    line: _Line, calls: Sequence[_calls.Call[T]], queue: Deque[int], poll: select.epoll, lines: int, concurrency: int
) -> None:
    """Gives the connection its share of what waits."""
    if line.outgoing:
        return
    # While connections are still to come, each gets one: what is spread is handled at the same time.
    depth = min(_DEPTH, 1 + len(queue) // concurrency) if lines >= concurrency or not queue else 1
    parts: list[bytes] = []
    while queue and len(line.waiting) < depth:
        call = calls[queue[0]]
        if line.waiting and not call.is_safe:
            # What is behind a request that fails may be lost with it: only reading may be asked again.
            break
        line.waiting.append(queue.popleft())
        parts.append(call.head())
        if call.body:
            parts.append(call.body)
    if parts:
        line.outgoing = b"".join(parts)
        _push(line, poll)


def _push(line: _Line, poll: select.epoll) -> None:
    """Sends what the socket takes, and asks to be called for the rest."""
    wire = line.connection.socket
    was_blocked = line.blocked
    try:
        sent = wire.send(line.outgoing, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
    except BlockingIOError:
        sent = 0
    except (BrokenPipeError, ConnectionError):
        # What it answered before it closed is still to be read.
        line.outgoing, line.blocked = b"", False
        poll.modify(wire, select.EPOLLIN)
        return
    line.outgoing = line.outgoing[sent:]
    line.blocked = bool(line.outgoing)
    if line.blocked != was_blocked:
        poll.modify(wire, select.EPOLLIN | (select.EPOLLOUT if line.blocked else 0))


def _receive(line: _Line, calls: Sequence[_calls.Call[T]], results: list[T | CofferError | None]) -> None:
    """Takes what came, and settles the calls whose answers are complete."""
    try:
        piece = line.connection.socket.recv(_PIECE, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return
    except ConnectionError as error:
        raise Closed(before_answer=not line.answered and not line.data) from error
    if not piece:
        raise Closed(before_answer=not line.answered and not line.data)
    line.data += piece
    while line.waiting:
        end = line.data.find(b"\r\n\r\n")
        if end < 0:
            if len(line.data) > _wire.HEAD_LIMIT or not b"HTTP/1.1 ".startswith(line.data[:9]):
                raise _wire.Malformed(f"it begins with {bytes(line.data[:24])!r}").explained(line.connection.path)
            return
        try:
            head = _wire.Head(bytes(line.data[:end]))
            if head.chunked:
                raise _wire.Malformed("it answers in chunks")
        except _wire.Malformed as error:
            raise error.explained(line.connection.path) from None
        stop = end + 4 + head.length
        if len(line.data) < stop:
            return
        if head.status >= 200:
            number = line.waiting.popleft()
            line.answered = True
            results[number] = _outcome(calls[number], head, bytes(line.data[end + 4 : stop]))
        del line.data[:stop]
    line.connection.settle(not line.data)


def _outcome(call: _calls.Call[T], head: _wire.Head, body: bytes) -> T | CofferError:
    try:
        return call.result(head, body)
    except CofferError as error:
        return error


def _lost(
    channel: Channel,
    line: _Line,
    failure: Closed,
    calls: Sequence[_calls.Call[T]],
    queue: Deque[int],
    results: list[T | CofferError | None],
    repeated: set[int],
) -> None:
    """A connection broke: what may be asked again is, once; the others failed."""
    line.connection.close()
    if line.is_old:
        channel.discard_idle()
    for place, number in enumerate(list(line.waiting)):
        call = calls[number]
        cut = place == 0 and not failure.before_answer and bool(line.data)
        if call.is_repeatable and number not in repeated and not cut and (line.is_old or line.answered):
            repeated.add(number)
            queue.append(number)
        else:
            results[number] = broken(channel.path, failure, call.is_safe)
