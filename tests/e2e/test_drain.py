"""SIGTERM: what is under way is finished and answered, nothing new begins, and the program ends with 0."""

import asyncio
import signal
from contextlib import aclosing

import pytest

from kit.client import RpcClient
from kit.customer import cash_of
from kit.poll import until
from kit.protos import BankService, HealthService, health
from kit.proxy import Proxy
from kit.programs import House
from kit.status import Code, RpcError

DRAIN_WITHIN_S = 5
AT_ONCE_S = 2


async def test_an_idle_bank_ends_at_once(bank):
    assert await bank.bankd.terminate(AT_ONCE_S) == 0


async def test_an_idle_atm_ends_at_once(house):
    assert await house.atmd.terminate(AT_ONCE_S) == 0


async def test_calls_in_flight_are_answered(bank):
    """Checking a PIN takes a while: all of these are under way when the signal comes."""
    async with await RpcClient.connect(bank.bankd.address) as client:
        jane = bank.customers["Jane Doe"]
        checks = [
            asyncio.ensure_future(
                client.stub(BankService).VerifyCard(terminal_id="atm-1", card_number=jane.card, pin=jane.pin)
            )
            for _ in range(8)
        ]
        await asyncio.wait(checks, return_when=asyncio.FIRST_COMPLETED)
        code = asyncio.ensure_future(bank.bankd.terminate(DRAIN_WITHIN_S))
        for check in checks:
            assert (await check).HasField("verified")
        assert await code == 0


async def test_a_watch_ends_as_unavailable_and_says_not_serving_first(bank):
    async with await RpcClient.connect(bank.bankd.address) as client:
        seen = []
        with pytest.raises(RpcError) as error:
            async with aclosing(client.stub(HealthService).Watch(service="", deadline=None)) as stream:
                async for response in stream:
                    seen.append(response.status)
                    if len(seen) == 1:
                        bank.bankd.process.send_signal(signal.SIGTERM)
        assert error.value.code == Code.UNAVAILABLE
        assert seen == [health.SERVING_STATUS_SERVING, health.SERVING_STATUS_NOT_SERVING]
        assert await bank.bankd.ended(DRAIN_WITHIN_S) == 0


async def test_a_withdrawal_under_way_is_paid_before_the_atm_ends(programs, tmp_path):
    async with Proxy() as proxy, House(programs, tmp_path, between=proxy) as house:
        async with await house.customer("Jane Doe") as jane:
            step = proxy.stop_at_reply("Hold")
            call = asyncio.ensure_future(jane.withdraw(60))
            await step.reached()

            async with await RpcClient.connect(house.atmd.address) as late:
                house.atmd.process.send_signal(signal.SIGTERM)

                async def draining():
                    try:
                        await late.stub(HealthService).Check(service="")
                    except RpcError as error:
                        return error.code == Code.UNAVAILABLE
                    return False

                await until(draining, "new calls are refused", DRAIN_WITHIN_S)

            step.go_on()
            assert cash_of(await call) == 60
            assert await house.atmd.ended(DRAIN_WITHIN_S) == 0


async def test_a_second_signal_ends_it_at_once(programs, tmp_path):
    async with Proxy() as proxy, House(programs, tmp_path, between=proxy) as house:
        async with await house.customer("Jane Doe") as jane:
            step = proxy.stop_at_reply("Hold")
            call = asyncio.ensure_future(jane.withdraw(60))
            await step.reached()
            house.atmd.process.send_signal(signal.SIGTERM)
            await until(lambda: "signal" in house.atmd.log, "it drains")
            assert await house.atmd.terminate() == 128 + signal.SIGTERM
            with pytest.raises(RpcError):
                await call
