"""A caller in RPC mode: many calls in flight on one connection, deadlines, streams, cancel."""

import asyncio
import itertools

from kit.frames import frame, read_frame
from kit.protos import envelope, is_streaming, path_of, request_class, response_class
from kit.status import Code, RpcError

DEADLINE_S = 10.0


async def open_connection(address):
    host, _, port = address.rpartition(":")
    return await asyncio.open_connection(host.strip("[]"), int(port))


class RpcClient:
    """One connection. A call that is in flight when it ends raises RpcError(UNAVAILABLE): its outcome is unknown."""

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer
        self._ids = itertools.count(1)
        self._replies = {}  # id -> queue of Responses; None when the connection has ended.
        self.stray = []  # Responses that no call waits for: id 0, late, unknown.
        self.closed = asyncio.Event()
        self._receiving = asyncio.ensure_future(self._receive())

    @classmethod
    async def connect(cls, address):
        return cls(*await open_connection(address))

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.close()

    async def close(self):
        self._receiving.cancel()
        self._writer.close()
        await asyncio.wait([self._receiving])
        self._end()

    async def _receive(self):
        try:
            while (body := await read_frame(self._reader)) is not None:
                response = envelope.Response.FromString(body)
                waiting = self._replies.get(response.id)
                if waiting is None:
                    self.stray.append(response)
                else:
                    waiting.put_nowait(response)
        except (OSError, asyncio.IncompleteReadError):
            pass  # A connection that breaks has ended, too.
        finally:
            self._end()

    def _end(self):
        self.closed.set()
        for waiting in self._replies.values():
            waiting.put_nowait(None)

    # The wire itself, for tests that misbehave.

    @property
    def local_port(self):
        return self._writer.get_extra_info("sockname")[1]

    def send(self, *requests):
        """Writes Requests, all at once."""
        self._writer.write(b"".join(frame(request.SerializeToString()) for request in requests))

    def send_bytes(self, data):
        self._writer.write(data)

    async def sent(self):
        await self._writer.drain()

    def request(self, method, message, deadline=DEADLINE_S, **fields):
        """A Request with the next id, not sent yet."""
        path = method if isinstance(method, str) else path_of(method)
        body = message if isinstance(message, bytes) else message.SerializeToString()
        milliseconds = 0 if deadline is None else max(1, int(deadline * 1000))
        return envelope.Request(id=next(self._ids), method=path, body=body, time_left_ms=milliseconds, **fields)

    # Calls.

    async def call(self, method, message, deadline=DEADLINE_S, **fields):
        """A unary call. Cancelling it tells the server."""
        with _Call(self, self.request(method, message, deadline, **fields), deadline) as call:
            response = await call.next()
            message = response_class(method).FromString(response.body)
            if says_nothing(message):
                raise RpcError(Code.INTERNAL, f"{path_of(method)} was answered neither yes nor no")
            return message

    async def stream(self, method, message, deadline=None, **fields):
        """A server-streaming call: an async generator. Closing it tells the server."""
        with _Call(self, self.request(method, message, deadline, **fields), deadline) as call:
            while (response := await call.next()).more:
                yield response_class(method).FromString(response.body)

    def stub(self, service):
        return Stub(self, service)


def says_nothing(message):
    """Whether it could say yes or no, and says neither, or what only a later version knows: the outcome is unknown."""
    return "outcome" in message.DESCRIPTOR.oneofs_by_name and message.WhichOneof("outcome") is None


class _Call:
    """A call in flight: sent when entered, cancelled at the server when left before its last response."""

    def __init__(self, client, request, deadline):
        self._client, self._request, self._deadline = client, request, deadline
        self._responses = asyncio.Queue()
        self._ended = False

    def __enter__(self):
        if self._client.closed.is_set():
            raise RpcError(Code.UNAVAILABLE, "the connection has ended")
        loop = asyncio.get_running_loop()
        self._give_up = None if self._deadline is None else loop.time() + self._deadline
        self._client._replies[self._request.id] = self._responses
        self._client.send(self._request)
        return self

    def __exit__(self, *_):
        del self._client._replies[self._request.id]
        if not self._ended and not self._client.closed.is_set():
            self._client.send(envelope.Request(id=self._request.id, cancel=True))

    async def next(self):
        left = None if self._give_up is None else self._give_up - asyncio.get_running_loop().time()
        try:
            response = await asyncio.wait_for(self._responses.get(), left)
        except asyncio.TimeoutError:
            raise RpcError(Code.DEADLINE_EXCEEDED, "no answer in time") from None
        if response is None:
            raise RpcError(Code.UNAVAILABLE, "the connection ended before the answer")
        self._ended = not response.more
        if response.code != Code.OK:
            raise RpcError(response.code, response.message)
        if not response.HasField("body"):
            raise RpcError(Code.INTERNAL, "the server speaks another protocol")
        return response


class Stub:
    """A service's methods as functions: `await stub.GetBalance(card_number="...")`."""

    def __init__(self, client, service):
        self._client, self._service = client, service

    def __getattr__(self, name):
        method = self._service.methods_by_name.get(name)
        if method is None:
            raise AttributeError(f"{self._service.full_name} has no method {name}")
        send = self._client.stream if is_streaming(method) else self._client.call

        def call(deadline=DEADLINE_S, **fields):
            return send(method, request_class(method)(**fields), deadline)

        return call
