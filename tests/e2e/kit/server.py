"""A server in RPC mode, for tests: handlers by method, health, and faults on demand.

A handler is `async def handler(request)` that returns a response message, or an async generator of them for a stream. It may
raise RpcError. A *behaviour* stands between a method and its handler: see `silent`, `late`, ... below.
"""

import asyncio
from contextlib import aclosing

from google.protobuf.message import DecodeError

from kit.builtin import Health, Reflection
from kit.frames import BODY_MAX, frame, read_frame
from kit.protos import envelope, is_streaming, parse, path_of, request_class
from kit.status import Code, RpcError


CALLS_IN_FLIGHT_MAX = 256
REPLY_QUEUE_BYTES_MAX = 4 * 1024 * 1024


class Hangup(Exception):
    """Raised by a behaviour: the server drops the connection, without a reply."""


class RpcServer:
    def __init__(self):
        self._methods = {}  # path -> (method descriptor, handler)
        self._behaviours = {}  # path -> behaviour
        self._connections = set()
        self._server = None
        self.address = None
        self.frame_time_s = 5.0
        self.unread_time_s = 10.0
        self.requests = []  # (path, message) of every request that reached a handler or a behaviour, in order.
        Health(self)
        Reflection(self)

    # What it does.

    def serve(self, service, handlers):
        for name, handler in handlers.items():
            method = service.methods_by_name[name]
            self._methods[path_of(method)] = (method, handler)

    def on(self, name, behaviour=None):
        """From now on `behaviour` answers the method of this short name; None: its handler does again."""
        paths = [path for path in self._methods if path.endswith("/" + name)]
        assert paths, f"no method {name}"
        for path in paths:
            self._behaviours[path] = behaviour

    @property
    def services(self):
        return {path.split("/")[0] for path in self._methods}

    # Its life.

    async def start(self, host="127.0.0.1", port=0):
        self._server = await asyncio.start_server(self._accept, host, port)
        self.address = "%s:%d" % self._server.sockets[0].getsockname()[:2]
        return self

    async def stop(self):
        """Ends every connection. The address can be listened on again: `start` with its port."""
        self._server.close()
        self.hang_up()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def hang_up(self):
        for connection in self._connections:
            connection.cancel()

    async def __aenter__(self):
        return await self.start()

    async def __aexit__(self, *_):
        await self.stop()

    def _accept(self, reader, writer):
        conversation = asyncio.ensure_future(self._converse(reader, writer))

        def ended(_):
            self._connections.discard(conversation)
            if conversation.cancelled():  # Before it began.
                writer.transport.abort()

        self._connections.add(conversation)
        conversation.add_done_callback(ended)

    async def _converse(self, reader, writer):
        calls = _Calls(self, writer)
        try:
            await calls.converse(reader)
            writer.close()
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()  # Each ends the conversation, and nothing but it.
        finally:
            await calls.end()


