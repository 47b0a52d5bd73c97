"""At each named step of a withdrawal: the line is cut, parted or swallows all, a frame is lost, or one of the two daemons
stands still. Whoever is told something is told the truth, and afterwards cash and books agree."""

import asyncio

import pytest

from kit.books import agree
from kit.customer import Declined, cash_of, outcome_at
from kit.ids import new_id
from kit.poll import until
from kit.programs import House, stands_still, verify
from kit.protos import staff
from kit.proxy import Proxy
from kit.status import RpcError

PATIENCE_S = 4
STILL_S = 1
STEPS = [
    ("request", "VerifyCard"),
    ("request", "Hold"),
    ("reply", "Hold"),
    ("while notes move", None),
    ("request", "Capture"),
    ("reply", "Capture"),
    ("right after the answer", None),
]
BEFORE_NOTES_MOVE = STEPS[:3]


# What happens at a step, while the customer's `call` is under way. True: the frame that stopped there goes on.


async def cut(house, proxy, call):
    proxy.cut()
    return False


async def parted(house, proxy, call):
    """Until the ATM has noticed."""
    async with await house.staff() as staff_:
        proxy.part()

        async def noticed():
            return await staff_.state() != staff.SERVICE_STATE_IN_SERVICE

        await until(noticed, "the ATM is out of service")
    proxy.join()
    return False


async def lost(house, proxy, call):
    return False


async def swallowed(house, proxy, call):
    """For longer than the customer waits, then it arrives."""
    await asyncio.wait([call])
    return True


async def bank_stands_still(house, proxy, call):
    await stands_still(house.bankd, STILL_S)
    return True


async def atm_stands_still(house, proxy, call):
    await stands_still(house.atmd, STILL_S)
    return True


# Each with whether a customer who still waits for notes gets them.
FAULTS = {cut: False, parted: False, lost: False, swallowed: False, bank_stands_still: True, atm_stands_still: True}


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


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
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
            goes_on = await fault(house, proxy, asked)
            if step is not None:
                step.go_on() if goes_on else proxy.forget(step)
            told = await asked
            try:
                paid = cash_of(await outcome_at(house.atmd.address, change_id))
            except Declined:
                paid = 0
            is_paid = FAULTS[fault] or (kind, method) not in BEFORE_NOTES_MOVE
            assert paid == (10 if is_paid else 0), f"{kind} {method}"
            # Who is not paid may wait in vain for a no.
            assert told == paid or (told is None and not is_paid), f"{kind} {method}"
            in_hand += paid
            await agree(house, in_hand=in_hand)
        await verify(house)
