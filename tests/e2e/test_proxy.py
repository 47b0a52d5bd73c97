"""The proxy between caller and server stops where it is told, and nowhere else."""

import asyncio

import pytest

from kit.client import RpcClient
from kit.poll import until
from kit.protos import BankService
from kit.proxy import Proxy
from kit.status import Code, RpcError


@pytest.fixture
async def proxy(scripted_bank):
    async with Proxy(scripted_bank.address) as proxy:
        yield proxy


@pytest.fixture
async def at_bank(proxy):
    async with await RpcClient.connect(proxy.address) as client:
        yield client.stub(BankService)


async def sign_on(at_bank, **options):
    return (await at_bank.SignOn(terminal_id="atm-1", **options)).signed_on


async def test_what_is_not_stopped_passes(proxy, at_bank):
    assert (await sign_on(at_bank)).in_service
    assert proxy.passed == [("request", "SignOn"), ("reply", "SignOn")]


async def test_a_stopped_request_has_not_reached_the_server(scripted_bank, proxy, at_bank):
    step = proxy.stop_at_request("SignOn")
    call = asyncio.ensure_future(sign_on(at_bank))
    await step.reached()
    assert scripted_bank.requests == []
    step.go_on()
    assert (await call).in_service


async def test_a_stopped_reply_has_been_given(scripted_bank, proxy, at_bank):
    step = proxy.stop_at_reply("SignOn")
    call = asyncio.ensure_future(sign_on(at_bank))
    await step.reached()
    assert len(scripted_bank.requests) == 1 and not call.done()
    step.go_on()
    assert (await call).in_service


async def test_a_dropped_reply_never_comes_and_the_next_one_does(proxy, at_bank):
    proxy.stop_at_reply("SignOn").drop()
    with pytest.raises(RpcError) as error:
        await sign_on(at_bank, deadline=0.05)
    assert error.value.code == Code.DEADLINE_EXCEEDED
    assert (await sign_on(at_bank)).in_service


async def test_a_parting_ends_connections_and_a_joining_allows_new_ones(proxy, at_bank):
    proxy.part()
    with pytest.raises(RpcError):
        await sign_on(at_bank)
    async with await RpcClient.connect(proxy.address) as refused:
        await until(refused.closed.is_set, "the end")
    proxy.join()
    async with await RpcClient.connect(proxy.address) as client:
        assert await sign_on(client.stub(BankService))


async def test_a_step_that_is_never_reached_is_named(proxy):
    with pytest.raises(AssertionError, match="the request of Capture: not within"):
        await proxy.stop_at_request("Capture").reached(within=0.02)
