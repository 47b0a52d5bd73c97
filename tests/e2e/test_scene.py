"""The scene that the talk ends with: Jane and John get cash, the anonymous customer is declined."""

import pytest

from kit.customer import Declined, cash_of


async def test_jane_withdraws_and_gets_cash(stage):
    async with stage.customer("Jane Doe") as jane:
        assert cash_of(await jane.withdraw(60)) == 60
        assert await jane.balance() == 40


async def test_john_withdraws_and_gets_cash(stage):
    async with stage.customer("John Doe") as john:
        assert cash_of(await john.withdraw(200)) == 200
        assert await john.balance() == 300


async def test_the_anonymous_customer_is_declined(stage):
    async with stage.customer("Anonymous") as anonymous:
        with pytest.raises(Declined):
            await anonymous.withdraw(20)
        assert await anonymous.balance() == 0


async def test_everyone_comes_in_turn(stage):
    async with stage.customer("Jane Doe") as jane:
        assert cash_of(await jane.withdraw(100)) == 100
    async with stage.customer("John Doe") as john:
        assert cash_of(await john.withdraw(100)) == 100
    async with stage.customer("Anonymous") as anonymous:
        with pytest.raises(Declined):
            await anonymous.withdraw(100)
    async with stage.customer("Jane Doe") as jane:
        with pytest.raises(Declined):
            await jane.withdraw(20)
