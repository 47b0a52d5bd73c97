"""What the command lines say of a mistake: by which code, on which side, and in which words."""

import json

import pytest

from kit.bank import customers
from kit.cli import Cli, says
from kit.process import address_nobody_listens_on

DECLINED, USAGE, UNAVAILABLE = 1, 64, 69
JANE, *_ = customers()


@pytest.fixture
def cli(house):
    return Cli.of(house)


# One object, whatever is wrong.


async def test_with_json_bankctl_prints_exactly_one_object_for_each_no(house, cli, tmp_path):
    (tmp_path / "there.db").write_text("")
    dead = address_nobody_listens_on()
    mistakes = {
        ("backup", tmp_path / "there.db"): DECLINED,
        ("--yes", "atm", "unload", "--terminal", "xx"): USAGE,
        ("atm", "load", "1", "1x20", "--terminal", "nope"): USAGE,
        ("account", "fund", "nobody", "1"): DECLINED,
        ("--yes", "adjust", "equity:eur", "nobody", "1", "--reason", "x"): DECLINED,
        ("card", "show", "card-99"): DECLINED,
        ("adjust", "equity:eur", "jane", "1", "--reason", "x"): USAGE,  # There is nobody to ask.
        ("account", "fund", "jane", "0"): USAGE,
        ("account", "fund"): USAGE,
        ("--no-such-option",): USAGE,
        ("no-such-command",): USAGE,
        ("health", dead): UNAVAILABLE,
        ("call", dead, "bank.v1.OperatorService/GetBank"): UNAVAILABLE,
    }
    for words, code in mistakes.items():
        ended = await cli.bankctl(*words, "--json")
        says(ended, code)
        assert ended.out.count("\n") == 1, (words, ended.out)
        told = json.loads(ended.out)
        if told["outcome"] == "error":
            assert told["message"] in ended.err, words
        else:
            assert told["refusal"]["message"] in ended.err, words


# Which code.


async def test_what_the_command_line_itself_can_see_is_64(cli):
    for words in (("atm", "load", "0", "1x20"), ("atm", "load", "9", "1x20"), ("atm", "load", "x", "1x20")):
        says(await cli.bankctl(*words), USAGE, "CASSETTE", "1 to 8")
    says(await cli.bankctl("atm", "load", "3", "10x5 5x10"), USAGE, "a cassette holds one")
    says(await cli.bankctl("atm", "load", "3", "10x5", "5x10"), USAGE, "one kind of note")
    for notes in ("201x5", "200x5 1x10"):
        says(await cli.teller(JANE, "deposit", notes), USAGE, "at most 200 notes")
    says(await cli.teller(JANE, "deposit", "99999999999x20"), USAGE, "more notes than fit")
    says(await cli.bankctl("atm", "load", "3", "10001x5"), USAGE, "at most 10000 notes")
    for notes in ("2.5x20", "-2x20", "0x20"):
        says(await cli.teller(JANE, "deposit", notes), USAGE, "whole number of notes before its x")
    says(await cli.teller(JANE, "transfer", "1", ""), USAGE, "ACCOUNT")
    says(await cli.bankctl("watch", "--from", "abc"), USAGE, "--from must be a number of the journal, 1 or more")
    says(await cli.bankctl("watch", "--from", "0"), USAGE, "--from must be a number of the journal, 1 or more")
    resolve = ("exceptions", "resolve", "abc", "--reason", "x")
    says(await cli.bankctl(*resolve), USAGE, "EXCEPTION must be a number of the journal, 1 or more")
    limits = ("card", "limits", JANE.card, "--daily-count-max")
    for count in ("-1", "0", "x"):
        says(await cli.bankctl(*limits, count), USAGE, "--daily-count-max must be", "from 1 to", "or none")


async def test_a_wrong_word_is_said_before_that_there_is_nobody_to_ask(cli):
    says(await cli.bankctl("adjust", "equity:eur", "jane", "1.234.5", "--reason", "x"), USAGE, "1.234.5")
    says(await cli.bankctl("exceptions", "resolve", "x", "--reason", "y"), USAGE, "EXCEPTION")
    says(await cli.bankctl("resolve", "x"), USAGE, "UUID")
    says(await cli.bankctl("adjust", "equity:eur", "jane", "1", "--reason", "x"), USAGE, "--yes")


# In which words.


async def test_a_text_that_is_too_short_or_too_long_is_said_with_its_rule(cli):
    adjust = ("--yes", "adjust", "equity:eur", "jane", "1", "--reason")
    says(await cli.bankctl(*adjust, ""), USAGE, "1 to 1024 bytes", "empty")
    says(await cli.bankctl(*adjust, 1100 * "x"), USAGE, "1 to 1024 bytes", "longer")
    says(await cli.bankctl("account", "open", "zed", "--name", 129 * "x"), USAGE, "at most 128 bytes", "longer")


async def test_a_no_names_the_account_and_the_currency(cli):
    fund = ("--currency", "JPY", "account", "fund", "jane", "5")
    says(await cli.bankctl(*fund), DECLINED, "jane", "is in EUR, and not in JPY")
    adjust = ("--yes", "adjust", "equity:eur")
    says(await cli.bankctl(*adjust, "nobody", "1", "--reason", "x"), DECLINED, "no account nobody")
    says(await cli.teller(JANE, "transfer", "1", "nm"), DECLINED, "no account nm")
