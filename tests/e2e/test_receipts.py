"""A receipt, a lost card and a declined attempt are found again by what people have in their hands, with the real programs."""

import json
import os
import re

import pexpect
import pytest

from kit.bank import customers
from kit.books import agree
from kit.cli import Cli, data, says
from kit.ids import new_id

DECLINED, USAGE = 1, 64
JANE, JOHN, ANONYMOUS = customers()
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"


@pytest.fixture
def cli(house):
    return Cli.of(house)


def uuid(id_bytes):
    digits = id_bytes.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


async def test_a_paid_withdrawal_is_found_by_both_ids_on_its_receipt(house, cli):
    paid = await cli.teller(JANE, "withdraw", "60")
    receipt, entry, own = re.search(f"Receipt ({UUID}); at the bank: entry ([0-9]+), ({UUID})", paid.out).groups()
    for id in (receipt, own):
        found = data(await cli.bankctl("--json", "resolve", id))
        assert found["outcome"] == "executed"
        assert [change["kind"] for change in found["changes"]] == ["hold", "capture"]
        hold = found["changes"][0]
        assert (hold["id"], hold["receipt_id"], hold["ledger_seq"]) == (own, receipt, int(entry))
        assert (hold["account_id"], hold["hold_state"], hold["paid"]["minor_units"]) == ("jane", "captured", 6000)
    people = await cli.bankctl("resolve", receipt)
    assert people.code == 0 and "60.00 EUR was paid at atm-1 and taken from jane." in people.out
    assert "was paid at" in (await cli.bankctl("changes", "show", "--seq", entry)).out
    assert receipt in (await cli.bankctl("transfers", "list", "jane")).out
    (newest, *_) = data(await cli.teller(JANE, "--json", "statement"))["statement"]["entries"]
    assert newest["receipt_id"] == receipt
    await agree(house, in_hand=60)


async def test_every_change_has_a_receipt(cli):
    for words, name in (("deposit 1x20", "deposited"), ("transfer 5 john", "transferred"), ("withdraw 20", "withdrawn")):
        done = data(await cli.teller(JANE, "--json", *words.split()))
        found = data(await cli.bankctl("--json", "changes", "show", done["id"]))
        assert found["outcome"] == "executed"
        told = done[name]["bank"]
        assert (told["id"], told["ledger_seq"]) in [(each["id"], each["ledger_seq"]) for each in found["changes"]]


async def test_an_id_that_nobody_saw_is_fenced_only_after_a_question(cli):
    unseen = uuid(new_id())
    argv = ["--bank", cli._bank, "resolve", unseen]
    bankctl = pexpect.spawn(
        str(cli._programs.path("bankctl")), argv, env={**os.environ, **cli.environment}, timeout=10, encoding="utf-8"
    )
    bankctl.expect("The bank has never seen this id.*Fence it?")
    bankctl.sendline("n")
    bankctl.expect(pexpect.EOF)
    bankctl.close()
    assert bankctl.exitstatus == DECLINED
    says(await cli.bankctl("changes", "show", unseen), DECLINED, "The bank has never seen this id")
    fenced = data(await cli.bankctl("--json", "--yes", "resolve", unseen))
    assert fenced["outcome"] == "fenced" and "was done or ever will be" in fenced["summary"]
    assert data(await cli.bankctl("--json", "resolve", unseen))["outcome"] == "fenced", "No question the second time."


async def test_a_declined_attempt_can_be_looked_up(cli):
    declined = await cli.teller(ANONYMOUS, "--json", "withdraw", "60")
    assert declined.code == DECLINED
    told = json.loads(declined.out)
    found = data(await cli.bankctl("--json", "changes", "show", told["id"]))
    assert found["outcome"] == "refused" and found["summary"].startswith("It was declined: ")
    assert told["declined"]["refusal"]["ledger_seq"] == found["changes"][0]["ledger_seq"]
    says(await cli.teller(JOHN, "balance", pin="9999"), DECLINED)
    rows = data(await cli.bankctl("--json", "changes", "declined"))["declines"]
    assert [row["outcome"] for row in rows[:2]] == ["pin_wrong", "insufficient_funds"]
    (row,) = data(await cli.bankctl("--json", "changes", "declined", ANONYMOUS.account))["declines"]
    assert row["receipt_id"] == told["id"]


async def test_what_an_atm_declined_by_itself_is_found_there(house, cli):
    declined = await cli.teller(JANE, "--json", "withdraw", "15")
    assert declined.code == DECLINED
    told = json.loads(declined.out)
    assert told["declined"]["code"] == "cannot_make_amount"
    lost = await cli.bankctl("changes", "show", told["id"])
    says(lost, DECLINED, "never seen this id", "`bankctl atm declined` lists")
    (row,) = data(await cli.bankctl("--json", "atm", "declined", told["id"]))["declines"]
    assert (row["kind"], row["code"], row["amount"]["minor_units"]) == ("withdrawal", "cannot_make_amount", 1500)
    assert row["message"] == told["message"] and row["card"].endswith("*" + JANE.card[-4:])
    async with await house.staff() as staff:
        await staff.atm.SetService(in_service=False)
    await house.atmd.terminate()
    await house.atmd.start()
    people = await cli.bankctl("atm", "declined")
    assert people.code == 0 and told["id"] in people.out and "cannot make amount" in people.out
    assert JANE.card not in people.out
    says(await cli.bankctl("atm", "declined", "--terminal", "nowhere"), USAGE, "no terminal nowhere; it has atm-1")


async def test_a_lost_card_is_blocked_by_what_its_owner_and_the_list_say(cli):
    shown = await cli.bankctl("card", "list", "jane")
    assert JANE.card not in shown.out
    (card,) = data(await cli.bankctl("--json", "card", "list", "jane"))["cards"]
    assert card["card_id"] in shown.out
    assert (await cli.bankctl("card", "block", "jane/" + JANE.card[-4:], "--reason", "lost")).code == 0
    says(await cli.teller(JANE, "balance"), DECLINED, "blocked")
    assert (await cli.bankctl("card", "unblock", card["card_id"], "--reason", "found")).code == 0
    assert (await cli.teller(JANE, "balance")).code == 0
    says(await cli.bankctl("card", "block", "jane/0000", "--reason", "lost"), DECLINED, "no such card")


async def test_a_reversal_says_what_it_reverses(cli):
    funded = data(await cli.bankctl("--json", "account", "fund", "jane", "5"))["receipt"]["ledger_seq"]
    assert (await cli.bankctl("--yes", "reverse", str(funded), "--reason", "wrong account")).code == 0
    reversal, taken_back, *_ = data(await cli.bankctl("--json", "transfers", "list", "jane"))["transfers"]
    assert reversal["reverses_seq"] == funded == taken_back["ledger_seq"]
    assert taken_back["reversed_by_seq"] == reversal["ledger_seq"]
