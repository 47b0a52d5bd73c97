"""The containers as the stage. Run by `deploy/containers test`, which builds the images first."""

import contextlib
import itertools
import os
import subprocess

import pytest

from kit import bank
from kit.containers import Pair
from kit.customer import Staff
from kit.operator import Operator
from kit.stage import TERMINAL, Stage

numbers = itertools.count(1)


def what_they_say(pair):
    """The containers' last lines and what became of their health checks, for who must find out why they did not start."""
    said = []
    for service in ("bank", "atm"):
        with contextlib.suppress(Exception):
            container = pair.container(service)
            health = pair.inspect(service)["State"].get("Health", {}).get("Log", [])[-2:]
            logs = subprocess.run(["docker", "logs", "--tail", "20", container], capture_output=True, text=True, timeout=20)
            said.append(f"{service}: health checks {health}\n{logs.stdout}{logs.stderr}")
    return "\n".join(said)


@pytest.fixture(scope="module")
def pair():
    """A bank and an ATM that serve, with cash inside. One for all tests of a file: starting them takes seconds."""
    with Pair(f"teller-test-{os.getpid()}") as pair:
        try:
            pair.compose("up", "-d")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{what_they_say(pair)}") from None
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
