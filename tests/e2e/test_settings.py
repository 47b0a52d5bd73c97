"""Settings that cannot work are refused before anything starts: 64 on the command line, 78 in the environment."""

import re
import signal

import pytest

from kit.cli import says
from kit.poll import until
from kit.process import address_nobody_listens_on

USAGE, CONFIG = 64, 78

# Each program's way to its options, with what it needs beside them. Nothing starts: the options are only looked at.
COMMANDS = {
    "bankd serve": ["--data", "bank.db"],
    "bankd health": [],
    "atmd serve": ["--data", "atm", "--bank", "127.0.0.1:7001"],
    "atmd health": [],
    "teller balance": [],
    "teller statement": [],
    "bankctl account list": [],
    "adderd": ["--listen", "127.0.0.1:0"],
    "adder": ["3", "4"],
}
TIMES = ["0s", "-1s", "169h", "1194h", "2562047h", "99999999999999999999h", "5", "1.5h", ""]
NUMBERS = ["0", "-1", "1.5", "4294967295", "4294967296", "99999999999999999999", ""]
ZONES = ["leapseconds", "zone.tab", "right/Europe/Vienna", "Europe", "Europe/Atlantis", "../passwd"]
SERVERS = ["127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1", ":7001"]


async def options(programs, command):
    """The command's own options and those of the commands around it: name, what stands for its value, its variable."""
    program, *words = command.split()
    shown = await programs.run(program, *words, "--help")
    assert shown.code == 0, shown.err
    text = re.sub(r"\n {6,}", " ", shown.out)
    return re.findall(r"^  (?:-\w, )?--([\w-]+) (\S+) .*?(?:(\b[A-Z]+_[A-Z_]+)\])?$", text, re.MULTILINE)


def impossible(name, placeholder):
    if placeholder in ("TIME", "DURATION"):
        return TIMES
    if placeholder == "N":
        return NUMBERS
    if name == "time-zone":
        return ZONES
    return SERVERS if placeholder == "HOST:PORT" and name != "listen" else []


@pytest.mark.parametrize("command", COMMANDS)
async def test_what_cannot_work_is_refused(programs, tmp_path, command):
    program, *words = command.split()
    tried = set()
    for name, placeholder, variable in await options(programs, command):
        for value in impossible(name, placeholder):
            tried.add(name)
            needed = COMMANDS[command]
            if f"--{name}" in needed:
                at = needed.index(f"--{name}")
                needed = needed[:at] + needed[at + 2 :]
            argv = [program, *words, *needed, "--check-config"]
            says(await programs.run(*argv, f"--{name}={value}", cwd=tmp_path), USAGE, f"--{name}")
            if variable and value:
                says(await programs.run(*argv, env={variable: value}, cwd=tmp_path), CONFIG, variable)
    expected = {
        "bankd serve": {"time-zone"},
        "bankd health": {"bank"},
        "atmd serve": {"bank", "hold-time", "session-idle-time", "time-zone"},
        "atmd health": {"atm"},
        "teller balance": {"atm", "timeout", "idle"},
        "teller statement": {"atm", "timeout", "idle", "entries"},
        "bankctl account list": {"bank", "atm", "timeout", "limit"},
        "adderd": {"time-zone"},
        "adder": {"connect", "timeout"},
    }
    assert tried == expected[command]
    assert list(tmp_path.iterdir()) == []


# What each value says by itself, or beside the others: by flag, and as a configuration has it.
TOGETHER = {
    "bankd serve": {"currency": ["QQQ", "eur", "EURO"]},
    "atmd serve": {
        "currency": ["QQQ", "XTS"],
        "terminal": ["A B", "a,a", "ATM-1", "operator", "x" * 60, ",".join(f"atm-{number}" for number in range(101))],
        "denominations": ["5,x", "5,5", "0", "1,1000000"],
    },
    "teller balance": {"card": ["12", "abc"], "currency": ["QQQ"]},
    "bankctl account list": {"currency": ["QQQ"]},
}


@pytest.mark.parametrize("command", TOGETHER)
async def test_a_check_finds_all_that_would_end_a_start(programs, tmp_path, command):
    program, *words = command.split()
    argv = [program, *words, *COMMANDS[command]]
    config = tmp_path / "settings.toml"
    for name, values in TOGETHER[command].items():
        for value in values:
            config.write_text(f'{name} = "{value}"\n')
            for check in [["--check-config"], []]:
                says(await programs.run(*argv, f"--{name}", value, *check, cwd=tmp_path), USAGE, f"--{name}")
                says(await programs.run(*argv, "--config", config, *check, cwd=tmp_path), CONFIG, name, str(config))
    assert list(tmp_path.iterdir()) == [config]


@pytest.fixture
def daemons(programs, tmp_path):
    """Each daemon, with further options."""
    return {
        "bankd": lambda *options: programs.bankd(tmp_path, *options),
        "atmd": lambda *options: programs.atmd(address_nobody_listens_on(), tmp_path, *options),
        "adderd": lambda *options: programs.adderd(tmp_path, *options),
    }


@pytest.mark.parametrize("daemon, option", [("bankd", 'currency = "QQQ"'), ("atmd", 'denominations = "5,x"')])
async def test_a_reload_finds_what_would_end_a_start(daemons, tmp_path, daemon, option):
    config = tmp_path / "daemon.toml"
    config.write_text("")
    async with daemons[daemon]("--config", config) as running:
        config.write_text(option + "\n")
        running.process.send_signal(signal.SIGHUP)
        await until(lambda: "configuration was not reloaded" in running.log, "the log says that nothing was reloaded")
        assert "hold from the next start on" not in running.log


@pytest.mark.parametrize("daemon", ["bankd", "atmd", "adderd"])
async def test_being_asked_for_its_tasks_ends_no_daemon(daemons, daemon):
    async with daemons[daemon]() as running:
        running.process.send_signal(signal.SIGUSR1)
        assert await running.terminate() == 0


async def test_the_help_says_from_where_to_where(programs):
    shown = await programs.run("atmd", "serve", "--help")
    assert "from 1s to 168h; default 2m; ATMD_HOLD_TIME" in " ".join(shown.out.split())


async def test_one_atmd_drives_at_most_a_hundred_terminals(programs, tmp_path):
    names = ",".join(f"atm-{number}" for number in range(101))
    argv = ["atmd", "serve", *COMMANDS["atmd serve"], "--terminal", names]
    says(await programs.run(*argv, cwd=tmp_path), USAGE, "at most 100 terminals")
    assert list(tmp_path.iterdir()) == []


async def test_an_atmd_takes_the_names_of_terminals_that_a_bank_takes(programs, tmp_path):
    names = ["a:1", "atm-1", "a_b.c", "x" * 59, "x" * 60, "ATM-1", "operator", ".x", ":", "a b", "cash:a"]
    async with programs.bankd(tmp_path) as bankd:
        for name in names:
            argv = ["--bank", bankd.address, "terminal", "add", name, "--currency", "EUR"]
            added = await programs.run("bankctl", *argv)
            check = await programs.run("atmd", "serve", *COMMANDS["atmd serve"], "--check-config", "--terminal", name)
            assert (check.code == 0) == (added.code == 0), (name, check.err, added.err)
            assert check.code in (0, USAGE)
