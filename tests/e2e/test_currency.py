"""A bank and an ATM of yen, by the command lines: amounts are in what the servers say that they are in."""

import pytest

from kit.cli import Cli, data, says
from kit.poll import until
from kit.stage import TERMINAL, open_for_business

DECLINED, USAGE = 1, 64


class Kenji:
    account, name, card, pin = "kenji", "Kenji Sato", "4000000000000010", "1234"


class Petra:
    account, name, card, pin = "petra", "Petra Kern", "4000000000000028", "2345"


def done(ended):
    assert ended.code == 0, (ended.out, ended.err)
    return ended


@pytest.fixture
async def yen(programs, tmp_path):
    """The command lines before a bank and an ATM of yen, in which Kenji has 10000 JPY."""
    async with programs.bankd(tmp_path / "bank", "--currency", "JPY") as bankd:
        cli = Cli(programs, tmp_path / "cli", bankd.address, bankd.address)
        done(await cli.bankctl("terminal", "add", TERMINAL))
        done(await cli.bankctl("account", "open", Kenji.account, "--name", Kenji.name))
        done(await cli.bankctl("account", "fund", Kenji.account, "10000"))
        pin = cli.pin_file(Kenji.pin)
        issue = ("card", "issue", Kenji.card, Kenji.account, "--pin-file", pin, "--withdrawal-max", "9000")
        done(await cli.bankctl(*issue))
        async with programs.atmd(bankd.address, tmp_path / "atm", "--currency", "JPY") as atmd:
            await open_for_business(atmd.address, cassettes=())
            yield Cli(programs, tmp_path / "cli", bankd.address, atmd.address)


async def balance(cli):
    return data(await cli.bankctl("--json", "account", "show", Kenji.account))["account"]["balance"]


async def test_what_is_loaded_paid_and_put_in_is_yen(yen):
    assert "atm load 1 10x1000 JPY --id " in (done(await yen.bankctl("atm", "load", "1", "10x1000"))).out
    audit = data(await yen.audit("--json"))
    assert audit["loaded"] == {"minor_units": 10_000, "currency": "JPY"}
    assert "3000 JPY paid: 3 x 1000 JPY." in (done(await yen.teller(Kenji, "withdraw", "3000"))).out
    assert "2000 JPY credited." in (done(await yen.teller(Kenji, "deposit", "2x1000"))).out
    says(await yen.teller(Kenji, "withdraw", "1000.5"), USAGE, "JPY has no digits after a point")
    says(await yen.teller(Kenji, "--currency", "EUR", "withdraw", "1000"), USAGE, "JPY, and not in EUR")
    assert await balance(yen) == {"minor_units": 9_000, "currency": "JPY"}


async def test_notes_for_an_account_in_another_currency_are_not_taken_and_leave_nothing_to_settle(yen):
    done(await yen.bankctl("account", "open", Petra.account, "--name", Petra.name, "--currency", "EUR", "--yes"))
    issue = ("card", "issue", Petra.card, Petra.account, "--pin-file", yen.pin_file(Petra.pin))
    done(await yen.bankctl(*issue))
    says(await yen.teller(Petra, "deposit", "1x1000"), DECLINED, "Your account is in EUR", "JPY only")
    assert data(await yen.bankctl("--json", "exceptions", "list"))["exceptions"] == []


async def test_what_the_operator_says_was_paid_is_yen(yen):
    done(await yen.bankctl("atm", "load", "1", "10x1000"))
    done(await yen.bankctl("atm", "fault", "dispenser", "present-unknown"))
    assert (await yen.teller(Kenji, "withdraw", "2000")).code == 75

    async def suspended():
        return data(await yen.bankctl("--json", "exceptions", "list"))["exceptions"]

    (exception,) = await until(suspended, "the bank has a suspended hold")
    number = str(exception["exception_seq"])
    words = ("--yes", "exceptions", "resolve", number, "--reason", "the camera shows it", "--paid")
    says(await yen.bankctl(*words, "1800"), USAGE, "the nearest amount below that they make is 1000 JPY")
    settled = done(await yen.bankctl(*words, "1000"))
    assert f'exceptions resolve {number} --paid 1000 JPY --reason "the camera shows it" --id ' in settled.out
    assert await balance(yen) == {"minor_units": 9_000, "currency": "JPY"}


async def test_in_a_bank_of_yen_and_euros_each_amount_is_in_its_accounts_currency(yen):
    opening = ("--currency", "EUR", "account", "open", "jane", "--name", "Jane Doe")
    says(await yen.bankctl(*opening), USAGE, "--yes")  # It makes new books, which is asked about.
    assert data(await yen.bankctl("--json", "bank"))["currencies"] == ["JPY"]
    done(await yen.bankctl("--yes", *opening))
    books = data(await yen.bankctl("--json", "bank"))
    assert books["currencies"] == ["JPY", "EUR"] and "minor_digits" not in books
    done(await yen.bankctl("account", "fund", "jane", "12.34"))
    done(await yen.bankctl("account", "fund", Kenji.account, "1234"))
    done(await yen.bankctl("account", "overdraft", "jane", "5"))
    says(await yen.bankctl("account", "open", "mia", "--name", "Mia"), USAGE, "--currency")
    says(await yen.bankctl("--currency", "JPY", "account", "fund", "jane", "1"), DECLINED, "is in EUR, and not in JPY")
    accounts = data(await yen.bankctl("--json", "account", "list"))["accounts"]
    held = {each["account_id"]: (each["available"]["minor_units"], each["available"]["currency"]) for each in accounts}
    assert held["jane"] == (1_734, "EUR") and held["kenji"] == (11_234, "JPY")


async def test_limits_that_are_not_named_stay_and_none_is_said(yen):
    limits = ("card", "limits", Kenji.card)
    assert "9000 JPY" in (done(await yen.bankctl(*limits))).out
    done(await yen.bankctl(*limits, "--daily-count-max", "5"))
    done(await yen.bankctl(*limits, "--daily-amount-max", "20000"))
    shown = data(await yen.bankctl("--json", *limits))["card"]["limits"]
    assert shown["withdrawal_max"] == {"minor_units": 9_000, "currency": "JPY"}
    assert (shown["daily_amount_max"]["minor_units"], shown["daily_count_max"]) == (20_000, 5)
    done(await yen.bankctl(*limits, "--withdrawal-max", "none"))
    shown = data(await yen.bankctl("--json", *limits))["card"]["limits"]
    assert (shown["withdrawal_max"]["minor_units"], shown["daily_count_max"]) == (0, 5)


async def test_notes_that_the_atm_is_not_for_are_refused_by_name(yen):
    says(await yen.teller(Kenji, "deposit", "7x333"), DECLINED, "333 JPY", "1000, 2000, 5000 and 10000 JPY")
    says(await yen.bankctl("atm", "load", "3", "10x30"), USAGE, "30 JPY", "1000, 2000, 5000 and 10000 JPY")
    says(await yen.teller(Kenji, "deposit", "1500"), USAGE, "1000, 2000, 5000 and 10000 JPY")
    assert await balance(yen) == {"minor_units": 10_000, "currency": "JPY"}


async def test_the_notes_are_configured(programs, scripted_bank, tmp_path):
    serve = ("atmd", "serve", "--bank", scripted_bank.address, "--data", tmp_path / "atm", "--listen", "127.0.0.1:0")
    says(await programs.run(*serve, "--currency", "XTS"), USAGE, "--denominations")
    says(await programs.run(*serve, "--denominations", "10,3.333"), USAGE, "--denominations", "3.333")
