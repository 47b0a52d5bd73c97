"""kill -9 at any moment, and the same id twice: cash and ledger agree, and nobody is paid or debited twice."""

import asyncio

import pytest

from kit.books import agree
from kit.customer import Declined, cash_of, outcome_at
from kit.ids import new_id
from kit.poll import until
from kit.programs import House, verify
from kit.protos import atm, staff
from kit.proxy import Proxy
from kit.status import RpcError

VICTIMS = ["bankd", "atmd"]


@pytest.fixture
async def proxy():
    async with Proxy() as proxy:
        yield proxy


@pytest.fixture
async def house(programs, proxy, tmp_path):
    async with House(programs, tmp_path, between=proxy) as house:
        yield house


async def restart(house, victim):
    daemon = getattr(house, victim)
    await daemon.kill()
    await daemon.start()
    async with await house.staff() as staff_:
        await staff_.in_service()


# Between the steps of a session.


async def asks_for_the_balance(customer):
    await customer.balance()


async def withdraws(customer):
    assert cash_of(await customer.withdraw(60)) == 60


async def deposits(customer):
    assert (await customer.deposit(20, 10)).credited


async def is_declined(customer):
    with pytest.raises(Declined):
        await customer.withdraw(300)


async def reads_the_statement(customer):
    assert await customer.statement()


SESSION = [asks_for_the_balance, withdraws, deposits, is_declined, reads_the_statement]


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("before", range(len(SESSION)), ids=[f"before_{each.__name__}" for each in SESSION])
async def test_a_kill_between_two_steps_of_a_session_loses_nothing(house, victim, before):
    for number, step in enumerate(SESSION):
        if number == before:
            await restart(house, victim)
        async with await house.customer("Jane Doe") as jane:
            await step(jane)
    await restart(house, victim)
    await agree(house, in_hand=60, deposited=30)
    async with await house.operator() as operator:
        assert await operator.balance("jane") == 70
    await verify(house)


# In the middle of a withdrawal.


async def what_became_of(house, change_id):
    """The cash in the customer's hand, in euros."""
    try:
        return cash_of(await outcome_at(house.atmd.address, change_id))
    except Declined:
        return 0


async def outcome_at_once(call):
    """What the customer was told, if anything."""
    try:
        return cash_of(await call)
    except Declined:
        return 0
    except RpcError:
        return None


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("kind", ["request", "reply"])
@pytest.mark.parametrize("method", ["Hold", "Capture"])
async def test_a_kill_in_the_middle_of_a_withdrawal_pays_once_or_not_at_all(house, proxy, victim, kind, method):
    step = proxy.stop_at_request(method) if kind == "request" else proxy.stop_at_reply(method)
    change_id = new_id()
    async with await house.customer("Jane Doe") as jane:
        call = asyncio.ensure_future(jane.withdraw(60, change_id))
        await step.reached()
        await getattr(house, victim).kill()
        proxy.cut()
        step.drop()
        await getattr(house, victim).start()
        told = await outcome_at_once(call)

    paid = await what_became_of(house, change_id)
    assert told in (None, paid)
    await agree(house, in_hand=paid)
    async with await house.operator() as operator:
        assert await operator.balance("jane") == 100 - paid

    async with await house.customer("Jane Doe") as jane:
        again = await outcome_at_once(jane.withdraw(60, change_id))
    assert again == paid, "the same id has the same answer"
    await agree(house, in_hand=paid)
    await verify(house)


async def test_a_kill_while_notes_are_moving_debits_what_was_presented(house):
    async with await house.staff() as staff_:
        await staff_.break_device(staff.DEVICE_DISPENSER, staff.FAULT_SLOW, delay_ms=1500)
        change_id = new_id()
        async with await house.customer("Jane Doe") as jane:
            call = asyncio.ensure_future(jane.withdraw(60, change_id))

            async def dispensing():
                return [each for each in await staff_.open_items() if each.state == "DISPENSING"]

            await until(dispensing, "notes are moving")
            await house.atmd.kill()
            assert await outcome_at_once(call) is None
    await house.atmd.start()
    async with await house.staff() as staff_:
        await staff_.break_device(staff.DEVICE_DISPENSER, staff.FAULT_NONE)
    paid = await what_became_of(house, change_id)
    await agree(house, in_hand=paid)
    async with await house.operator() as operator:
        assert await operator.balance("jane") == 100 - paid
    await verify(house)


@pytest.mark.parametrize("method", ["Hold", "Capture"])
@pytest.mark.parametrize("kind", ["request", "reply"])
async def test_a_lost_frame_between_atm_and_bank_is_made_good(house, proxy, kind, method):
    step = proxy.stop_at_request(method) if kind == "request" else proxy.stop_at_reply(method)
    step.drop()
    change_id = new_id()
    async with await house.customer("Jane Doe") as jane:
        told = await outcome_at_once(jane.withdraw(60, change_id, deadline=5))
        proxy.cut()
    paid = await what_became_of(house, change_id)
    assert told in (None, paid)
    await agree(house, in_hand=paid)


# The same id.


async def test_the_same_withdrawal_twice_pays_once(house):
    change_id = new_id()
    async with await house.customer("Jane Doe") as jane:
        first = await jane.withdraw(60, change_id)
        again = await jane.withdraw(60, change_id)
        assert first == again
        assert await jane.balance() == 40
    await agree(house, in_hand=60)


async def test_the_same_withdrawal_twice_at_once_pays_once(house):
    change_id = new_id()
    async with await house.customer("Jane Doe") as jane:
        answers = await asyncio.gather(*(jane.withdraw(60, change_id) for _ in range(5)))
        assert all(answer == answers[0] for answer in answers)
        assert await jane.balance() == 40
    await agree(house, in_hand=60)


async def test_the_same_id_for_another_amount_is_declined(house):
    change_id = new_id()
    async with await house.customer("Jane Doe") as jane:
        await jane.withdraw(20, change_id)
        with pytest.raises(Declined) as declined:
            await jane.withdraw(40, change_id)
    assert declined.value.code == atm.DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS
    await agree(house, in_hand=20)


async def test_the_same_withdrawal_after_both_were_killed_pays_once(house):
    change_id = new_id()
    async with await house.customer("Jane Doe") as jane:
        first = await jane.withdraw(60, change_id)
    await restart(house, "atmd")
    await restart(house, "bankd")
    async with await house.customer("Jane Doe") as jane:
        assert await jane.withdraw(60, change_id) == first
    await agree(house, in_hand=60)
    await verify(house)


async def test_a_resolved_id_never_pays(house):
    change_id = new_id()
    async with await house.customer("Jane Doe") as jane:
        response = await jane.what_became_of(change_id)
        assert response.WhichOneof("outcome") == "declined"
        with pytest.raises(Declined) as declined:
            await jane.withdraw(60, change_id)
    assert declined.value.code == atm.DECLINE_CODE_ID_FENCED
    await agree(house)
