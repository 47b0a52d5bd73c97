"""The containers as the stage. Run by `deploy/containers test`, which builds the images first."""

import itertools
import os

import pytest

from kit import bank
from kit.containers import Pair
from kit.customer import Staff
from kit.operator import Operator
from kit.stage import TERMINAL, Stage

numbers = itertools.count(1)


@pytest.fixture(scope="module")
def pair():
    """A bank and an ATM that serve, with cash inside. One for all tests of a file: starting them takes seconds."""
    with Pair(f"teller-test-{os.getpid()}") as pair:
        pair.compose("up", "-d")
        pair.run("bankctl", "terminal", "add", TERMINAL)
        yield pair


def new_customers():
    """The talk's three, as new to this bank as in each other setting."""
    customers, number = bank.customers(), next(numbers)
    for each in customers:
        each.account += f"-{number}"
        each.card = str(int(each.card) + number * 1000)
    return customers


@pytest.fixture
async def stage(pair):
    customers = new_customers()
    async with await Operator.of(pair.address("bank")) as operator:
        for each in customers:
            await operator.welcome(each)
    async with await Staff.of(pair.address("atm")) as staff:
        await staff.in_service(within=60)
        await staff.load(1, 20, 50)
    return Stage(pair.address("atm"), customers)
