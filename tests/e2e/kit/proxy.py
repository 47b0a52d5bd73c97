"""A proxy between a caller and a server that knows frames: it can stop the conversation at a named step.

    async with Proxy(bankd.address) as proxy:      # atmd is told proxy.address
        step = proxy.stop_at_request("Capture")    # or stop_at_reply
        ...
        await step.reached()                       # the Capture is here, and the bank has not seen it
        await atmd.kill()
        step.go_on()                               # or step.drop()
"""

import asyncio

from kit.client import open_connection
from kit.frames import frame, read_frame
from kit.poll import until
from kit.protos import envelope


class Step:
    """A place in the conversation where the next frame of a method stops, once, and what comes behind it too."""

    def __init__(self, kind, method):
        self.kind, self.method = kind, method
        self._reached = asyncio.Event()
        self._decided = asyncio.get_running_loop().create_future()  # True: the frame goes on.

    async def reached(self, within=10.0):
        await until(self._reached.is_set, f"the {self.kind} of {self.method}", within)

    async def wait(self):
        """Until it is reached, which may be never."""
        await self._reached.wait()

    def go_on(self):
        self._decided.done() or self._decided.set_result(True)

    def drop(self):
        """Only the frame is lost; the connection stays."""
        self._decided.done() or self._decided.set_result(False)

    async def pass_by(self):
        self._reached.set()
        return await self._decided


class Proxy:
    def __init__(self, target=None):
        self.target = target  # May be set later, or changed: the next connections go there.
        self.passed = []  # (kind, method) of every frame that went on.
        self._steps = []
        self._connections = set()
        self._server = None
        self._refusing = False

    def stop_at_request(self, method):
        return self._stop("request", method)

    def stop_at_reply(self, method):
        return self._stop("reply", method)

    def _stop(self, kind, method):
        step = Step(kind, method)
        self._steps.append(step)
        return step

    def forget(self, step):
        """Nothing stops there any more; what already did is lost."""
        if step in self._steps:
            self._steps.remove(step)
        step.drop()

    def cut(self):
        """Drops every connection."""
        for connection in self._connections:
            connection.cancel()

    def part(self):
        """Drops every connection, and accepts none until `join`."""
        self._refusing = True
        self.cut()

    def join(self):
        self._refusing = False

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.address = "%s:%d" % self._server.sockets[0].getsockname()[:2]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        self.cut()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _carry(self, from_caller, to_caller):
        me = asyncio.current_task()
        self._connections.add(me)
        me.add_done_callback(self._connections.discard)
        to_server = None
        try:
            if self._refusing:
                return
            from_server, to_server = await open_connection(self.target)
            methods = {}
            await _first_of(
                self._pump(from_caller, to_server, "request", envelope.Request, methods),
                self._pump(from_server, to_caller, "reply", envelope.Response, methods),
            )
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # The conversation is over.
        finally:
            for writer in (to_caller, to_server):
                writer and writer.transport.abort()

    async def _pump(self, reader, writer, kind, message, methods):
        while (body := await read_frame(reader)) is not None:
            parsed = message.FromString(body)
            if kind == "request" and not parsed.cancel:
                methods[parsed.id] = parsed.method.rpartition("/")[2]
            method = methods.get(parsed.id, "")
            step = next((each for each in self._steps if (each.kind, each.method) == (kind, method)), None)
            if step is not None:
                self._steps.remove(step)
                if not await step.pass_by():
                    continue
            self.passed.append((kind, method))
            writer.write(frame(body))
            await writer.drain()


async def _first_of(*pumps):
    """Runs them until one ends; ends the others."""
    tasks = [asyncio.ensure_future(each) for each in pumps]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            each.result()
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
