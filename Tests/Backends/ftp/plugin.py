"""Calls a storage plugin through the C ABI, as a host would: open, put, get, stat, list, remove, move."""

import ctypes as c
import itertools
import time

CODES = {
    1: "unsupported", 2: "invalid_argument", 3: "config", 4: "not_found", 5: "already_exists", 6: "precondition",
    7: "permission", 8: "unauthenticated", 9: "rate_limited", 10: "no_space", 11: "too_large", 12: "range",
    14: "timeout", 15: "cancelled", 16: "io", 17: "unavailable", 18: "corrupt", 19: "internal", 21: "invalid_key",
    22: "changed", 24: "quota",
}
RETRYABLE, MAYBE_APPLIED = 1, 2
NEXT, INFO = 3, 7
attempts = itertools.count(1)


def struct(name, *fields):
    return type(name, (c.Structure,), {"_fields_": list(fields)})


Str = struct("Str", ("ptr", c.c_char_p), ("len", c.c_size_t))
RawStr = struct("RawStr", ("ptr", c.c_void_p), ("len", c.c_size_t))
Pair = struct("Pair", ("key", Str), ("value", Str))
Error = struct(
    "Error", ("struct_size", c.c_uint32), ("code", c.c_int32), ("flags", c.c_uint32), ("native", c.c_int32),
    ("retry_after", c.c_uint32), ("message_cap", c.c_uint32), ("message_len", c.c_uint32), ("reserved", c.c_uint32),
    ("message", c.c_void_p))
Call = struct(
    "Call", ("struct_size", c.c_uint32), ("flags", c.c_uint32), ("deadline", c.c_uint64), ("token", c.c_void_p),
    ("trace", Str))
Entry = struct(
    "Entry", ("struct_size", c.c_uint32), ("kind", c.c_uint32), ("flags", c.c_uint32), ("reserved", c.c_uint32),
    ("key", RawStr), ("size", c.c_int64), ("mtime", c.c_int64), ("ctime", c.c_int64), ("etag", RawStr),
    ("version", RawStr))
OnEntry = c.CFUNCTYPE(c.c_int, c.c_void_p, c.POINTER(Entry))
OnValue = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_uint32, RawStr, RawStr)
Sink = struct(
    "Sink", ("struct_size", c.c_uint32), ("reserved", c.c_uint32), ("ctx", c.c_void_p), ("on_entry", OnEntry),
    ("on_value", OnValue), ("on_result", c.c_void_p))
Host = struct(
    "Host", ("struct_size", c.c_uint32), ("abi", c.c_uint32), ("ctx", c.c_void_p), ("name", c.c_char_p),
    ("version", c.c_char_p), ("functions", c.c_void_p * 7))
OpenArgs = struct(
    "OpenArgs", ("struct_size", c.c_uint32), ("reserved", c.c_uint32), ("host_instance", c.c_void_p), ("name", Str),
    ("n_options", c.c_size_t), ("options", c.POINTER(Pair)))
OpenResult = struct(
    "OpenResult", ("struct_size", c.c_uint32), ("reserved", c.c_uint32), ("instance", c.c_void_p),
    ("native", c.c_uint64), ("no_emulation", c.c_uint64), ("limits", c.c_uint64 * 8))
ReadArgs = struct(
    "ReadArgs", ("struct_size", c.c_uint32), ("flags", c.c_uint32), ("key", Str), ("version", Str), ("if_match", Str),
    ("if_none_match", Str), ("offset", c.c_uint64), ("length", c.c_int64))
ReadResult = struct(
    "ReadResult", ("struct_size", c.c_uint32), ("reserved", c.c_uint32), ("stream", c.c_void_p), ("fd", c.c_int32),
    ("fd_flags", c.c_uint32), ("fd_offset", c.c_uint64), ("length", c.c_uint64), ("offset", c.c_uint64))
WriteArgs = struct(
    "WriteArgs", ("struct_size", c.c_uint32), ("flags", c.c_uint32), ("key", Str), ("if_match", Str),
    ("if_none_match", Str), ("attempt", Str), ("size", c.c_int64), ("n_props", c.c_size_t), ("props", c.POINTER(Pair)),
    ("n_meta", c.c_size_t), ("meta", c.c_void_p), ("n_checksums", c.c_size_t), ("checksums", c.c_void_p))
