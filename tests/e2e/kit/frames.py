"""Frames: a 2-byte length in network byte order, then the body. No I/O but in read_frame."""

import asyncio
import struct

BODY_MAX = 0xFFFF


def frame(body):
    if len(body) > BODY_MAX:
        raise ValueError(f"a frame's body has at most {BODY_MAX} bytes, not {len(body)}")
    return struct.pack("!H", len(body)) + bytes(body)


class FrameReader:
    """Cuts a byte stream into frames' bodies, wherever the stream was cut."""

    def __init__(self):
        self._partial = b""

    def feed(self, data):
        self._partial += data
        bodies = []
        while len(self._partial) >= 2:
            (length,) = struct.unpack_from("!H", self._partial)
            if len(self._partial) < 2 + length:
                break
            bodies.append(self._partial[2 : 2 + length])
            self._partial = self._partial[2 + length :]
        return bodies

    @property
    def between_frames(self):
        return not self._partial


async def read_frame(reader, begun=b""):
    """The next body from an asyncio.StreamReader; None at the stream's end between frames. `begun` was read before."""
    try:
        (length,) = struct.unpack("!H", begun + await reader.readexactly(2 - len(begun)))
    except asyncio.IncompleteReadError as end:
        if begun or end.partial:
            raise
        return None
    return await reader.readexactly(length)
