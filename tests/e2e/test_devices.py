"""The simulated devices break: what was presented decides, and nobody is debited for cash that stayed inside."""

import asyncio

import pytest

from kit.books import agree
from kit.cli import Cli
from kit.customer import Declined, InSuspense, cash_of, outcome_at
from kit.ids import new_id
from kit.money import euros
from kit.poll import until
from kit.programs import verify
from kit.protos import atm, operator, staff
from kit.stage import open_for_business


@pytest.fixture
async def breaking(house):
    """Breaks the dispenser: `await breaking(staff.FAULT_JAM, after_notes=2)`."""
    async with await house.staff() as staff_:

        async def break_dispenser(fault, **details):
            await staff_.break_device(staff.DEVICE_DISPENSER, fault, **details)

        yield break_dispenser


async def balance_of_jane(house):
    async with await house.operator() as operator_:
        return await operator_.balance("jane")


async def mend(house):
    async with await house.staff() as staff_:
        await staff_.break_device(staff.DEVICE_DISPENSER, staff.FAULT_NONE)
        await staff_.atm.SetService(in_service=True)


async def test_a_jam_after_two_notes_debits_two_notes(house, breaking):
    await breaking(staff.FAULT_JAM, after_notes=2)
    async with await house.customer("Jane Doe") as jane:
        withdrawn = await jane.withdraw(60)
    assert cash_of(withdrawn) == 40 and withdrawn.amount.minor_units == 40_00
    await mend(house)
    await agree(house, in_hand=40)
    assert await balance_of_jane(house) == 60
    await verify(house)


async def test_a_jam_before_the_first_note_debits_nothing(house, breaking):
    await breaking(staff.FAULT_JAM, after_notes=0)
    async with await house.customer("Jane Doe") as jane:
        with pytest.raises(Declined) as declined:
            await jane.withdraw(60)
    assert declined.value.code == atm.DECLINE_CODE_DISPENSER_FAULT
    await mend(house)
    await agree(house)
    assert await balance_of_jane(house) == 100


async def test_a_dead_dispenser_debits_nothing(house, breaking):
    async with await house.customer("Jane Doe") as jane:
        await breaking(staff.FAULT_DEAD)
        with pytest.raises(Declined):
            await jane.withdraw(60)
    await mend(house)
    await agree(house)
    assert await balance_of_jane(house) == 100


@pytest.mark.parametrize("paid", [60, 40, 0])
async def test_what_the_dispenser_cannot_tell_the_operator_decides(house, breaking, paid):
    await breaking(staff.FAULT_PRESENT_UNKNOWN)
    change_id = new_id()
    async with await house.customer("Jane Doe") as jane:
        with pytest.raises(InSuspense):
            await jane.withdraw(60, change_id)
    await mend(house)

    async with await house.operator() as operator_:

        async def suspended():
            return [
                each
                for each in await operator_.exceptions()
                if each.kind == operator.EXCEPTION_KIND_SUSPENDED_HOLD
            ]

        (exception,) = await until(suspended, "the bank has a suspended hold")
        assert exception.amount.minor_units == 60_00
        account = await operator_.account("jane")
        assert (account.balance.minor_units, account.available.minor_units) == (100_00, 40_00)
        await operator_.decide(exception.exception_seq, paid=paid)
        assert await operator_.balance("jane") == 100 - paid
        assert await operator_.held("jane") == 0

    async def decided():
        """The decision comes back to the ATM."""
        try:
            return (await outcome_at(house.atmd.address, change_id)).amount.minor_units == paid * 100
        except InSuspense:
            return False
        except Declined:
            return paid == 0

    await until(decided, "the ATM knows the decision", within=30)
    await agree(house, in_hand=paid)


