"""Whatever the network between ATM and bank does, and whoever stands still: cash and books agree when it is over."""

import asyncio

import pytest

from kit.books import agree
from kit.customer import Declined, cash_of, outcome_at
from kit.ids import new_id
from kit.link import BACK, THERE, Link, clear, cut_after, delayed, dropped, gathered, narrow, one_way, reset, slices
from kit.programs import House, verify
from kit.status import RpcError

# What still lets a customer be served.
BAD = {
    "one byte at a time": lambda: slices(1),
    "three bytes at a time": lambda: slices(3),
    "gathered": lambda: gathered(0.05),
    "slow": lambda: delayed(0.3),
    "narrow": lambda: narrow(4096),
}
# What does not.
BROKEN = {
    "dropped": lambda: dropped,
    "lost on the way there": lambda: one_way(THERE),
    "lost on the way back": lambda: one_way(BACK),
    "reset": lambda: reset,
    "cut after 1 byte": lambda: cut_after(1),
    "cut after 100 bytes": lambda: cut_after(100),
    "cut after 400 bytes": lambda: cut_after(400),
}


@pytest.fixture
async def link():
    async with Link() as link:
        yield link


@pytest.fixture
async def house(programs, link, tmp_path):
    async with House(programs, tmp_path, between=link) as house:
        yield house


async def attempt(house, change_id, deadline=4):
    """Jane asks for 60; what she was told, if anything."""
    try:
        async with await house.customer("Jane Doe") as jane:
            return cash_of(await jane.withdraw(60, change_id, deadline=deadline))
    except Declined:
        return 0
    except (RpcError, OSError):
        return None


async def paid_for(house, change_id):
    try:
        return cash_of(await outcome_at(house.atmd.address, change_id))
    except Declined:
        return 0


@pytest.mark.parametrize("weather", BAD)
async def test_in_bad_weather_customers_are_served(house, link, weather):
    link.weather = BAD[weather]()
    async with await house.customer("Jane Doe") as jane:
        # Many at once, so that several frames can arrive in one piece, or each in several.
        assert await asyncio.gather(*(jane.balance() for _ in range(20))) == [100] * 20
        assert cash_of(await jane.withdraw(60)) == 60
        assert (await jane.deposit(20, 10)).credited
    await agree(house, in_hand=60, deposited=30)
    await verify(house)


@pytest.mark.parametrize("weather", BROKEN)
@pytest.mark.parametrize("begins", ["before the card", "before the withdrawal"])
async def test_after_a_broken_network_every_cent_is_accounted_for(house, link, weather, begins):
    change_id = new_id()
    if begins == "before the card":
        link.weather = BROKEN[weather]()
        told = await attempt(house, change_id)
    else:
        async with await house.customer("Jane Doe") as jane:
            link.weather = BROKEN[weather]()
            try:
                told = cash_of(await jane.withdraw(60, change_id, deadline=4))
            except Declined:
                told = 0
            except RpcError:
                told = None
            link.weather = clear
    link.weather = clear
    link.cut()
    paid = await paid_for(house, change_id)
    assert told in (None, paid)
    await agree(house, in_hand=paid)
    again = await attempt(house, new_id(), deadline=10)
    assert again == (60 if paid == 0 else 0), "it serves again"
    await verify(house)


@pytest.mark.parametrize("who", ["bankd", "atmd"])
@pytest.mark.parametrize("stopped_s", [0.2, 2.0, 6.0])
@pytest.mark.parametrize("begins", ["before", "while it pays"])
async def test_a_daemon_that_stood_still_goes_on_and_pays_once(house, who, stopped_s, begins):
    change_id = new_id()
    async with await house.customer("Jane Doe") as jane:
        if begins == "before":
            getattr(house, who).pause()
        call = asyncio.ensure_future(jane.withdraw(60, change_id, deadline=4))
        await asyncio.wait([call], timeout=0.003)
        getattr(house, who).pause()
        await asyncio.wait([call], timeout=stopped_s)
        getattr(house, who).resume()
        try:
            told = cash_of(await call)
        except Declined:
            told = 0
        except RpcError:
            told = None
    paid = await paid_for(house, change_id)
    assert told in (None, paid)
    await agree(house, in_hand=paid)
    await verify(house)
