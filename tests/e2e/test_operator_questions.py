"""What the operator is asked and told before and about a change, with the real programs."""

import asyncio

import pytest

from kit.bank import customers
from kit.cli import Cli, data, says
from kit.protos import HealthService, health

DECLINED, USAGE = 1, 64
JANE, *_ = customers()


@pytest.fixture
def cli(house):
    return Cli.of(house)


async def test_a_reversal_is_asked_about_with_what_it_takes_back(house, cli):
    funded = data(await cli.bankctl("--json", "account", "fund", "jane", "12.34"))["receipt"]["ledger_seq"]

    def converse():
        shell = cli.shell()
        words = ("--bank", house.bankd.address, "reverse", funded, "--reason", "typed twice")
        shell.sendline(cli.command_line("bankctl", *words))
        shell.expect_exact("It was done: fund of 12.34 EUR to jane.")
        shell.expect_exact("[y/N] ")
        shell.sendline("n")
        shell.expect_exact("shell> ")

    await asyncio.to_thread(converse)
    assert data(await cli.bankctl("--json", "account", "show", "jane"))["account"]["balance"]["minor_units"] == 11234


async def test_the_health_of_an_atm_says_whether_it_serves_customers(programs, scripted_bank, tmp_path):
    async def check(request):
        if request.service == "":
            return health.CheckResponse(status=health.SERVING_STATUS_SERVING)
        return health.CheckResponse(status=health.SERVING_STATUS_NOT_SERVING, reason="it has no bank")

    server = scripted_bank.address
    cli = Cli(programs, tmp_path / "cli", server, server)
    # A server that is no ATM has no such service.
    assert data(await cli.bankctl("--json", "health")) == {"server": server, "serving": True}
    scripted_bank.serve(HealthService, {"Check": check})
    told = {"not_serving": "atm.v1.AtmService", "reason": "it has no bank"}
    assert data(await cli.bankctl("--json", "health", server)) == {"server": server, "serving": True, **told}
    people = await cli.bankctl("health", server)
    assert people.code == 0 and "atm.v1.AtmService is not: it has no bank" in people.out


async def test_a_day_that_is_none_is_the_command_lines_mistake(cli):
    says(await cli.bankctl("atm", "day-totals", "--day", "yesterday"), USAGE, "--day must be a day", "yesterday")


async def test_a_reversal_takes_the_number_or_the_id_of_a_receipt(cli):
    told = data(await cli.teller(JANE, "--json", "transfer", "5", "john"))
    reverse = ("--yes", "reverse", told["id"], "--reason", "wrong account")
    assert (await cli.bankctl(*reverse)).code == 0
    says(await cli.bankctl(*reverse), DECLINED, "taken back already")
    paid = data(await cli.teller(JANE, "--json", "withdraw", "20"))["withdrawn"]["bank"]["ledger_seq"]
    # It is the hold's number: the notes are out, and stay out.
    says(await cli.bankctl("--yes", "reverse", str(paid), "--reason", "x"), DECLINED, "Notes moved", "bankctl adjust")
    assert (await cli.audit()).code == 0


async def test_a_backup_says_where_it_is_and_is_written_over_nothing(house, cli, tmp_path):
    path = tmp_path / "copy.db"
    assert data(await cli.bankctl("--json", "backup", str(path)))["path"] == str(path)
    says(await cli.bankctl("backup", str(path)), DECLINED, "it exists already")
    ended = await cli.bankctl("backup", str(tmp_path / "nowhere" / "copy.db"))
    says(ended, DECLINED, "nowhere/copy.db: No such file or directory")
    assert ".partial" not in ended.err


async def test_no_books_are_made_in_a_currency_that_there_is_not(cli):
    for words in (("account", "open", "zed", "--name", "Z"), ("terminal", "add", "atm-9")):
        says(await cli.bankctl(*words, "--currency", "ERU"), USAGE, "ISO 4217", "ERU")
    assert data(await cli.bankctl("--json", "bank"))["currencies"] == ["EUR"]


async def test_books_in_another_currency_are_asked_about(house, cli):
    def converse():
        shell = cli.shell()
        words = ("--bank", house.bankd.address, "terminal", "add", "atm-9", "--currency", "USD")
        shell.sendline(cli.command_line("bankctl", *words))
        shell.expect_exact("The bank has no books in USD yet.")
        shell.expect_exact("[y/N] ")
        shell.sendline("n")
        shell.expect_exact("shell> ")

    await asyncio.to_thread(converse)
    assert data(await cli.bankctl("--json", "bank"))["currencies"] == ["EUR"]
    assert (await cli.bankctl("terminal", "add", "atm-9", "--currency", "EUR")).code == 0


async def test_the_help_of_a_daemon_says_what_a_reload_does(programs):
    for daemon in ("bankd", "atmd"):
        assert "On SIGHUP it reads" in (await programs.run(daemon, "serve", "--help")).out
