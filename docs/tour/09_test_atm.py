"""A bank and a customer in the test's own process; between them, as a child process, an ATM: ours, then one in Python."""

from pathlib import Path

import pytest

from kit.bank import ScriptedBank
from kit.customer import Declined, cash_of
from kit.stage import Stage, atm_daemon, open_for_business

TOUR = Path(__file__).parent
IN_PYTHON = f"{{python}} {TOUR / '09_atm.py'} --bank {{bank}} --listen {{listen}} --ready-file {{ready_file}}"


@pytest.fixture
async def bank():
    async with ScriptedBank() as bank:
        yield bank


@pytest.fixture(params=["atmd", "in Python"])
async def stage(request, bank, programs, tmp_path):
    if request.param == "atmd":
        atm = programs.atmd(bank.address, tmp_path)
    else:
        atm = atm_daemon(IN_PYTHON, bank.address, tmp_path)
    async with atm:
        await open_for_business(atm.address)
        yield Stage(atm.address)


async def test_jane_has_a_hundred(stage):
    async with stage.customer("Jane Doe") as jane:
        assert cash_of(await jane.withdraw(60)) == 60
        assert await jane.balance() == 40


async def test_john_has_more(stage):
    async with stage.customer("John Doe") as john:
        assert cash_of(await john.withdraw(200)) == 200


async def test_the_anonymous_customer_has_nothing(stage):
    async with stage.customer("Anonymous") as anonymous:
        with pytest.raises(Declined):
            await anonymous.withdraw(20)
