"""Every server keeps FRAMING.md's promises: the kit's own and the programs'. See the page for each number."""

import asyncio
import random
import socket
from contextlib import aclosing, asynccontextmanager

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from kit.client import RpcClient
from kit.frames import BODY_MAX, frame
from kit.poll import until
from kit.protos import HealthService, ReflectionService, envelope, health, path_of, reflection
from kit.status import Code, RpcError

CHECK = path_of(HealthService.methods_by_name["Check"])
WATCH = path_of(HealthService.methods_by_name["Watch"])
GET_FILES = path_of(ReflectionService.methods_by_name["GetFiles"])
CALLS_IN_FLIGHT_MAX = 256
GRACE_S = 5


@pytest.fixture
async def client(server):
    async with await RpcClient.connect(server.address) as client:
        yield client


async def is_well(client):
    """The connection still works."""
    answer = await client.stub(HealthService).Check(service="")
    return answer.status == health.SERVING_STATUS_SERVING


async def reply_to(client, body):
    """The response to a frame with this body, from a connection with nothing else under way."""
    client.send_bytes(frame(body))
    await until(lambda: client.stray or client.closed.is_set(), "a reply")
    assert client.stray, "the connection was closed"
    return client.stray.pop(0)


def request(id, method=CHECK, **fields):
    return envelope.Request(id=id, method=method, **fields)


# Bad input.


@pytest.mark.parametrize(
    "body, id, code",
    [
        pytest.param(b"", 0, Code.INVALID_ARGUMENT, id="a frame of length 0"),
        pytest.param(b"\xff" * 20, 0, Code.INVALID_ARGUMENT, id="garbage"),
        pytest.param(b"\x08", 0, Code.INVALID_ARGUMENT, id="a field that is cut off"),
        pytest.param(b"\x08\x07\x12\x02\xc3\x28", 0, Code.INVALID_ARGUMENT, id="text that is not UTF-8"),
        pytest.param(b"\x08\x07\x0a", 0, Code.INVALID_ARGUMENT, id="garbage behind an id"),
        pytest.param(request(0).SerializeToString(), 0, Code.INVALID_ARGUMENT, id="id 0"),
        pytest.param(request(7, "bank.v1.BankService/Rob").SerializeToString(), 7, Code.UNIMPLEMENTED, id="no such method"),
        pytest.param(request(7, "no.such.Service/Check").SerializeToString(), 7, Code.UNIMPLEMENTED, id="no such service"),
        pytest.param(request(7, "").SerializeToString(), 7, Code.UNIMPLEMENTED, id="no method"),
        pytest.param(request(7, "/").SerializeToString(), 7, Code.UNIMPLEMENTED, id="an empty method"),
        pytest.param(request(7, CHECK + "/").SerializeToString(), 7, Code.UNIMPLEMENTED, id="a method and more"),
        pytest.param(request(7, body=b"\xff").SerializeToString(), 7, Code.INVALID_ARGUMENT, id="garbage body"),
        pytest.param(request(7, body=b"\x0a\x02\xc3\x28").SerializeToString(), 7, Code.INVALID_ARGUMENT, id="body's text"),
    ],
)
async def test_bad_input_gets_a_status_and_keeps_the_connection(client, body, id, code):
    reply = await reply_to(client, body)
    assert (reply.id, Code(reply.code), reply.body, reply.more) == (id, code, b"", False)
    assert reply.message
    assert await is_well(client)


async def test_an_id_in_flight_is_not_taken_twice(client):
    client.send(request(7, WATCH))
    await until(lambda: client.stray, "the stream's first message")
    client.stray.clear()
    reply = await reply_to(client, request(7).SerializeToString())
    assert (reply.id, Code(reply.code)) == (0, Code.INVALID_ARGUMENT)
    assert await is_well(client)


