"""The operator's command line against a scripted bank: what it says for each way in which a call can end."""

import asyncio
import json

import pytest

from kit import server
from kit.cli import Cli, data, says
from kit.frames import frame
from kit.money import euros
from kit.process import address_nobody_listens_on
from kit.protos import OperatorService, bank, operator, refusal
from kit.status import Code

DECLINED, USAGE, NO_INPUT, UNAVAILABLE, UNKNOWN, PROTOCOL, PERMISSION = 1, 64, 66, 69, 75, 76, 77
FUND = ("--currency", "EUR", "account", "fund", "jane", "60.00")  # So that nothing is asked before.


@pytest.fixture
def served(scripted_bank):
    async def list_accounts(request):
        return operator.ListAccountsResponse(accounts=[operator.Account(account_id="jane", name="Jane Doe")])

    async def open_account(request):
        exists = refusal.Refusal(code=refusal.REFUSAL_CODE_ACCOUNT_ALREADY_EXISTS, message="jane exists")
        return operator.OpenAccountResponse(refusal=exists)

    async def fund_account(request):
        return operator.FundAccountResponse(receipt=bank.Receipt(ledger_seq=7))

    async def get_bank(request):
        return operator.GetBankResponse(currency="EUR", minor_digits=2, currencies=["EUR"])

    async def get_account(request):
        return operator.GetAccountResponse(account=operator.Account(account_id="jane", balance=euros(0)))

    handlers = {
        "GetBank": get_bank,
        "GetAccount": get_account,
        "ListAccounts": list_accounts,
        "OpenAccount": open_account,
        "FundAccount": fund_account,
    }
    scripted_bank.serve(OperatorService, handlers)
    return scripted_bank


@pytest.fixture
def cli(programs, served, tmp_path):
    return Cli(programs, tmp_path / "cli", served.address, served.address)


# Yes and no.


async def test_a_change_carries_an_id_and_minor_units(served, cli):
    assert (await cli.bankctl(*FUND)).code == 0
    (request,) = served.asked("FundAccount")
    assert len(request.id) == 16 and request.id[6] >> 4 == 7
    assert (request.account_id, request.amount.minor_units, request.amount.currency) == ("jane", 6000, "EUR")


async def test_a_change_can_be_repeated_with_its_id(served, cli):
    change_id = "0190b5c4-7a3e-7c1d-9f00-0123456789ab"
    assert (await cli.bankctl(*FUND, "--id", change_id)).code == 0
    assert served.asked("FundAccount")[0].id.hex() == change_id.replace("-", "")


async def test_a_list_is_a_table_for_people_and_json_for_programs(cli):
    people = await cli.bankctl("account", "list")
    assert people.code == 0 and "jane" in people.out and "Jane Doe" in people.out
    assert data(await cli.bankctl("--json", "account", "list"))["accounts"][0]["account_id"] == "jane"


@pytest.mark.parametrize("limit, pages", [(3, [3]), (200, [200]), (450, [200, 200, 50])])
async def test_a_list_ends_at_its_limit(served, cli, limit, pages):
    async def list_accounts(request):
        accounts = [operator.Account(account_id="jane")] * request.page_size
        return operator.ListAccountsResponse(accounts=accounts, next_page_token="more")

    served.serve(OperatorService, {"ListAccounts": list_accounts})
    listed = data(await cli.bankctl("--json", "--limit", str(limit), "account", "list"))
    assert len(listed["accounts"]) == limit
    assert [request.page_size for request in served.asked("ListAccounts")] == pages


async def test_a_no_of_the_bank_is_told_in_its_words(cli):
    says(await cli.bankctl("account", "open", "jane", "--name", "Jane Doe"), DECLINED, "jane exists")


# Neither yes nor no.


@pytest.mark.parametrize("lost", [server.silent, server.reply_withheld, server.reply_lost, server.hang_up])
async def test_a_change_without_an_answer_is_unknown_and_its_id_is_told(served, cli, lost):
    served.on("FundAccount", lost)
    ended = await cli.bankctl("--timeout", "300ms", *FUND)
    says(ended, UNKNOWN, "resolve", "--id")
    sent = served.asked("FundAccount")[0].id.hex()
    assert sent in ended.err.replace("-", "")


@pytest.mark.parametrize("code", [Code.INTERNAL, Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.RESOURCE_EXHAUSTED])
async def test_an_error_that_may_come_after_the_work_is_unknown(served, cli, code):
    served.on("FundAccount", server.fail(code))
    says(await cli.bankctl(*FUND), UNKNOWN, "--id")


async def test_a_question_without_an_answer_is_only_that(served, cli):
    served.on("ListAccounts", server.silent)
    says(await cli.bankctl("--timeout", "300ms", "account", "list"), UNAVAILABLE)


@pytest.mark.parametrize("words", [FUND, ("account", "list"), ("health",)])
async def test_nobody_listening_means_nothing_was_done(programs, tmp_path, words):
    nobody = address_nobody_listens_on()
    says(await Cli(programs, tmp_path / "cli", nobody, nobody).bankctl(*words), UNAVAILABLE, nobody)


