"""teller at a terminal, as people type: wrong words, empty lines, keys that leave, an ATM or a screen that is gone."""

import asyncio
import fcntl
import os
import subprocess
import termios

import pexpect
import pytest

from kit.bank import customers
from kit.books import agree
from kit.cli import Cli, data
from kit.poll import until
from kit.process import address_nobody_listens_on
from kit.programs import House
from kit.protos import PROTO_ROOT
from kit.proxy import Proxy

DECLINED, UNAVAILABLE, NOT_BEGUN, DONE_UNTOLD, PROTOCOL = 1, 69, 73, 74, 76
JANE, _, _ = customers()


class Person:
    """Before a program that asks. Hears what it says in order, and types after that."""

    def __init__(self, spawned):
        self._spawned = spawned
        self.heard = ""

    def hears(self, text):
        self._spawned.expect_exact(text)
        self.heard += self._spawned.before + text
        if "PIN" in text:
            self._spawned.waitnoecho()

    def types(self, line, after):
        self.hears(after)
        self._spawned.sendline(line)

    def presses(self, key, after):
        self.hears(after)
        self._spawned.sendcontrol(key)

    def is_left_with(self):
        """The exit status, once everything was heard."""
        self._spawned.expect(pexpect.EOF)
        self.heard += self._spawned.before
        self._spawned.close()
        return self._spawned.exitstatus


@pytest.fixture
def cli(house):
    return Cli.of(house)


async def test_what_a_session_asks_is_in_the_documents(cli):
    """For those who script it: each prompt, and what is typed at it."""
    dialogue = [
        ("Card number: ", JANE.card),
        ("PIN: ", JANE.pin),
        ("Your choice: ", "1"),
        ("How much: ", "5"),
        ("Amount (nothing to go back): ", ""),
        ("Your choice: ", "deposit"),
        ("Your notes, as 2x50 1x20 (nothing to go back): ", ""),
        ("Your choice: ", "transfer 5"),
        ("To which account (nothing to go back): ", "john"),
        ("Transfer 5.00 EUR to john? [y/N] ", "n"),
        ("Your choice: ", "pin"),
        ("Your PIN (nothing to go back): ", JANE.pin),
        ("New PIN (nothing to go back): ", "8642"),
        ("New PIN again: ", "2468"),
        ("Your choice: ", "end"),
    ]

    def converse():
        person = Person(cli.session())
        for prompt, line in dialogue:
            person.types(line, after=prompt)
        return person.is_left_with()

    assert await asyncio.to_thread(converse) == 0
    page = (PROTO_ROOT.parent / "docs/cli.md").read_text().partition("\n## The session")[2].replace("\n", " ")
    assert [prompt for prompt, _ in dialogue if f"`{prompt}`" not in page] == []


async def test_a_card_or_a_pin_that_is_none_is_asked_for_again_and_is_no_try(cli):
    def converse():
        person = Person(cli.session())
        person.types("", after="Card number: ")
        person.types("4000", after="A card number is 8 to 19 digits, and this number is empty.\r\nCard number: ")
        person.types("-".join(JANE.card[i : i + 4] for i in range(0, 16, 4)), after="shorter.\r\nCard number: ")
        person.types("", after="PIN: ")
        for _ in range(3):
            person.types("12", after="A PIN is 4 to 12 digits, and this one is ")
            person.hears("\r\nPIN: ")
        person.types(JANE.pin, after="")
        person.presses("d", after="Good day, Jane Doe.")
        return person.is_left_with()

    assert await asyncio.to_thread(converse) == 0


@pytest.mark.parametrize("key", ["c", "d", "\\"])
async def test_leaving_is_no_mistake_but_after_a_wrong_pin_it_ends_as_a_no(cli, key):
    def converse(*pins):
        person = Person(cli.session(JANE))
        for pin in pins:
            person.types(pin, after="PIN: ")
        person.presses(key, after="PIN: ")
        person.hears("Please take your card. Good-bye.")
        return person.is_left_with()

    assert await asyncio.to_thread(converse) == 0
    assert await asyncio.to_thread(converse, "9999", "9998") == DECLINED


@pytest.mark.parametrize("key", ["c", "d"])
@pytest.mark.parametrize("holder, question", [(None, "Card number: "), (JANE, "PIN: ")], ids=["card", "pin"])
async def test_a_command_whose_question_is_not_answered_ends_as_a_no(house, cli, holder, question, key):
    def converse():
        person = Person(cli.session(holder, "withdraw", "20"))
        person.presses(key, after=question)
        return person.is_left_with(), person.heard

    code, heard = await asyncio.to_thread(converse)
    assert code == DECLINED and "was given, so nothing was done." in heard
    await agree(house)