async def test_calls_beyond_the_limit_are_refused_and_the_others_go_on(client):
    client.send(*(request(id, WATCH) for id in range(1000, 1000 + CALLS_IN_FLIGHT_MAX)))
    await until(lambda: len(client.stray) == CALLS_IN_FLIGHT_MAX, "every stream's first message")
    assert all(reply.more for reply in client.stray)
    client.stray.clear()

    reply = await reply_to(client, request(7).SerializeToString())
    assert (reply.id, Code(reply.code)) == (7, Code.RESOURCE_EXHAUSTED)

    client.send(envelope.Request(id=1000, cancel=True))
    assert await is_well(client)


async def test_cancelling_what_is_not_in_flight_is_answered_with_nothing(client):
    client.send(envelope.Request(id=7, cancel=True))
    assert await is_well(client)
    assert client.stray == []


# Frames.


async def test_a_request_may_come_byte_by_byte(client):
    for byte in frame(request(7).SerializeToString()):
        client.send_bytes(bytes([byte]))
        await client.sent()
        await asyncio.sleep(0)
    (reply,) = await until(lambda: client.stray, "a reply")
    assert (reply.id, reply.code) == (7, Code.OK)


async def test_many_requests_may_come_in_one_piece(client):
    client.send(*(request(id) for id in range(1000, 1200)))
    await until(lambda: len(client.stray) == 200, "every reply")
    assert {reply.id for reply in client.stray} == set(range(1000, 1200))
    assert all(reply.code == Code.OK for reply in client.stray)


async def test_a_frame_may_be_as_long_as_its_length_can_say(client):
    bare = request(7).SerializeToString()
    padding = BODY_MAX - len(bare) - 5  # A field that nobody knows: its tag of 2 bytes, its length of 3.
    body = bare + b"\xfa\x01" + bytes([padding & 0x7F | 0x80, padding >> 7 & 0x7F | 0x80, padding >> 14]) + b"x" * padding
    assert len(body) == BODY_MAX
    assert (await reply_to(client, body)).code == Code.OK


async def test_unknown_fields_are_ignored(client):
    unknown = b"\xfa\x01\x03new"
    reply = await reply_to(client, request(7, body=unknown).SerializeToString() + unknown)
    assert (reply.id, reply.code) == (7, Code.OK)


async def test_bad_frames_between_good_ones_change_nothing(client):
    good = [request(id).SerializeToString() for id in (21, 22, 23)]
    client.send_bytes(frame(good[0]) + frame(b"") + frame(good[1]) + frame(b"\xff") + frame(good[2]))
    await until(lambda: len(client.stray) == 5, "every reply")
    assert {reply.id for reply in client.stray if reply.code == Code.OK} == {21, 22, 23}


