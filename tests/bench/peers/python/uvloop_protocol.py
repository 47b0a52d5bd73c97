"""The fastest that Python has: a Protocol on uvloop, all replies of what was read in one write.

    uvloop_protocol.py PORT
"""

import asyncio
import gc
import sys

import uvloop
from balance import answer


class Bank(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.rest = b""

    def data_received(self, data):
        if self.rest:
            data = self.rest + data
        at, end, replies = 0, len(data), []
        while end - at >= 2:
            after = at + 2 + (data[at] << 8 | data[at + 1])
            if after > end:
                break
            replies.append(answer(data[at + 2 : after]))
            at = after
        self.rest = data[at:]
        if replies:
            self.transport.write(b"".join(replies))


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Bank, "127.0.0.1", int(sys.argv[1]), backlog=4096)
    await server.serve_forever()


gc.freeze()
uvloop.install()
asyncio.run(main())
