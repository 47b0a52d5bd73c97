"""The kit against itself: its client against its server. What fails here is the kit's fault."""

import asyncio
import sys
from contextlib import aclosing, suppress

import pytest

from kit import server
from kit.client import RpcClient, says_nothing
from kit.ids import new_id
from kit.money import euros
from kit.poll import until
from kit.process import Daemon, run
from kit.protos import (
    AtmService, BankService, HealthService, OperatorService, StaffService,
    bank, envelope, health, is_streaming, path_of, refusal, response_class,
)
from kit.stage import SCRIPTED_ATM, atm_daemon
from kit.status import Code, RpcError


@pytest.fixture
def at_bank(caller):
    return caller.stub(BankService)


async def verify(at_bank, card="4000000000000010", pin="1234"):
    return await at_bank.VerifyCard(terminal_id="atm-1", card_number=card, pin=pin)


async def hold(at_bank, amount, hold_id=None, card="4000000000000010", pin="1234"):
    token = (await verify(at_bank, card, pin)).verified.token
    return await at_bank.Hold(
        id=hold_id or new_id(),
        terminal_id="atm-1",
        card_number=card,
        token=token,
        amount=euros(amount),
        time_to_live_ms=60_000,
    )


async def test_a_call_is_answered(at_bank):
    assert (await verify(at_bank)).verified.customer_name == "Jane Doe"


async def test_a_refusal_is_an_answer(at_bank):
    assert (await verify(at_bank, pin="9999")).refusal.code == refusal.REFUSAL_CODE_PIN_WRONG


@pytest.mark.parametrize("body", [b"", b"\x7a\x00"], ids=["empty", "of a later version"])
async def test_an_answer_that_says_neither_yes_nor_no_is_unknown_whatever_the_method(body):
    answered = 0
    for service in (BankService, OperatorService, AtmService, StaffService):
        for method in (each for each in service.methods if not is_streaming(each)):
            message = response_class(method).FromString(body)
            assert says_nothing(message) == ("outcome" in method.output_type.oneofs_by_name), path_of(method)
            answered += says_nothing(message)
    assert answered > 35


async def test_no_refusal_is_not_a_yes(scripted_bank, at_bank):
    async def mumble(_handler, _request):
        return bank.HoldResponse()

    scripted_bank.on("Hold", mumble)
    with pytest.raises(RpcError) as error:
        await hold(at_bank, 60)
    assert error.value.code == Code.INTERNAL


async def test_many_calls_are_in_flight_at_once_and_answered_in_any_order(scripted_bank, at_bank):
    gate = asyncio.Event()
    scripted_bank.on("VerifyCard", server.once(server.late(gate)))
    first = asyncio.ensure_future(verify(at_bank))
    others = await asyncio.gather(*(verify(at_bank, "4000000000000028", "2345") for _ in range(100)))
    assert {each.verified.customer_name for each in others} == {"John Doe"}
    assert not first.done()
    gate.set()
    assert (await first).verified.customer_name == "Jane Doe"


async def test_a_deadline_ends_the_waiting(scripted_bank, at_bank):
    scripted_bank.on("GetBalance", server.silent)
    with pytest.raises(RpcError) as error:
        await at_bank.GetBalance(deadline=0.05)
    assert error.value.code == Code.DEADLINE_EXCEEDED


async def test_a_call_given_up_is_cancelled_at_the_server(scripted_bank, at_bank):
    began, cancelled = asyncio.Event(), asyncio.Event()

    async def notice(handler, request):
        began.set()
        try:
            return await server.silent(handler, request)
        finally:
            cancelled.set()

    scripted_bank.on("GetBalance", notice)
    call = asyncio.ensure_future(at_bank.GetBalance())
    await began.wait()
    call.cancel()
    await asyncio.wait_for(cancelled.wait(), 5)


async def test_a_stream_brings_one_message_after_the_other_until_it_is_closed(scripted_bank, caller):
    closed = asyncio.Event()

    async def watch(request):
        try:
            for status in (health.SERVING_STATUS_SERVING, health.SERVING_STATUS_NOT_SERVING):
                yield health.WatchResponse(status=status)
            await asyncio.get_running_loop().create_future()
        finally:
            closed.set()

    scripted_bank.serve(HealthService, {"Watch": watch})
    seen = []
    async with aclosing(caller.stub(HealthService).Watch(service="")) as stream:
        async for response in stream:
            seen.append(response.status)
            if len(seen) == 2:
                break
    assert seen == [health.SERVING_STATUS_SERVING, health.SERVING_STATUS_NOT_SERVING]
    await asyncio.wait_for(closed.wait(), 5)


async def test_a_stream_that_ends_ends(scripted_bank, caller):
    async def watch(request):
        yield health.WatchResponse(status=health.SERVING_STATUS_SERVING)

    scripted_bank.serve(HealthService, {"Watch": watch})
    assert len([each async for each in caller.stub(HealthService).Watch()]) == 1


async def test_a_connection_that_ends_makes_calls_in_flight_unavailable(scripted_bank, at_bank):
    scripted_bank.on("GetBalance", server.hang_up)
    with pytest.raises(RpcError) as error:
        await at_bank.GetBalance()
    assert error.value.code == Code.UNAVAILABLE


async def test_a_method_can_be_told_to_fail_after_a_while(scripted_bank, at_bank):
    scripted_bank.on("VerifyCard", server.after(2, server.fail(Code.INTERNAL)))
    await verify(at_bank)
    await verify(at_bank)
    with pytest.raises(RpcError) as error:
        await verify(at_bank)
    assert error.value.code == Code.INTERNAL


