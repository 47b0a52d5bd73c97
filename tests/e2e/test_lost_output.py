"""What a command says, and does, that loses its standard output or its terminal."""

import asyncio
import json
import signal

import pytest

from kit import server
from kit.bank import customers
from kit.cli import Cli, says
from kit.process import run
from kit.protos import OperatorService, bank, operator, refusal

DONE_UNTOLD, DECLINED, UNKNOWN, NOT_BEGUN = 74, 1, 75, 73
FUND = ("--currency", "EUR", "account", "fund", "jane", "1")

into_nothing = pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])


JANE, _, _ = customers()


@pytest.fixture
def served(scripted_bank):
    async def fund_account(request):
        if request.account_id == "nobody":
            return operator.FundAccountResponse(refusal=refusal.Refusal(message="There is no such account."))
        return operator.FundAccountResponse(receipt=bank.Receipt(ledger_seq=7))

    async def get_account(request):
        return operator.GetAccountResponse(refusal=refusal.Refusal(message="There is no such account."))

    scripted_bank.serve(OperatorService, {"FundAccount": fund_account, "GetAccount": get_account})
    return scripted_bank


async def run_with(redirection, programs, name, *words, env=None):
    argv = ["sh", "-c", f'exec "$@" {redirection}', "sh", programs.path(name), *words]
    return await run(*argv, env=env)


def bankctl_with(redirection, programs, served, *words):
    return run_with(redirection, programs, "bankctl", "--bank", served.address, *words)


@into_nothing
async def test_a_no_is_a_no_also_where_it_cannot_be_written(programs, served, redirection):
    words = ("--json", "--currency", "EUR", "account", "fund", "nobody", "1")
    says(await bankctl_with(redirection, programs, served, *words), DECLINED, "no such account")
    says(await bankctl_with(redirection, programs, served, "--json", "account", "show", "nobody"), DECLINED)


@into_nothing
async def test_the_id_of_an_unknown_change_is_told_also_where_output_cannot_be_written(programs, served, redirection):
    served.on("FundAccount", server.silent)
    ended = await bankctl_with(redirection, programs, served, "--json", "--timeout", "300ms", *FUND)
    says(ended, UNKNOWN, "--id")
    assert served.asked("FundAccount")[0].id.hex() in ended.err.replace("-", "")


@into_nothing
async def test_a_change_whose_answer_cannot_be_written_says_that_it_was_done(programs, served, redirection):
    ended = await bankctl_with(redirection, programs, served, "--json", *FUND)
    says(ended, DONE_UNTOLD, "Standard output cannot be written", "It was done")
    assert len(served.asked("FundAccount")) == 1


@into_nothing
async def test_a_change_that_cannot_be_announced_is_not_begun(programs, served, redirection):
    ended = await bankctl_with(redirection, programs, served, *FUND)
    says(ended, NOT_BEGUN, "Standard output cannot be written", "Nothing was changed")
    assert not served.asked("FundAccount")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGQUIT, signal.SIGINT, signal.SIGTERM])
async def test_a_command_that_is_ended_while_it_waits_names_its_change(programs, served, number):
    """The line before sending names it, and so does the sentence: a terminal may be gone by then."""
    asked = asyncio.Event()

    async def silent(handler, request):
        asked.set()
        await asyncio.get_running_loop().create_future()

    served.on("FundAccount", silent)
    process = await asyncio.create_subprocess_exec(
        *map(str, [programs.path("bankctl"), "--bank", served.address, *FUND]),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await asked.wait()
    process.send_signal(number)
    out, err = await process.communicate()
    assert process.returncode == UNKNOWN, (out, err)
    change_id = served.asked("FundAccount")[0].id.hex()
    for text in (out, err):
        assert change_id in text.decode().replace("-", "")


async def test_a_command_that_ignores_a_hangup_goes_on(programs, served):
    """As under nohup."""
    asked, hung_up = asyncio.Event(), asyncio.Event()

    async def slow(handler, request):
        asked.set()
        await hung_up.wait()
        return await handler(request)

    served.on("FundAccount", slow)
    argv = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", programs.path("bankctl"), "--bank", served.address, *FUND]
    process = await asyncio.create_subprocess_exec(*map(str, argv), stdout=asyncio.subprocess.PIPE)
    await asked.wait()
    process.send_signal(signal.SIGHUP)
    hung_up.set()
    out, _ = await process.communicate()
    assert process.returncode == 0 and b"receipt" in out


async def teller_with(redirection, cli, house, *words):
    options = ("--atm", house.atmd.address, "--card", JANE.card, "--pin-file", cli.pin_file(JANE.pin))
    return await run_with(redirection, house.programs, "teller", *options, *words, env=cli.environment)


@into_nothing
@pytest.mark.parametrize("json_option", [(), ("--json",)])
async def test_a_customers_no_is_a_no_also_where_it_cannot_be_written(house, redirection, json_option):
    ended = await teller_with(redirection, Cli.of(house), house, *json_option, "withdraw", "1000")
    says(ended, DECLINED)


@into_nothing
@pytest.mark.parametrize("json_option", [(), ("--json",)])
async def test_what_a_customer_could_not_be_told_is_told_by_the_next_command(house, redirection, json_option):
    cli = Cli.of(house)
    ended = await teller_with(redirection, cli, house, *json_option, "withdraw", "20")
    says(ended, DONE_UNTOLD, "Standard output cannot be written", "It was done", "next teller command")
    # Nothing new is begun while that cannot be told.
    ended = await teller_with(redirection, cli, house, "withdraw", "20")
    says(ended, NOT_BEGUN, "Standard output cannot be written", "Nothing was changed")
    told = await cli.teller(JANE, "--json", "balance")
    assert told.code == 0 and json.loads(told.out)["earlier"]["outcome"] == "withdrawn"
    assert json.loads(told.out)["balance"]["balance"]["minor_units"] == 8000