ListArgs = struct(
    "ListArgs", ("struct_size", c.c_uint32), ("flags", c.c_uint32), ("prefix", Str), ("delimiter", Str),
    ("start_after", Str), ("token", Str))
CopyArgs = struct(
    "CopyArgs", ("struct_size", c.c_uint32), ("flags", c.c_uint32), ("source", Str), ("source_version", Str),
    ("source_if_match", Str), ("to", Str), ("if_match", Str), ("if_none_match", Str), ("attempt", Str),
    ("meta_mode", c.c_uint32), ("reserved", c.c_uint32), ("n_props", c.c_size_t), ("props", c.c_void_p),
    ("n_meta", c.c_size_t), ("meta", c.c_void_p))
NAMES = (
    "open close health stat read_open read read_close write_begin write_append write_ingest write_commit write_close "
    "remove remove_batch list_open list_next list_close copy move presign public_url").split()
Ops = struct(
    "Ops", ("struct_size", c.c_uint32), ("reserved", c.c_uint32), *((name, c.c_void_p) for name in NAMES))
Description = struct(
    "Description", ("magic", c.c_uint32), ("struct_size", c.c_uint32), ("abi", c.c_uint32), ("flags", c.c_uint32),
    ("threads", c.c_uint32), ("option_size", c.c_uint32), ("caps", c.c_uint64), ("texts", c.c_char_p * 6),
    ("n_options", c.c_size_t), ("options", c.c_void_p), ("ops", c.POINTER(Ops)))
PARAMETERS = {
    "open": 4, "health": 4, "stat": 5, "read_open": 6, "read": 6, "write_begin": 5, "write_append": 5,
    "write_commit": 5, "remove": 4, "list_open": 5, "list_next": 6, "move": 5,
}


class Refused(Exception):
    """A call ended with another code than ok."""

    def __init__(self, code, flags, message):
        super().__init__(f"{CODES.get(code, code)}: {message}")
        self.code, self.flags, self.message = CODES.get(code, code), flags, message


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return Str(data, len(data))


def made(kind, **values):
    return kind(struct_size=c.sizeof(kind), **values)


def taken(string):
    return c.string_at(string.ptr, string.len) if string.len else b""


