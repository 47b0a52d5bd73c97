"""A customer at the real ATM, by command line: what is said, how it ends, and that every cent agrees afterwards."""

import asyncio
import copy
import json

import pexpect
import pytest

from kit.bank import customers
from kit.books import agree
from kit.cli import Cli, data, says
from kit.process import address_nobody_listens_on
from kit.programs import House, verify
from kit.protos import PROTO_ROOT
from kit.proxy import Proxy

DECLINED, USAGE, DATA, UNAVAILABLE, UNKNOWN = 1, 64, 65, 69, 75
JANE, JOHN, ANONYMOUS = customers()


@pytest.fixture
def cli(house):
    return Cli.of(house)


async def test_a_customer_does_everything(house, cli):
    assert "100.00 EUR" in (await cli.teller(JANE, "balance")).out
    withdrawn = await cli.teller(JANE, "withdraw", "60")
    assert withdrawn.code == 0 and "60.00 EUR" in withdrawn.out and withdrawn.err == ""
    assert (await cli.teller(JANE, "deposit", "1x20", "1x10")).code == 0
    assert (await cli.teller(JANE, "transfer", "10", "john")).code == 0
    statement = (await cli.teller(JANE, "statement")).out
    assert all(amount in statement for amount in ("-60.00", "30.00", "-10.00"))
    assert "60.00 EUR" in (await cli.teller(JANE, "balance")).out
    assert "510.00 EUR" in (await cli.teller(JOHN, "balance")).out
    await agree(house, in_hand=60, deposited=30)
    assert (await cli.audit()).code == 0
    await verify(house)


async def test_the_talks_scene_on_the_command_line(cli):
    assert data(await cli.teller(JANE, "--json", "withdraw", "60"))["outcome"] == "withdrawn"
    assert data(await cli.teller(JOHN, "--json", "withdraw", "60"))["outcome"] == "withdrawn"
    declined = await cli.teller(ANONYMOUS, "--json", "withdraw", "60")
    assert declined.code == DECLINED
    assert json.loads(declined.out)["outcome"] == "declined"


@pytest.mark.parametrize("amount", ["0", "-1", "1000000000000000000", "12.345", "", "ten", "1e3", "+5"])
@pytest.mark.parametrize("words", [("withdraw",), ("transfer",)])
async def test_an_amount_that_is_none_is_refused_before_anything_happens(house, cli, words, amount):
    target = ["john"] if words == ("transfer",) else []
    says(await cli.teller(JANE, *words, "--", amount, *target), USAGE, "mount")
    await agree(house)


async def test_a_huge_amount_that_is_one_is_declined(house, cli):
    says(await cli.teller(JANE, "withdraw", "10000000000000000"), DECLINED)
    await agree(house)


async def test_an_amount_that_the_notes_cannot_make_names_those_that_they_can(cli):
    says(await cli.teller(JANE, "withdraw", "25"), DECLINED, "20.00", "30.00")


async def test_an_unknown_account_is_told(house, cli):
    says(await cli.teller(JANE, "transfer", "10", "nobody"), DECLINED, "account")
    says(await cli.bankctl("account", "show", "nobody"), DECLINED, "account")
    await agree(house)


async def test_words_that_are_no_text_are_told_before_anything_happens(house, cli):
    says(await cli.teller(JANE, "transfer", "10", "caf\udce9"), USAGE, "ACCOUNT must be UTF-8")
    says(await cli.teller(JANE, "--terminal", "atm\udcff", "balance"), USAGE, "--terminal must be UTF-8")
    await agree(house)


async def test_too_much_is_declined(house, cli):
    says(await cli.teller(JANE, "withdraw", "200"), DECLINED)
    await agree(house)


async def test_a_wrong_pin_is_declined_and_after_three_the_card_is_locked(cli):
    for _ in range(3):
        says(await cli.teller(JANE, "balance", pin="9999"), DECLINED, "PIN")
    says(await cli.teller(JANE, "balance"), DECLINED)
    assert (await cli.bankctl("card", "unblock", JANE.card, "--reason", "forgotten PIN")).code == 0
    assert (await cli.teller(JANE, "balance")).code == 0


async def test_an_unknown_card_is_declined(cli):
    says(await cli.teller(type(JANE)("", "Nobody", "4999999999999999", "1234", 0), "balance"), DECLINED)


async def test_a_changed_pin_is_the_pin_from_then_on(cli):
    changed = await cli.teller(JANE, "pin", "--new-pin-file", cli.pin_file("8642"))
    assert changed.code == 0, changed.err
    assert (await cli.teller(JANE, "balance", pin="8642")).code == 0
    says(await cli.teller(JANE, "balance"), DECLINED, "PIN")


async def test_a_pin_is_never_an_argument(cli):
    says(await cli.teller(JANE, "--pin", "1234", "balance"), USAGE, "pin-file")