@pytest.mark.parametrize(
    "holder, words, question",
    [
        (None, ["withdraw", "20"], "Card number: "),
        (JANE, ["withdraw", "20"], "PIN: "),
        (JANE, ["adjust", "jane", "john", "1", "--reason", "x"], "[y/N] "),
        (JANE, [], "PIN: "),
    ],
    ids=["card", "pin", "operator", "session"],
)
async def test_a_terminal_that_hangs_up_ends_a_question_and_kills_nobody(house, cli, holder, words, question):
    """A terminal of its own, whose other end is closed: then the system itself sends SIGHUP."""

    def converse():
        argv = cli.argv("teller", holder, *words) if question != "[y/N] " else cli.argv("bankctl", None, *words)
        ours, its_own = os.openpty()
        process = subprocess.Popen(
            argv, stdin=its_own, stdout=its_own, stderr=its_own, env={**os.environ, **cli.environment},
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(its_own)
        heard = b""
        while question.encode() not in heard:
            heard += os.read(ours, 1024)
        os.close(ours)
        return process.wait(timeout=10)

    assert await asyncio.to_thread(converse) == (DECLINED if words else NOT_BEGUN)
    await agree(house)


async def test_a_command_shows_whom_a_transfer_goes_to_and_does_not_ask(cli):
    def converse():
        person = Person(cli.session(JANE, "transfer", "5", "john"))
        person.types(JANE.pin, after="PIN: ")
        person.hears("Your transfer of 5.00 EUR to john ...\r\n5.00 EUR transferred.")
        return person.is_left_with()

    assert await asyncio.to_thread(converse) == 0


@pytest.mark.parametrize("holder, words", [(None, []), (JANE, []), (JANE, ["pin"])], ids=["card", "PIN", "command"])
async def test_nobody_is_asked_for_anything_where_there_is_no_atm(bank, programs, tmp_path, holder, words):
    def visit(address):
        person = Person(Cli(programs, tmp_path / "cli", atm_address=address).session(holder, *words))
        return person.is_left_with(), person.heard

    nobody = address_nobody_listens_on()
    code, heard = await asyncio.to_thread(visit, nobody)
    assert code == UNAVAILABLE and f"cannot connect to {nobody}" in heard and "PIN" not in heard
    code, heard = await asyncio.to_thread(visit, bank.bankd.address)
    assert code == PROTOCOL and "What answers there is no ATM." in heard and "PIN" not in heard


async def test_an_atm_that_dies_is_named_by_its_address_and_no_call_by_its_status(house, cli):
    person = Person(cli.session(JANE))
    await asyncio.to_thread(person.types, JANE.pin, "PIN: ")
    await asyncio.to_thread(person.hears, "Your choice: ")
    await house.atmd.kill()
    await asyncio.to_thread(person.types, "balance", "")
    assert await asyncio.to_thread(person.is_left_with) == UNAVAILABLE
    assert f"The ATM does not answer: the connection to {house.atmd.address} ended" in person.heard
    assert "UNAVAILABLE" not in person.heard and "Please take your card. Good-bye." in person.heard


# A screen that is lost. Nothing is begun that its customer could not be told of.


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
async def test_a_session_that_cannot_be_seen_begins_nothing(house, cli, redirection):
    for holder in (None, JANE):
        person = Person(cli.session(holder, redirection=redirection))
        assert await asyncio.to_thread(person.is_left_with) == NOT_BEGUN
        assert "Standard output cannot be written: " in person.heard and person.heard.count("\n") == 1
    await agree(house)


class Screen:
    """A pipe that a session writes to. Whoever looks at it may turn away."""

    def __init__(self, path):
        self.path = path
        os.mkfifo(path)
        self._end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._shown = ""

    async def shows(self, text):
        await until(lambda: text in self._look(), text)

    def _look(self):
        try:
            self._shown += os.read(self._end, 65536).decode()
        except BlockingIOError:
            pass
        return self._shown

    def turn_off(self):
        os.close(self._end)


async def test_what_was_paid_while_the_screen_went_dark_is_told_by_the_next_command(programs, tmp_path):
    async with House(programs, tmp_path) as house, Proxy(house.atmd.address) as proxy:
        cli = Cli(programs, tmp_path / "cli", house.bankd.address, proxy.address)
        screen = Screen(tmp_path / "screen")
        paid = proxy.stop_at_reply("Withdraw")
        session = cli.session(JANE, redirection=f">'{screen.path}'")
        await screen.shows("PIN: ")
        session.sendline(JANE.pin)
        await screen.shows("Your choice: ")
        session.sendline("withdraw 20")
        await paid.reached()
        screen.turn_off()
        paid.go_on()
        person = Person(session)
        assert await asyncio.to_thread(person.is_left_with) == DONE_UNTOLD
        assert "Your withdrawal of 20.00 EUR was done, and your next teller command tells it." in person.heard
        told = data(await cli.teller(JANE, "--json", "balance"))
        assert told["earlier"]["outcome"] == "withdrawn" and told["balance"]["balance"]["minor_units"] == 8000
        await agree(house, in_hand=20)


async def test_a_session_whose_screen_went_dark_sends_nothing_more(house, cli, tmp_path):
    screen = Screen(tmp_path / "screen")
    session = cli.session(JANE, redirection=f">'{screen.path}'")
    await screen.shows("PIN: ")
    session.sendline(JANE.pin)
    await screen.shows("Your choice: ")
    screen.turn_off()
    session.sendline("withdraw 20")
    person = Person(session)
    assert await asyncio.to_thread(person.is_left_with) == NOT_BEGUN
    assert "Nothing else was begun." in person.heard
    await agree(house)