async def test_notes_that_staff_find_before_the_operator_decides_are_counted_once(house, breaking):
    await breaking(staff.FAULT_SLOW, delay_ms=500)
    async with await house.customer("Jane Doe") as jane, await house.staff() as staff_:
        asked = asyncio.ensure_future(jane.withdraw(60, deadline=30))

        async def dispensing():
            return [each for each in await staff_.open_items() if each.state == "DISPENSING"]

        await until(dispensing, "the dispenser was asked")
        await breaking(staff.FAULT_DEAD)  # It has taken no note yet, and cannot say so.
        with pytest.raises(InSuspense):
            await asked
    await mend(house)

    cli = Cli.of(house)

    async def bankctl(*arguments):
        ended = await house.programs.run("bankctl", "--atm", house.atmd.address, "--yes", "atm", *arguments)
        assert ended.code == 0, ended.out + ended.err
        return ended.out

    async with await house.staff() as staff_, await house.operator() as operator_:

        async def told():
            return await operator_.exceptions()

        assert "1500.00" in await bankctl("unload")
        (exception,) = await until(told, "the bank has a suspended hold")
        assert (await cli.audit()).code == 0
        await operator_.decide(exception.exception_seq, paid=0)
        await staff_.settled()
        assert (await cli.audit()).code == 0
        await bankctl("count")
        audit = await staff_.audit()
    assert audit.unloaded == audit.loaded and audit.at_bank.minor_units == 0
    assert await balance_of_jane(house) == 100
    await verify(house)


async def test_a_difference_that_was_settled_is_named_until_the_empty_terminal_gets_a_new_journal(house, breaking):
    """Jane got 60.00, and the operator decided that she had not."""
    await breaking(staff.FAULT_PRESENT_UNKNOWN)
    async with await house.customer("Jane Doe") as jane:
        with pytest.raises(InSuspense):
            await jane.withdraw(60)
    await mend(house)
    cli = Cli.of(house)

    async def bankctl(*words, code=0):
        ended = await cli.bankctl("--yes", *words)
        assert ended.code == code, ended.out + ended.err
        return ended.out + ended.err

    async def audit():
        ended = await cli.audit()
        assert ended.code == 65
        return ended.out + ended.err

    async with await house.staff() as staff_, await house.operator() as operator_:

        async def suspended():
            return await operator_.exceptions()

        (exception,) = await until(suspended, "the bank has a suspended hold")
        await operator_.decide(exception.exception_seq, paid=0)
        await staff_.settled()
        await bankctl("atm", "unload")
        await staff_.settled()
        assert "the bank's cash account says 60.00 EUR" in await audit()
        await bankctl("adjust", "jane", "cash:atm-1", "60.00", "--reason", "she got them")
        told = await audit()
        assert "50 were loaded or deposited, but 47 are accounted for" in told and "the bank" not in told
    assert await house.atmd.terminate() == 0
    (house.folder / "atm").rename(house.folder / "atm-until-today")
    (house.folder / "atm").mkdir()
    await house.atmd.start()
    await open_for_business(house.atmd.address)
    assert "Nothing differs." in (await cli.audit()).out
    assert await balance_of_jane(house) == 40


async def test_a_slow_dispenser_is_waited_for(house, breaking):
    await breaking(staff.FAULT_SLOW, delay_ms=500)
    async with await house.customer("Jane Doe") as jane:
        assert cash_of(await jane.withdraw(60)) == 60
    await agree(house, in_hand=60)


async def test_a_customer_who_leaves_meanwhile_is_debited_what_was_presented(house, breaking):
    await breaking(staff.FAULT_SLOW, delay_ms=500)
    change_id = new_id()
    jane = await house.customer("Jane Doe")
    wish = atm.WithdrawRequest(id=change_id, session_id=jane.session.session_id, amount=euros(60))
    jane.client.send(jane.client.request("atm.v1.AtmService/Withdraw", wish))
    async with await house.staff() as staff_:

        async def dispensing():
            return [each for each in await staff_.open_items() if each.state == "DISPENSING"]

        await until(dispensing, "notes are moving")
    await jane.client.close()
    try:
        paid = cash_of(await outcome_at(house.atmd.address, change_id))
    except Declined:  # The dispenser had not begun yet.
        paid = 0
    await agree(house, in_hand=paid)
    assert await balance_of_jane(house) == 100 - paid