async def test_a_pin_never_reaches_a_log(house, cli):
    await cli.teller(JANE, "balance")
    await cli.teller(JANE, "balance", pin="9753")
    for daemon in (house.atmd, house.bankd):
        await daemon.terminate()  # Then its log is whole.
        assert not any(secret in daemon.log for secret in (f'"{JANE.pin}"', "9753", JANE.card))


async def test_no_atm_is_told_and_nothing_was_changed(programs, tmp_path):
    nobody = address_nobody_listens_on()
    says(await Cli(programs, tmp_path, nobody, nobody).teller(JANE, "withdraw", "60"), UNAVAILABLE, nobody)


async def test_no_bank_is_told_and_nothing_was_changed(house, cli):
    await house.bankd.kill()
    ended = await cli.teller(JANE, "withdraw", "60")
    says(ended, ended.code)
    assert ended.code in (DECLINED, UNAVAILABLE)
    await house.bankd.start()
    await agree(house)


# Without an answer.


async def test_a_withdrawal_without_an_answer_is_told_by_the_next_command(programs, tmp_path):
    """Between customer and ATM the reply is lost; the cash is out."""
    async with House(programs, tmp_path) as house, Proxy(house.atmd.address) as proxy:
        cli = Cli(programs, tmp_path / "cli", house.bankd.address, proxy.address)
        lost = proxy.stop_at_reply("Withdraw")
        ended = asyncio.ensure_future(cli.teller(JANE, "--timeout", "1s", "withdraw", "60"))
        await lost.reached()
        proxy.part()
        lost.drop()
        says(await ended, UNKNOWN)

        proxy.join()
        told = await cli.teller(JANE, "--json", "balance")
        assert data(told)["earlier"]["outcome"] == "withdrawn"
        assert "earlier" not in data(await cli.teller(JANE, "--json", "balance"))
        await agree(house, in_hand=60)


async def test_a_withdrawal_that_the_atm_never_saw_is_never_paid(programs, tmp_path):
    async with House(programs, tmp_path) as house, Proxy(house.atmd.address) as proxy:
        cli = Cli(programs, tmp_path / "cli", house.bankd.address, proxy.address)
        lost = proxy.stop_at_request("Withdraw")
        ended = asyncio.ensure_future(cli.teller(JANE, "--timeout", "1s", "withdraw", "60"))
        await lost.reached()
        proxy.part()
        lost.drop()
        says(await ended, UNKNOWN)

        proxy.join()
        assert data(await cli.teller(JANE, "--json", "balance"))["earlier"]["outcome"] == "declined"
        await agree(house)


async def test_a_change_is_settled_first_whatever_the_atms_address_is_called(programs, tmp_path):
    """The same ATM has another address for the next command."""
    async with House(programs, tmp_path) as house, Proxy(house.atmd.address) as proxy:
        cli = Cli(programs, tmp_path / "cli", house.bankd.address, proxy.address)
        lost = proxy.stop_at_reply("Withdraw")
        ended = asyncio.ensure_future(cli.teller(JANE, "--timeout", "1s", "withdraw", "60"))
        await lost.reached()
        proxy.part()
        lost.drop()
        says(await ended, UNKNOWN)
        port = house.atmd.address.rpartition(":")[2]
        there = Cli(programs, tmp_path / "cli", house.bankd.address, f"localhost:{port}")
        told = await there.teller(JANE, "--json", "withdraw", "20")
        assert data(told)["earlier"]["outcome"] == "withdrawn"
        await agree(house, in_hand=80)


# Mistakes before the ATM is asked.


async def test_json_is_one_object_whatever_is_wrong(cli, tmp_path):
    (tmp_path / "empty").write_text("")
    (tmp_path / "file").write_text("")
    mistakes = {
        ("balance", "--pin-file", "/nowhere/pin"): 66,
        ("balance", "--pin-file", str(tmp_path / "empty")): None,
        ("balance", "--state", str(tmp_path / "file")): None,
        ("withdraw", "nothing"): USAGE,
        ("withdraw",): USAGE,
        ("balance", "--no-such-option"): USAGE,
        ("balance",): USAGE,  # Nobody is there to be asked for the PIN.
        ("balance", "--pin-file", str(cli.pin_file(JANE.pin)), "--atm", address_nobody_listens_on()): UNAVAILABLE,
    }
    for words, code in mistakes.items():
        ended = await cli.run("teller", "--json", "--card", JANE.card, *words)
        assert ended.code in ([code] if code else (65, 73, 74)), (words, ended.err)
        told = json.loads(ended.out)
        assert told["outcome"] == "error" and told["message"] in ended.err, words
        assert ended.out.count("\n") == 1


# The quickstart's session, with a kill between any two steps.


