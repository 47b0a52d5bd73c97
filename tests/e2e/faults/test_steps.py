"""At each named step of a withdrawal: the line is cut, parted or swallows all, a frame is lost, or one of the two daemons
stands still. Whoever is told something is told the truth, and afterwards cash and books agree."""

import asyncio
import time

import pytest

from kit.books import agree
from kit.customer import Declined, cash_of, outcome_at
from kit.ids import new_id
from kit.poll import until
from kit.programs import House, verify
from kit.protos import staff
from kit.proxy import Proxy
from kit.status import RpcError

PATIENCE_S = 4
STEPS = [
    ("request", "VerifyCard"),
    ("request", "Hold"),
    ("reply", "Hold"),
    ("while notes move", None),
    ("request", "Capture"),
    ("reply", "Capture"),
    ("right after the answer", None),
]


async def passes(seconds):
    began = time.monotonic()
    await until(lambda: time.monotonic() - began > seconds, "time", seconds + 5)


# What happens at a step. True: the frame that stopped there goes on.


async def cut(house, proxy):
    proxy.cut()
    return False


async def parted(house, proxy):
    proxy.part()
    await passes(PATIENCE_S / 2)
    proxy.join()
    return False


async def lost(house, proxy):
    return False


async def swallowed(house, proxy):
    """For longer than the customer waits, then it arrives."""
    await passes(PATIENCE_S + 1)
    return True


async def bank_stands_still(house, proxy):
    house.bankd.pause()
    await passes(PATIENCE_S / 2)
    house.bankd.resume()
    return True


async def atm_stands_still(house, proxy):
    house.atmd.pause()
    await passes(PATIENCE_S / 2)
    house.atmd.resume()
    return True


FAULTS = [cut, parted, lost, swallowed, bank_stands_still, atm_stands_still]


async def withdraw(house, change_id):
    """What the customer was told; None is nothing."""
    try:
        async with await house.customer("John Doe") as john:
            return cash_of(await john.withdraw(10, change_id, deadline=PATIENCE_S))
    except Declined:
        return 0
    except (RpcError, OSError):
        return None


async def reach(house, proxy, kind, method, call):
    """Goes as far as the step; gives what goes on from there."""
    if method is not None:
        step = proxy.stop_at_request(method) if kind == "request" else proxy.stop_at_reply(method)
        asked = asyncio.ensure_future(call)
        await step.reached(30)
        return asked, step
    asked = asyncio.ensure_future(call)
    if kind == "while notes move":
        async with await house.staff() as staff_:

            async def dispensing():
                return any(each.state == "DISPENSING" for each in await staff_.open_items())

            await until(dispensing, "notes are moving")
    else:
        await asked
    return asked, None


async def slow_notes(house, kind):
    async with await house.staff() as staff_:
        fault = staff.FAULT_SLOW if kind == "while notes move" else staff.FAULT_NONE
        await staff_.break_device(staff.DEVICE_DISPENSER, fault, delay_ms=500)


@pytest.mark.parametrize("fault", FAULTS)
async def test_at_each_step_of_a_withdrawal_a_fault_costs_no_cent(programs, tmp_path, effort, fault):
    async with Proxy() as proxy, House(programs, tmp_path, between=proxy) as house:
        async with await house.operator() as operator:
            await operator.fund("john", 10_000)
        house.customers["John Doe"].balance += 10_000_00
        async with await house.staff() as staff_:
            await staff_.load(2, 10, 500)
        in_hand = 0
        for kind, method in STEPS * min(effort, 20):
            await slow_notes(house, kind)
            change_id = new_id()
            asked, step = await reach(house, proxy, kind, method, withdraw(house, change_id))
            goes_on = await fault(house, proxy)
            if step is not None:
                step.go_on() if goes_on else proxy.forget(step)
            told = await asked
            try:
                paid = cash_of(await outcome_at(house.atmd.address, change_id))
            except Declined:
                paid = 0
            assert told in (None, paid), f"{kind} {method}"
            in_hand += paid
            await agree(house, in_hand=in_hand)
        await verify(house)
