"""Lists say where they end, and the command lines say what is wrong, with the real programs."""

import re

import pytest

from kit.bank import customers
from kit.cli import Cli, data, says

USAGE = 64
JANE, *_ = customers()


@pytest.fixture
def cli(house):
    return Cli.of(house)


async def test_a_list_that_is_cut_says_so_and_how_to_go_on(cli):
    whole = [row["account_id"] for row in data(await cli.bankctl("--json", "account", "list"))["accounts"]]
    cut = await cli.bankctl("--limit", "2", "account", "list")
    token = re.search("There are more: go on with --page ([0-9a-f]+), or ask for more with --limit N.", cut.out).group(1)
    rest = data(await cli.bankctl("--json", "account", "list", "--page", token))
    assert [row["account_id"] for row in rest["accounts"]] == whole[2:]
    assert rest["next_page_token"] == ""
    assert "There are more" not in (await cli.bankctl("account", "list")).out
    assert "There are more" not in (await cli.bankctl("--limit", str(len(whole)), "account", "list")).out
    assert (await cli.bankctl("account", "list", "--page", "made-up")).code != 0


async def test_a_statement_that_is_cut_says_so(cli):
    assert (await cli.teller(JANE, "deposit", "1x20")).code == 0
    cut = (await cli.teller(JANE, "statement", "--entries", "1")).out
    assert cut.endswith("There are older entries.\nFor more of them say --entries N.\n")
    assert "older entries" not in (await cli.teller(JANE, "statement", "--entries", "2")).out


async def test_no_entries_are_not_ten(cli):
    says(await cli.teller(JANE, "statement", "--entries", "0"), USAGE, "--entries must be a whole number from 1")


@pytest.mark.parametrize("words", ["watch --from 0", "transfers watch --from 0", "changes show --seq 0", "reverse 0 --reason x --yes"])
async def test_the_journals_numbers_begin_with_1(cli, words):
    says(await cli.bankctl(*words.split()), USAGE, "1 or more")


async def test_a_command_in_the_wrong_place_is_not_asked_whether_it_is_meant(cli):
    ended = await cli.run("teller", "--", "balance")
    says(ended, USAGE, "'balance' is a command of teller")
    assert "did you mean" not in ended.err


async def test_a_sentence_ends_with_one_full_stop(cli, house):
    await house.bankd.terminate()
    reverse = ("reverse", "1", "--reason", "x", "--yes")
    for ended in (await cli.teller(JANE, "balance"), await cli.bankctl("account", "list"), await cli.bankctl(*reverse)):
        assert ended.code != 0
        assert ".." not in ended.err and ".)" not in ended.err and ended.err.endswith((".\n", "?\n")), ended.err