async def test_a_thousand_mangled_frames_harm_nobody(client):
    chance = random.Random(7)  # The same thousand each time.
    good = request(7, WATCH, time_left_ms=1000, traceparent="00-" + "ab" * 16 + "-" + "cd" * 8 + "-01", cancel=True)
    for _ in range(1000):
        body = bytearray(good.SerializeToString())
        for _ in range(chance.randint(1, 4)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        client.send_bytes(frame(body[: chance.randint(0, len(body))]))
    await client.sent()
    assert await is_well(client)


async def test_a_caller_that_stops_in_the_middle_of_a_frame_is_cut(server, client):
    client.send_bytes(frame(request(7).SerializeToString())[:-1])
    await until(client.closed.is_set, "the end of the connection", within=server.frame_time_s + GRACE_S)


async def test_half_a_length_is_the_middle_of_a_frame_too(server, client):
    client.send_bytes(b"\x00")
    await until(client.closed.is_set, "the end of the connection", within=server.frame_time_s + GRACE_S)


async def test_a_caller_that_does_not_read_is_cut_and_the_others_are_not(server, client):
    """Its requests are taken until the reply queue is full; then nothing is, and after a while it is gone."""
    question = reflection.GetFilesRequest(symbol=server.services[0]).SerializeToString()
    flood = frame(request(7, GET_FILES, body=question).SerializeToString()) * 100
    async with never_reading(server.address) as writer:
        with pytest.raises(ConnectionError):
            while True:
                writer.write(flood)
                await asyncio.wait_for(writer.drain(), server.unread_time_s + GRACE_S)
                assert await is_well(client)


@asynccontextmanager
async def never_reading(address):
    host, _, port = address.rpartition(":")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((host, int(port)))
    _, writer = await asyncio.open_connection(sock=connection, limit=1)  # A reader this small pauses at once.
    try:
        yield writer
    finally:
        writer.transport.abort()


# Deadlines, cancelling, streams.


async def test_a_deadline_ends_a_stream(client):
    client.send(request(7, WATCH, time_left_ms=50))
    first, last = await until(lambda: len(client.stray) == 2 and client.stray, "a message, and the end")
    assert (first.id, first.code, first.more) == (7, Code.OK, True)
    assert (last.id, Code(last.code), last.more) == (7, Code.DEADLINE_EXCEEDED, False)
    assert await is_well(client)


async def test_a_cancelled_stream_says_nothing_more(client):
    client.send(request(7, WATCH))
    await until(lambda: client.stray, "the stream's first message")
    client.stray.clear()
    client.send(envelope.Request(id=7, cancel=True))
    assert await is_well(client)
    assert client.stray == []


async def test_a_stream_does_not_hold_up_other_calls(client):
    async with aclosing(client.stub(HealthService).Watch(service="", deadline=None)) as stream:
        assert (await stream.__anext__()).status == health.SERVING_STATUS_SERVING
        assert await is_well(client)


async def test_a_caller_that_leaves_leaves_nothing_behind(server, client):
    for _ in range(50):
        async with await RpcClient.connect(server.address) as other:
            other.send(request(7, WATCH), request(8))
            await until(lambda: len(other.stray) == 2, "replies")
    assert await is_well(client)


# Health and reflection.


async def test_health_knows_the_server_and_each_of_its_services(server, client):
    at = client.stub(HealthService)
    for service in ["", *server.services]:

        async def serves(service=service):
            return (await at.Check(service=service)).status == health.SERVING_STATUS_SERVING

        # An ATM serves customers once its bank has answered.
        await until(serves, f"{service or 'the server'} serves")
    with pytest.raises(RpcError) as error:
        await at.Check(service="no.such.Service")
    assert error.value.code == Code.NOT_FOUND


async def test_watching_an_unknown_service_says_so_and_goes_on(client):
    async with aclosing(client.stub(HealthService).Watch(service="no.such.Service")) as stream:
        assert (await stream.__anext__()).status == health.SERVING_STATUS_SERVICE_UNKNOWN
        assert await is_well(client)


async def test_reflection_lists_the_services(server, client):
    services = list((await client.stub(ReflectionService).ListServices()).services)
    assert services == sorted(services)
    assert set(services) >= {*server.services, HealthService.full_name, ReflectionService.full_name}


async def test_reflection_is_enough_to_make_a_call(client):
    """With nothing but the files that the server tells, imports first."""
    at = client.stub(ReflectionService)
    for service in (await at.ListServices()).services:
        pool = descriptor_pool.DescriptorPool()
        async for response in at.GetFiles(symbol=service):
            file = descriptor_pb2.FileDescriptorProto.FromString(response.file)
            assert all(pool.FindFileByName(each) for each in file.dependency)
            pool.Add(file)
        assert pool.FindServiceByName(service).methods


async def test_reflection_finds_the_file_of_a_message_and_of_a_method(client):
    for symbol in ("rpc.v1.CheckRequest", "rpc.v1.HealthService.Check"):
        files = [
            descriptor_pb2.FileDescriptorProto.FromString(response.file).name
            async for response in client.stub(ReflectionService).GetFiles(symbol=symbol)
        ]
        assert files == ["rpc/v1/health.proto"]


async def test_reflection_of_an_unknown_symbol_is_not_found(client):
    with pytest.raises(RpcError) as error:
        _ = [each async for each in client.stub(ReflectionService).GetFiles(symbol="no.such.Symbol")]
    assert error.value.code == Code.NOT_FOUND
