"""Whatever the network between ATM and bank does, and whoever stands still: cash and books agree when it is over."""

import asyncio

import pytest

from kit.books import agree
from kit.customer import Declined, cash_of, outcome_at
from kit.ids import new_id
from kit.link import BACK, THERE, Link, clear, cut_after, delayed, dropped, gathered, narrow, one_way, reset, slices
from kit.poll import until
from kit.programs import House, stands_still, verify
from kit.protos import staff
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
# A hold and its answer get through, if nothing else was said before.
FAR_ENOUGH = {"cut after 400 bytes"}


@pytest.fixture
async def link():
    async with Link() as link:
        yield link


@pytest.fixture
async def house(programs, link, tmp_path):
    async with House(programs, tmp_path, between=link) as house:
        yield house


async def told_of(withdrawal):
    """What the customer was told, if anything."""
    try:
        return cash_of(await withdrawal)
    except Declined:
        return 0
    except (RpcError, OSError):
        return None


async def attempt(house, change_id, deadline=4):
    """Jane asks for 60; what she was told, if anything."""

    async def ask():
        async with await house.customer("Jane Doe") as jane:
            return await jane.withdraw(60, change_id, deadline=deadline)

    return await told_of(ask())


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
async def test_while_the_network_is_broken_nothing_is_paid_that_was_not_held(house, link, weather, begins):
    change_id = new_id()
    if begins == "before the card":
        link.weather = BROKEN[weather]()
        told = await attempt(house, change_id)
    else:
        async with await house.customer("Jane Doe") as jane:
            link.weather = BROKEN[weather]()
            told = await told_of(jane.withdraw(60, change_id, deadline=4))
            link.weather = clear
    link.weather = clear
    link.cut()
    paid = await paid_for(house, change_id)
    assert paid == 0 or weather in FAR_ENOUGH
    assert told == paid or (told is None and paid == 0)
    await agree(house, in_hand=paid)
    assert await attempt(house, new_id(), deadline=10) == (60 if paid == 0 else 0), "it serves again"
    await verify(house)


# How long a daemon stands still, and how long its customer waits: far longer, or not long enough.
STILL_S = {0.2: 30, 2.0: 30, 6.0: 4}


@pytest.mark.parametrize("who", ["bankd", "atmd"])
@pytest.mark.parametrize("stopped_s", STILL_S)
async def test_a_daemon_that_stood_still_before_notes_moved_pays_whoever_still_waits(house, who, stopped_s):
    change_id = new_id()
    async with await house.customer("Jane Doe") as jane:
        still = asyncio.ensure_future(stands_still(getattr(house, who), stopped_s))
        await until(lambda: getattr(house, who).is_paused(), f"{who} stands still")
        told = await told_of(jane.withdraw(60, change_id, deadline=STILL_S[stopped_s]))
        await still
    paid = 60 if stopped_s < STILL_S[stopped_s] else 0
    assert await paid_for(house, change_id) == paid
    assert told == paid or (told is None and paid == 0)
    await agree(house, in_hand=paid)
    await verify(house)


@pytest.mark.parametrize("who", ["bankd", "atmd"])
@pytest.mark.parametrize("stopped_s", STILL_S)
async def test_a_daemon_that_stood_still_while_notes_moved_pays(house, who, stopped_s):
    change_id = new_id()
    async with await house.customer("Jane Doe") as jane, await house.staff() as staff_:
        await staff_.break_device(staff.DEVICE_DISPENSER, staff.FAULT_SLOW, delay_ms=500)
        call = asyncio.ensure_future(told_of(jane.withdraw(60, change_id, deadline=STILL_S[stopped_s])))

        # DISPENSING alone is not enough: until it is on the disk the ATM may still decide to pay nothing, for want of time.
        async def dispensing():
            return any(each.waiting_for == "the dispenser" for each in await staff_.open_items())

        await until(dispensing, "notes are moving")
        await stands_still(getattr(house, who), stopped_s)
        told = await call
    hears = who == "bankd" or stopped_s < STILL_S[stopped_s]
    assert told == (60 if hears else None)
    assert await paid_for(house, change_id) == 60
    await agree(house, in_hand=60)
    await verify(house)
