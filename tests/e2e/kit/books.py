"""Whether the bank's books, the ATM's counts and the customers' hands agree to the cent."""

from kit.stage import TERMINAL


async def agree(house, in_hand=0, deposited=0):
    """What must hold whenever both daemons serve and nothing is under way. `in_hand`: euros the customers got."""
    async with await house.staff() as staff, await house.operator() as operator:
        await staff.in_service()
        await staff.settled()
        audit = await staff.audit()
        differences = list(audit.differences)
        assert not differences, differences
        assert audit.presented.minor_units == in_hand * 100
        assert audit.deposited.minor_units == deposited * 100
        inside = audit.in_cassettes.minor_units + audit.in_deposit_bin.minor_units + audit.rejected.minor_units
        assert audit.loaded.minor_units + deposited * 100 - in_hand * 100 == inside
        assert audit.at_bank.minor_units == inside
        assert await operator.cash_in(TERMINAL) * 100 == inside

        books = await operator.trial_balance()
        assert books.sum.minor_units == 0
        assert books.held.minor_units == 0
        total = sum(each.balance for each in house.customers.values()) + (deposited - in_hand) * 100
        assert books.customers.minor_units == total
    return audit