class _Calls:
    """The calls of one connection."""

    def __init__(self, server, writer):
        self._server, self._writer = server, writer
        self._running = {}
        self._hung_up = asyncio.get_running_loop().create_future()

    async def converse(self, reader):
        self._writer.transport.set_write_buffer_limits(high=REPLY_QUEUE_BYTES_MAX)
        reading = asyncio.ensure_future(self._read(reader))
        try:
            await asyncio.wait([reading, self._hung_up], return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
        finally:
            reading.cancel()
            await asyncio.wait([reading])  # What outlives its loop is complained of when Python ends.

    async def _read(self, reader):
        while first := await reader.read(1):
            body = await asyncio.wait_for(read_frame(reader, first), self._server.frame_time_s)
            self._take(body)
            await asyncio.wait_for(self._writer.drain(), self._server.unread_time_s)

    async def end(self):
        self._hung_up.cancel()
        running = list(self._running.values())
        for call in running:
            call.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _take(self, body):
        try:
            request = parse(envelope.Request, body)
        except DecodeError:
            return self._reply(id=0, code=Code.INVALID_ARGUMENT, message="not a Request")
        if request.cancel:
            call = self._running.pop(request.id, None)
            return call and call.cancel()
        if request.id == 0 or request.id in self._running:
            return self._reply(id=0, code=Code.INVALID_ARGUMENT, message="an id of 1 or more, not in flight")
        if request.method not in self._server._methods:
            return self._reply(id=request.id, code=Code.UNIMPLEMENTED, message=f"no method {request.method}")
        if len(self._running) >= CALLS_IN_FLIGHT_MAX:
            return self._reply(id=request.id, code=Code.RESOURCE_EXHAUSTED, message="too many calls in flight")
        call = asyncio.ensure_future(self._answer(request))
        self._running[request.id] = call
        call.add_done_callback(lambda _: self._running.pop(request.id, None))

    async def _answer(self, request):
        method, handler = self._server._methods[request.method]
        try:
            message = parse(request_class(method), request.body)
            self._server.requests.append((request.method, message))
            stream = self._stream if is_streaming(method) else self._unary
            await asyncio.wait_for(stream(request, handler, message), request.time_left_ms / 1000 or None)
        except Hangup:
            self._hung_up.done() or self._hung_up.set_result(None)
        except DecodeError:
            self._reply(id=request.id, code=Code.INVALID_ARGUMENT, message=f"not a {method.input_type.full_name}")
        except RpcError as error:
            self._reply(id=request.id, code=error.code, message=error.message)
        except asyncio.TimeoutError:
            self._reply(id=request.id, code=Code.DEADLINE_EXCEEDED, message="no answer in time")

    async def _unary(self, request, handler, message):
        behaviour = self._server._behaviours.get(request.method)
        response = await (behaviour(handler, message) if behaviour else handler(message))
        self._reply(id=request.id, body=response.SerializeToString())

    async def _stream(self, request, handler, message):
        async with aclosing(handler(message)) as responses:
            async for response in responses:
                self._reply(id=request.id, body=response.SerializeToString(), more=True)
                await self._writer.drain()
        self._reply(id=request.id, body=b"")

    def _reply(self, **fields):
        body = envelope.Response(**fields).SerializeToString()
        if len(body) > BODY_MAX:
            body = envelope.Response(id=fields["id"], code=Code.RESOURCE_EXHAUSTED).SerializeToString()
        self._writer.write(frame(body))


# Behaviours.


async def silent(handler, request):
    """Does nothing and never answers."""
    await asyncio.get_running_loop().create_future()


async def reply_lost(handler, request):
    """Does the work, and drops the connection instead of answering."""
    await handler(request)
    raise Hangup


async def reply_withheld(handler, request):
    """Does the work, and never answers."""
    await handler(request)
    await asyncio.get_running_loop().create_future()


async def hang_up(handler, request):
    """Drops the connection before doing anything."""
    raise Hangup


def fail(code, message="as the script says"):
    """Answers with a status."""

    async def behaviour(handler, request):
        raise RpcError(code, message)

    return behaviour


def late(event):
    """Does the work when `event` is set, and answers then."""

    async def behaviour(handler, request):
        await event.wait()
        return await handler(request)

    return behaviour


def answer_late(event):
    """Does the work at once, and answers when `event` is set."""

    async def behaviour(handler, request):
        response = await handler(request)
        await event.wait()
        return response

    return behaviour


def after(count, behaviour):
    """Works as usual `count` times, then behaves."""
    left = count

    async def counted(handler, request):
        nonlocal left
        if left == 0:
            return await behaviour(handler, request)
        left -= 1
        return await handler(request)

    return counted


def once(behaviour):
    """Behaves for the first request, then works as usual."""
    pending = [behaviour]

    async def only_once(handler, request):
        return await (pending.pop()(handler, request) if pending else handler(request))

    return only_once
