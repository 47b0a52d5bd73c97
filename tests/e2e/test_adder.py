"""The talk's protocol demo: twenty lines of any language can ask adderd to add."""

import asyncio

import pytest

from kit.client import open_connection
from kit.frames import frame, read_frame
from kit.protos import adder

PROTOCOL = 76


@pytest.fixture
async def adderd(programs, tmp_path):
    async with programs.adderd(tmp_path) as adderd:
        yield adderd


@pytest.fixture
async def connection(adderd):
    reader, writer = await open_connection(adderd.address)
    yield reader, writer
    writer.close()


def please_add(left, right):
    return frame(adder.AddRequest(left=left, right=right).SerializeToString())


async def answer_from(reader):
    return adder.AddResponse.FromString(await asyncio.wait_for(read_frame(reader), 5))


async def test_three_and_four_are_seven(connection):
    reader, writer = connection
    writer.write(bytes.fromhex("0004 0803 1004"))
    assert await asyncio.wait_for(reader.readexactly(4), 5) == bytes.fromhex("0002 0807")


async def test_our_own_client_says_seven_too(programs, adderd):
    ended = await programs.run("adder", "--connect", adderd.address, "3", "4")
    assert (ended.code, ended.out) == (0, "7\n")


async def test_what_is_no_adder_gives_no_sum(programs, tmp_path):
    async with programs.bankd(tmp_path) as bankd:
        ended = await programs.run("adder", "--connect", bankd.address, "3", "4")
        assert (ended.code, ended.out) == (PROTOCOL, "")


@pytest.mark.parametrize(
    "program, words",
    [
        ("bankctl", ["--atm", "{}", "atm", "audit"]),
        ("bankctl", ["--atm", "{}", "atm", "items"]),
        ("bankctl", ["--bank", "{}", "account", "list"]),
        ("bankctl", ["--bank", "{}", "watch"]),
        ("bankctl", ["health", "{}"]),
        ("bankctl", ["describe", "{}"]),
        ("teller", ["--atm", "{}", "--card", "4000000000000010", "--pin-file", "{pin}", "balance"]),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else each,
)
async def test_what_an_adder_says_is_no_answer_to_anything_else(programs, adderd, tmp_path, program, words):
    (tmp_path / "pin").write_text("1234\n")
    words = [each.format(adderd.address, pin=tmp_path / "pin") for each in words]
    ended = await programs.run(program, *words, env={"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")})
    assert (ended.code, ended.out) == (PROTOCOL, ""), ended.err


async def test_answers_come_in_the_order_of_the_questions(connection):
    reader, writer = connection
    writer.write(b"".join(please_add(each, 1) for each in range(1000)))
    assert [(await answer_from(reader)).sum for _ in range(1000)] == list(range(1, 1001))


async def test_a_question_may_come_byte_by_byte(connection):
    reader, writer = connection
    for byte in please_add(-3, 4):
        writer.write(bytes([byte]))
        await writer.drain()
    assert (await answer_from(reader)).sum == 1


async def test_nothing_and_nothing_is_an_empty_frame_both_ways(connection):
    reader, writer = connection
    writer.write(frame(b""))
    assert await asyncio.wait_for(read_frame(reader), 5) == b""


async def test_a_sum_that_does_not_fit_is_an_error_not_a_wrong_number(connection):
    reader, writer = connection
    writer.write(please_add(2**63 - 1, 1) + please_add(-(2**63), -1) + please_add(2**63 - 1, 0))
    for _ in range(2):
        answer = await answer_from(reader)
        assert answer.sum == 0 and answer.error
    assert (await answer_from(reader)).sum == 2**63 - 1


async def test_garbage_closes_the_connection_and_only_that(adderd, connection):
    reader, writer = connection
    writer.write(please_add(3, 4) + frame(b"\xff\xff"))
    assert (await answer_from(reader)).sum == 7
    assert await asyncio.wait_for(read_frame(reader), 5) is None

    reader, writer = await open_connection(adderd.address)
    writer.write(please_add(3, 4))
    assert (await answer_from(reader)).sum == 7
    writer.close()


async def test_it_ends_when_asked(adderd):
    assert await adderd.terminate() == 0
