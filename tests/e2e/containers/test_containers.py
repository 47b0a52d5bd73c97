"""The pair as it is shipped: the talk's scene, and what only containers promise."""

import time

import pytest

from kit.containers import command
from kit.customer import Staff, cash_of
from kit.operator import Operator

# The talk's scene, word for word, on this folder's stage.
from test_scene import (  # noqa: F401
    test_everyone_comes_in_turn,
    test_jane_withdraws_and_gets_cash,
    test_john_withdraws_and_gets_cash,
    test_the_anonymous_customer_is_declined,
)

STOPS_WITHIN_S = 5
DAEMONS = ["bank", "atm"]


def as_customer(pair, person, *words, **options):
    """`teller` in a container of its own, the PIN on its standard input."""
    return pair.run("teller", "--card", person.card, "--pin-file", "-", *words, given=f"{person.pin}\n", **options)


async def test_a_customer_needs_nothing_but_the_teller_container(pair, stage):
    jane = stage.customers["Jane Doe"]
    assert "60.00 EUR paid" in as_customer(pair, jane, "withdraw", "60").stdout
    assert "40.00 EUR" in as_customer(pair, jane, "balance").stdout
    declined = as_customer(pair, jane, "withdraw", "60", check=False)
    assert declined.returncode == 1
    assert "Only 40.00 EUR are available" in declined.stdout + declined.stderr


@pytest.mark.parametrize("service", DAEMONS)
def test_a_daemon_may_do_no_more_than_it_must(pair, service):
    described = pair.inspect(service)
    assert described["HostConfig"]["ReadonlyRootfs"]
    assert described["HostConfig"]["CapDrop"] == ["ALL"]
    assert any("no-new-privileges" in each for each in described["HostConfig"]["SecurityOpt"])
    assert pair.compose("exec", "-T", service, "id", "-u").stdout.strip() == "65532"
    assert pair.compose("exec", "-T", service, "touch", "/usr/bin/new", check=False).returncode != 0


@pytest.mark.parametrize("service", DAEMONS)
def test_a_daemon_says_by_itself_that_it_is_healthy(pair, service):
    assert pair.inspect(service)["State"]["Health"]["Status"] == "healthy"


async def test_stopped_it_drains_and_what_it_knew_it_still_knows(pair, stage):
    async with stage.customer("Jane Doe") as jane:
        assert cash_of(await jane.withdraw(60)) == 60
    for service in ("atm", "bank"):
        container = pair.container(service)
        began = time.monotonic()
        command("docker", "stop", "--time", "10", container)
        took = time.monotonic() - began
        assert pair.inspect(service)["State"]["ExitCode"] == 0
        assert took < STOPS_WITHIN_S, f"{service} took {took:.1f} s to stop"
    pair.compose("up", "-d")
    stage.atm_address = pair.address("atm")
    async with await Staff.of(stage.atm_address) as staff:
        await staff.in_service(within=60)
        await staff.settled()
    async with stage.customer("Jane Doe") as jane:
        assert await jane.balance() == 40
    await assert_books_agree(pair)


async def test_an_atm_that_was_there_first_waits_for_its_bank(pair, stage):
    pair.down()  # The volumes stay.
    pair.compose("up", "-d", "--no-deps", "atm")
    async with await Staff.of(pair.address("atm")) as staff:
        assert "in_service" not in pair.run("bankctl", "atm", "terminals", "--json").stdout
        pair.compose("up", "-d", "--no-deps", "bank")
        await staff.in_service(within=60)
    stage.atm_address = pair.address("atm")
    async with stage.customer("John Doe") as john:
        assert cash_of(await john.withdraw(40)) == 40
    async with await Staff.of(stage.atm_address) as staff:
        await staff.settled()
    await assert_books_agree(pair)


async def assert_books_agree(pair):
    pair.run("bankctl", "atm", "audit")  # Exits 65 if a cent is missing.
    async with await Operator.of(pair.address("bank")) as operator:
        assert not await operator.open_holds()
        assert not await operator.exceptions()