@pytest.mark.parametrize(
    "body, id, code",
    [
        (b"", 0, Code.INVALID_ARGUMENT),
        (b"\xff\xff\xff", 0, Code.INVALID_ARGUMENT),
        (envelope.Request(method="bank.v1.BankService/GetBalance").SerializeToString(), 0, Code.INVALID_ARGUMENT),
        (envelope.Request(id=9, method="bank.v1.BankService/Rob").SerializeToString(), 9, Code.UNIMPLEMENTED),
        (
            envelope.Request(id=9, method="bank.v1.BankService/GetBalance", body=b"\xff").SerializeToString(),
            9,
            Code.INVALID_ARGUMENT,
        ),
    ],
)
async def test_bad_input_gets_a_status_and_keeps_the_connection(caller, at_bank, body, id, code):
    caller.send_bytes(len(body).to_bytes(2, "big") + body)
    (stray,) = await until(lambda: caller.stray, "a reply")
    assert (stray.id, stray.code) == (id, code)
    assert (await verify(at_bank)).HasField("verified")


async def test_the_scripted_bank_reserves_and_captures(scripted_bank, at_bank):
    hold_id = new_id()
    assert (await hold(at_bank, 60, hold_id)).receipt.balance.available == euros(40)
    capture = dict(id=new_id(), terminal_id="atm-1", hold_id=hold_id, amount=euros(60))
    assert not (await at_bank.Capture(**capture)).receipt.replayed
    assert (await at_bank.Capture(**capture)).receipt.replayed
    assert (scripted_bank.balance("jane"), scripted_bank.held("jane")) == (40_00, 0)


async def test_the_scripted_bank_refuses_what_is_not_there(at_bank):
    refused = (await hold(at_bank, 0.01, card="4000000000000036", pin="3456")).refusal
    assert refused.code == refusal.REFUSAL_CODE_INSUFFICIENT_FUNDS


async def test_the_same_id_with_other_fields_is_refused(at_bank):
    hold_id = new_id()
    await hold(at_bank, 60, hold_id)
    again = await hold(at_bank, 50, hold_id)
    assert again.refusal.code == refusal.REFUSAL_CODE_ID_USED_WITH_OTHER_FIELDS


async def test_a_lost_reply_is_work_done(scripted_bank, at_bank):
    scripted_bank.on("Hold", server.once(server.reply_lost))
    with pytest.raises(RpcError):
        await hold(at_bank, 60)
    assert scripted_bank.held("jane") == 60_00


async def test_voiding_a_hold_that_never_arrived_fences_it(at_bank):
    hold_id = new_id()
    assert (await at_bank.Void(id=new_id(), terminal_id="atm-1", hold_id=hold_id)).hold_was_unknown
    assert (await hold(at_bank, 1, hold_id)).refusal.code == refusal.REFUSAL_CODE_ID_FENCED


async def test_the_bank_can_go_away_and_come_back_at_its_address(scripted_bank):
    address = scripted_bank.address
    await scripted_bank.stop()
    with pytest.raises(OSError):
        await RpcClient.connect(address)
    await scripted_bank.start(port=int(address.rpartition(":")[2]))
    async with await RpcClient.connect(address) as client:
        assert await client.call(BankService.methods_by_name["SignOn"], bank.SignOnRequest(terminal_id="atm-1"))


def test_ids_tell_their_age_and_differ():
    first, second = new_id(), new_id()
    assert len(first) == 16 and first[6] >> 4 == 7 and first[8] >> 6 == 2
    assert first != second and first[:6] <= second[:6]


# Processes.


def scripted_atm(bank, folder):
    return atm_daemon(SCRIPTED_ATM, bank.address, folder)


async def test_a_daemon_is_ready_when_it_says_so_and_ends_when_asked(scripted_bank, tmp_path):
    atm = scripted_atm(scripted_bank, tmp_path)
    await atm.start()
    async with await RpcClient.connect(atm.address):
        assert atm.running
    assert await atm.terminate() == 0
    assert not atm.running


async def test_a_killed_daemon_can_be_started_again(scripted_bank, tmp_path):
    async with scripted_atm(scripted_bank, tmp_path) as atm:
        first = atm.address
        await atm.kill()
        with pytest.raises(OSError):
            await RpcClient.connect(first)
        await atm.start()
        async with await RpcClient.connect(atm.address):
            pass


async def test_a_connection_that_is_hung_up_on_before_its_first_turn_is_closed():
    hasty = server.RpcServer()

    def accept(reader, writer):
        hasty._accept(reader, writer)
        hasty.hang_up()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as listener:
        reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_a_daemon_that_cannot_start_is_reported_with_its_log(tmp_path):
    with pytest.raises(AssertionError, match="ended with 3:\nno such file"):
        await Daemon("broken", [sys.executable, "-c", "print('no such file'); exit(3)"], tmp_path).start()


async def test_a_command_is_run_to_its_end():
    ended = await run(sys.executable, "-c", "import sys; print(input()); sys.exit('bad')", given="1234\n")
    assert (ended.code, ended.out, ended.err) == (1, "1234\n", "bad\n")


async def test_a_command_that_does_not_end_is_ended():
    with pytest.raises(AssertionError, match="still runs"):
        await run(sys.executable, "-c", "import signal; signal.pause()", within=0.1)


async def test_waiting_for_what_never_comes_names_it():
    with pytest.raises(AssertionError, match="the moon: not within 0.02 s"):
        await until(lambda: False, "the moon", within=0.02)