def session():
    lines = (PROTO_ROOT.parent / "deploy/demo/session").read_text().splitlines()
    return [(int(line.split()[0]), line.split()[1:]) for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("victims", [["bankd"], ["atmd"], ["bankd", "atmd"]], ids="+".join)
async def test_a_kill_between_any_two_steps_of_the_quickstarts_session_loses_nothing(house, cli, victims):
    for code, words in session():
        for victim in victims:
            daemon = getattr(house, victim)
            await daemon.kill()
            await daemon.start()
        async with await house.staff() as staff:
            await staff.in_service()
        ended = await cli.teller(JANE, *words)
        assert ended.code == code, (words, ended.err)
    await agree(house, in_hand=60, deposited=40)
    await verify(house)


# The interactive session.


async def test_a_session_at_the_atm(house, cli):
    def converse():
        session = cli.session(JANE)
        session.expect("PIN: ")
        session.waitnoecho()
        session.sendline(JANE.pin)
        session.expect("Jane Doe")
        session.expect("Your choice: ")
        session.sendline("withdraw 60")
        session.expect(r"60\.00 EUR")
        session.expect("Your choice: ")
        session.sendline("balance")
        session.expect(r"40\.00 EUR")
        session.expect("Your choice: ")
        session.sendline("end")
        session.expect(pexpect.EOF)
        session.close()
        return session.exitstatus

    assert await asyncio.to_thread(converse) == 0
    await agree(house, in_hand=60)


async def test_a_pin_typed_in_a_session_is_not_shown(cli):
    def converse():
        session = cli.session(JANE)
        session.expect("PIN: ")
        session.waitnoecho()
        session.sendline(JANE.pin)
        session.expect("Your choice: ")
        shown = session.before
        session.sendeof()
        session.expect(pexpect.EOF)
        session.close()
        return shown, session.exitstatus

    shown, status = await asyncio.to_thread(converse)
    assert JANE.pin not in shown and status == 0


async def test_a_session_whose_atm_is_killed_says_so(house, cli):
    session = cli.session(JANE)
    await asyncio.to_thread(session.expect, "PIN: ")
    session.sendline(JANE.pin)
    await asyncio.to_thread(session.expect, "Your choice: ")
    await house.atmd.kill()
    session.sendline("balance")
    await asyncio.to_thread(session.expect, pexpect.EOF)
    session.close()
    assert session.exitstatus == UNAVAILABLE


@pytest.mark.parametrize("key", ["\\", "c"])
async def test_a_key_that_ends_the_question_for_the_pin_leaves_the_echo_on(house, cli, key):
    def converse():
        shell = cli.shell()
        shell.sendline(cli.command_line("teller", "--atm", house.atmd.address, "--card", JANE.card))
        shell.expect("PIN: ")
        shell.waitnoecho()
        shell.sendcontrol(key)
        shell.expect_exact("Please take your card. Good-bye.")
        shell.expect_exact("shell> ")
        return shell.getecho()

    assert await asyncio.to_thread(converse)


async def test_a_question_for_the_pin_that_is_stopped_leaves_the_echo_on_and_is_asked_again(house, cli):
    def converse():
        shell = cli.shell()
        shell.sendline(cli.command_line("teller", "--atm", house.atmd.address, "--card", JANE.card, "balance"))
        shell.expect("PIN: ")
        shell.waitnoecho()
        shell.sendcontrol("z")
        shell.expect_exact("shell> ")
        echoes = shell.getecho()
        shell.sendline("fg")
        shell.expect("PIN: ")
        shell.waitnoecho()
        shell.sendline(JANE.pin)
        shell.expect(r"Available: 100\.00 EUR")
        return echoes

    assert await asyncio.to_thread(converse)


def holder_of(card):
    """Jane, who types her card's number so."""
    jane = copy.copy(JANE)
    jane.card = card
    return jane


async def test_a_cards_number_may_be_typed_with_its_spaces(cli):
    spaced = holder_of(" ".join(JANE.card[i : i + 4] for i in range(0, len(JANE.card), 4)))
    assert "100.00 EUR" in (await cli.teller(spaced, "balance")).out


@pytest.mark.parametrize("is_typed", [True, False], ids=["typed", "an option"])
async def test_a_cards_number_may_have_its_spaces_in_a_session_too(house, cli, is_typed):
    number = " ".join(JANE.card[i : i + 4] for i in range(0, len(JANE.card), 4))

    def converse():
        shell = cli.shell()
        option = [] if is_typed else ["--card", number]
        shell.sendline(cli.command_line("teller", "--atm", house.atmd.address, *option))
        if is_typed:
            shell.expect("Card number: ")
            shell.sendline(number)
        shell.expect("PIN: ")
        shell.waitnoecho()
        shell.sendline(JANE.pin)
        shell.expect("Good day, Jane Doe")

    await asyncio.to_thread(converse)


async def test_a_card_or_a_pin_that_is_none_is_told_with_the_rule(cli):
    says(await cli.teller(holder_of("4000"), "balance"), USAGE, "8 to 19 digits", "shorter")
    says(await cli.teller(JANE, "balance", pin="12"), DATA, "4 to 12 digits", "shorter")