@pytest.mark.parametrize("code", [Code.PERMISSION_DENIED, Code.UNAUTHENTICATED])
async def test_what_is_not_allowed_is_told(served, cli, code):
    served.on("FundAccount", server.fail(code, "only for operators"))
    says(await cli.bankctl(*FUND), PERMISSION, "only for operators")


async def test_a_method_that_the_server_does_not_have_is_another_protocol(cli):
    says(await cli.bankctl("trial-balance"), PROTOCOL, "GetTrialBalance")


@pytest.mark.parametrize(
    "garbage", [frame(b"\xff" * 30), frame(b""), b"HTTP/1.0 400 Bad Request\r\n\r\n", b"\xff\xff", b""]
)
async def test_a_server_that_speaks_something_else_is_never_taken_for_a_yes(programs, tmp_path, garbage):
    async def answer(reader, writer):
        await reader.read(1)
        writer.write(garbage)
        writer.close()

    stranger = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = "%s:%d" % stranger.sockets[0].getsockname()[:2]
    ended = await Cli(programs, tmp_path / "cli", address, address).bankctl("--timeout", "2s", *FUND)
    says(ended, UNKNOWN, "--id")
    stranger.close()


# Any method of any server.


async def test_any_method_can_be_called_by_its_name_with_json(served, cli):
    ended = await cli.bankctl("call", served.address, "bank.v1.BankService/SignOn", '{"terminal_id": "atm-1"}')
    assert data(ended)["signed_on"]["in_service"] is True


@pytest.mark.parametrize("lost", [server.silent, server.reply_withheld, server.reply_lost, server.hang_up])
async def test_a_call_whose_answer_is_lost_may_have_been_a_change(served, cli, lost):
    served.on("SignOn", lost)
    method = "bank.v1.BankService/SignOn"
    says(await cli.bankctl("--timeout", "1s", "call", served.address, method, '{"terminal_id": "atm-1"}'), UNKNOWN, "may")


async def test_a_stream_is_a_line_a_message(served, cli):
    symbol = '{"symbol": "bank.v1.BankService"}'
    ended = await cli.bankctl("call", served.address, "rpc.v1.ReflectionService/GetFiles", symbol)
    assert ended.code == 0 and len([json.loads(line) for line in ended.out.splitlines()]) == 3


async def test_what_a_server_can_be_asked_is_described(served, cli):
    listed = await cli.bankctl("describe", served.address)
    assert "bank.v1.BankService/Hold" in listed.out.splitlines()
    described = await cli.bankctl("describe", served.address, "rpc.v1.HealthService/Watch")
    assert "stream" in described.out and "WatchRequest" in described.out


@pytest.mark.parametrize(
    "method, body, code, word",
    [
        ("bank.v1.BankService/SignOn", "{bad", USAGE, "JSON"),
        ("bank.v1.BankService/SignOn", '{"terminal": "atm-1"}', USAGE, "terminal"),
        ("rpc.v1.ReflectionService/GetFiles", "{bad", USAGE, "JSON"),
        ("bank.v1.BankService/Rob", "{}", PROTOCOL, "no such method"),
        ("Rob", "{}", NO_INPUT, "no s"),
    ],
)
async def test_a_call_that_cannot_be_made_is_told(served, cli, method, body, code, word):
    says(await cli.bankctl("call", served.address, method, body), code, word)


async def test_health_is_told(cli):
    ended = await cli.bankctl("health")
    assert ended.code == 0 and "serving" in ended.out


# The command line.


@pytest.mark.parametrize("amount", ["0", "-1", "1000000000000000000", "12.345", "", "ten", "1e3", "0x10", "+5", "1,50"])
async def test_an_amount_that_is_none_is_named_and_nothing_is_sent(served, cli, amount):
    says(await cli.bankctl("account", "fund", "jane", "--", amount), USAGE, "amount")
    assert served.asked("FundAccount") == []


@pytest.mark.parametrize(
    "words, word",
    [
        (["--colour", "account", "list"], "--colour"),
        (["steal"], "steal"),
        (["account", "steal"], "steal"),
        ([], "command"),
        (["account", "open", "jane"], "--name"),
        (["health", "here"], "here"),
        (["--limit", "0", "account", "list"], "--limit"),
        (["account", "list", "jane"], "jane"),
        (["card", "issue", "4000000000000010", "jane", "--pin", "1234"], "--pin"),
    ],
)
async def test_a_command_line_that_is_wrong_is_told(cli, words, word):
    says(await cli.bankctl(*words), USAGE, word)


@pytest.mark.parametrize(
    "words",
    [
        ("adjust", "equity:eur", "jane", "5", "--reason", "x"),
        ("reverse", "7", "--reason", "x"),
        ("account", "close", "jane", "--reason", "x"),
        ("exceptions", "resolve", "7", "--reason", "x"),
        ("atm", "unload"),
    ],
)
async def test_what_would_be_asked_about_is_not_done_without_a_terminal(served, cli, words):
    for answer in ("n\n", "y\n", ""):
        says(await cli.bankctl(*words, given=answer), USAGE, "--yes")
    assert served.asked("GetAccount") == []
