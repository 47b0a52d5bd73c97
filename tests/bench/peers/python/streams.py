"""The talk's way: asyncio's streams, a coroutine for each connection.

    streams.py PORT
"""

import asyncio
import gc
import sys

from balance import answer


async def serve(reader, writer):
    try:
        while True:
            size = int.from_bytes(await reader.readexactly(2), "big")
            writer.write(answer(await reader.readexactly(size)))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=4096)
    await server.serve_forever()


gc.freeze()
asyncio.run(main())