class Plugin:
    """One instance, with options as the host would pass them: durations in milliseconds, sizes in bytes."""

    def __init__(self, path, seconds=30, **options):
        self.seconds = seconds
        library = c.CDLL(path)
        entry = library.coffer_backend_entry_v1
        entry.restype = c.POINTER(Description)
        self.host = made(Host, abi=1 << 16, name=b"test", version=b"0")
        self.ops = entry(c.byref(self.host), None).contents.ops.contents
        pairs = (Pair * len(options))(*(Pair(text(name), text(str(value))) for name, value in options.items()))
        result = made(OpenResult)
        arguments = made(OpenArgs, name=text("test"), n_options=len(options), options=pairs)
        self.call("open", c.byref(arguments), result=c.byref(result))
        self.instance = c.c_void_p(result.instance)
        self.native = result.native

    def call(self, name, *arguments, result=None, sink=None):
        buffer = c.create_string_buffer(1024)
        error = made(Error, message_cap=1024, message=c.cast(buffer, c.c_void_p))
        deadline = time.clock_gettime_ns(time.CLOCK_MONOTONIC) + int(self.seconds * 1e9)
        call = made(Call, deadline=deadline)
        rest = [argument for argument in (result, sink) if argument is not None]
        # The call comes second, but for `open`.
        if name == "open":
            values = [arguments[0], c.byref(call), *rest, c.byref(error)]
        else:
            values = [arguments[0], c.byref(call), *arguments[1:], *rest, c.byref(error)]
        assert len(values) == PARAMETERS[name], name
        function = c.CFUNCTYPE(c.c_int32, *([c.c_void_p] * len(values)))(getattr(self.ops, name))
        code = function(*values)
        if code:
            raise Refused(code, error.flags, buffer.raw[: error.message_len].decode())

    def end(self, name, handle):
        c.CFUNCTYPE(None, c.c_void_p)(getattr(self.ops, name))(handle)

    def close(self):
        self.end("close", self.instance)

    def health(self):
        facts = {}
        sink, keep = self.sink(values=lambda kind, key, value: facts.__setitem__(key.decode(), value.decode()))
        self.call("health", self.instance, sink=sink)
        del keep
        return facts

    def sink(self, entries=None, values=None):
        def on_entry(_, entry):
            seen = entry.contents
            if entries:
                entries((seen.kind, taken(seen.key), seen.size, seen.mtime, taken(seen.etag)))
            return 0

        def on_value(_, kind, key, value):
            if values:
                values(kind, taken(key), taken(value))
            return 0

        sink = made(Sink, on_entry=OnEntry(on_entry), on_value=OnValue(on_value))
        return c.byref(sink), sink

    def stat(self, key):
        entries = []
        sink, keep = self.sink(entries.append)
        arguments = made(ReadArgs, key=text(key), length=-1)
        self.call("stat", self.instance, c.byref(arguments), sink=sink)
        del keep
        return entries[0]

    def open_read(self, key, offset=0, length=-1):
        result = made(ReadResult)
        arguments = made(ReadArgs, key=text(key), offset=offset, length=length)
        sink, keep = self.sink()
        self.call("read_open", self.instance, c.byref(arguments), result=c.byref(result), sink=sink)
        del keep
        return c.c_void_p(result.stream)

    def read(self, stream, buffer):
        got = c.c_size_t(0)
        self.call("read", stream, c.cast(buffer, c.c_void_p), len(buffer), c.byref(got))
        return got.value

    def get(self, key, offset=0, length=-1, keep=True):
        stream = self.open_read(key, offset, length)
        parts, total = [], 0
        buffer = c.create_string_buffer(1 << 20 if keep is False else 1 << 18)
        try:
            while count := self.read(stream, buffer):
                total += count
                if keep:
                    parts.append(buffer.raw[:count])
        finally:
            self.end("read_close", stream)
        return b"".join(parts) if keep else total

    def begin(self, key, size=-1, **props):
        pairs = (Pair * len(props))(*(Pair(text(name), text(str(value))) for name, value in props.items()))
        arguments = made(
            WriteArgs, key=text(key), attempt=text(f"attempt-{next(attempts)}"), size=size, n_props=len(props),
            props=pairs)
        stream = c.c_void_p()
        self.call("write_begin", self.instance, c.byref(arguments), result=c.byref(stream))
        return stream

    def append(self, stream, data):
        self.call("write_append", stream, c.cast(c.c_char_p(data), c.c_void_p), len(data))

    def commit(self, stream):
        entries = []
        sink, keep = self.sink(entries.append)
        self.call("write_commit", stream, c.c_void_p(None), sink=sink)
        del keep
        return entries[0]

    def put(self, key, data, block=1 << 20, **props):
        stream = self.begin(key, len(data), **props)
        try:
            for start in range(0, len(data), block):
                self.append(stream, data[start : start + block])
            return self.commit(stream)
        finally:
            self.end("write_close", stream)

    def remove(self, key):
        arguments = made(ReadArgs, key=text(key), length=-1)
        self.call("remove", self.instance, c.byref(arguments))

    def move(self, source, to):
        arguments = made(CopyArgs, source=text(source), to=text(to), attempt=text(f"attempt-{next(attempts)}"))
        sink, keep = self.sink()
        self.call("move", self.instance, c.byref(arguments), sink=sink)
        del keep

    def list(self, prefix="", delimiter="", page=1000):
        entries = []
        arguments = made(ListArgs, prefix=text(prefix), delimiter=text(delimiter))
        stream = c.c_void_p()
        self.call("list_open", self.instance, c.byref(arguments), result=c.byref(stream))
        try:
            done = c.c_uint32(0)
            while not done.value:
                sink, keep = self.sink(entries.append)
                self.call("list_next", stream, page, c.byref(done), sink=sink)
                del keep
        finally:
            self.end("list_close", stream)
        return entries

    def keys(self, prefix="", delimiter=""):
        return [entry[1].decode() for entry in self.list(prefix, delimiter)]
