"""Frames between the plugin and this process.

A frame is the lengths of its two parts (4 bytes each, most significant first), a head in JSON, and a body. A head of
length 0 says that the body is a piece of an object. A descriptor may come with a frame's first byte.
"""

import array
import json
import select
import socket
import struct

LENGTHS = struct.Struct(">II")
LONGEST_HEAD = 16 << 20


class Channel:
    def __init__(self, connection):
        self.connection = connection
        self.poll = select.poll()
        self.poll.register(connection, select.POLLIN)

    def receive(self):
        """The next head, and the descriptor that came with it, or None."""
        room = socket.CMSG_LEN(array.array("i").itemsize)
        first, control, _, _ = self.connection.recvmsg(LENGTHS.size, room, socket.MSG_CMSG_CLOEXEC)
        descriptor = None
        for level, kind, data in control:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptor = array.array("i", data)[0]
        if not first:
            raise EOFError
        first += self.exactly(LENGTHS.size - len(first))
        head, body = LENGTHS.unpack(first)
        if head > LONGEST_HEAD or body:
            raise EOFError
        return json.loads(self.exactly(head)), descriptor

    def exactly(self, count):
        pieces = bytearray()
        while len(pieces) < count:
            piece = self.connection.recv(count - len(pieces))
            if not piece:
                raise EOFError
            pieces += piece
        return bytes(pieces)

    def is_waiting(self):
        """Whether the plugin has sent something, or is gone."""
        return bool(self.poll.poll(0))

    def send(self, head):
        text = json.dumps(head, separators=(",", ":")).encode()
        self.connection.sendall(LENGTHS.pack(len(text), 0) + text)

    def send_piece(self, piece):
        self.connection.sendall(LENGTHS.pack(0, len(piece)))
        self.connection.sendall(piece)
