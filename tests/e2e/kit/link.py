"""A proxy that knows no frames, only bytes: what a network does to a conversation.

    async with Link(bankd.address) as link:      # atmd is told link.address
        link.weather = slices(1)                 # from now on, on open connections too
        link.weather = clear

A weather is `async def weather(way, data)`, an async generator of what is passed on; `way` is "there" or "back". It may
wait, swallow, cut into pieces, or raise Reset.
"""

import asyncio

from kit.client import open_connection

THERE, BACK = "there", "back"
READ_BYTES = 64 * 1024


class Reset(Exception):
    """Ends the connection, with RST."""


class Link:
    def __init__(self, target=None):
        self.target = target
        self.weather = clear
        self.carried = {THERE: 0, BACK: 0}
        self._connections = set()
        self._server = None

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.address = "%s:%d" % self._server.sockets[0].getsockname()[:2]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        self.cut()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def cut(self):
        """Ends every connection, with RST."""
        for connection in self._connections:
            connection.cancel()

    async def _carry(self, from_caller, to_caller):
        me = asyncio.current_task()
        self._connections.add(me)
        me.add_done_callback(self._connections.discard)
        to_server = None
        pumps = []
        try:
            from_server, to_server = await open_connection(self.target)
            pumps = [
                asyncio.ensure_future(self._pump(THERE, from_caller, to_server)),
                asyncio.ensure_future(self._pump(BACK, from_server, to_caller)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        except (OSError, asyncio.CancelledError):
            pass  # The conversation is over.
        finally:
            for writer in (to_caller, to_server):
                writer and writer.transport.abort()
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, way, reader, writer):
        while data := await reader.read(READ_BYTES):
            async for piece in self.weather(way, data):
                self.carried[way] += len(piece)
                writer.write(piece)
                await writer.drain()


# Weathers.


async def clear(way, data):
    yield data


async def dropped(way, data):
    """Nothing arrives, and nobody is told."""
    for nothing in ():
        yield nothing


def one_way(lost):
    """What goes this way is lost."""

    async def weather(way, data):
        if way != lost:
            yield data

    return weather


async def reset(way, data):
    """The first byte ends the connection."""
    raise Reset
    yield data


def delayed(seconds):
    async def weather(way, data):
        await asyncio.sleep(seconds)
        yield data

    return weather


def slices(size):
    """Arrives in pieces, each in a segment of its own."""

    async def weather(way, data):
        for start in range(0, len(data), size):
            yield data[start : start + size]
            await asyncio.sleep(0)

    return weather


def gathered(seconds):
    """What is said within a while arrives in one piece."""
    waiting = {THERE: bytearray(), BACK: bytearray()}

    async def weather(way, data):
        waiting[way] += data
        await asyncio.sleep(seconds)
        together = bytes(waiting[way])
        waiting[way].clear()
        if together:
            yield together

    return weather


def narrow(bytes_a_second):
    async def weather(way, data):
        size = max(1, bytes_a_second // 50)
        for start in range(0, len(data), size):
            await asyncio.sleep(size / bytes_a_second)
            yield data[start : start + size]

    return weather


def cut_after(count):
    """Passes so many bytes each way, of all connections together, then ends them."""
    left = {THERE: count, BACK: count}

    async def weather(way, data):
        piece = data[: left[way]]
        left[way] -= len(piece)
        if piece:
            yield piece
        if left[way] == 0:
            left[way] = count  # The next connection gets as far.
            raise Reset

    return weather
