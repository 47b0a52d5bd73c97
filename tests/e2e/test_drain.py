"""SIGTERM: what is under way is finished and answered, nothing new begins, and the program ends with 0."""

import asyncio
import signal
from contextlib import aclosing

import pytest

from kit.client import RpcClient
from kit.protos import BankService, HealthService, health
from kit.status import Code, RpcError

DRAIN_WITHIN_S = 5
AT_ONCE_S = 2


async def test_an_idle_bank_ends_at_once(bank):
    assert await bank.bankd.terminate(AT_ONCE_S) == 0


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
