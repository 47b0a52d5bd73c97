"""Starting a daemon wrongly: one clear sentence, its exit code, and nothing on the disk is harmed."""

import asyncio
import json
import os

import pytest

from kit.cli import says
from kit.poll import until
from kit.process import address_nobody_listens_on, run, taken_port
from kit.status import RpcError

USAGE, NO_INPUT, UNAVAILABLE, CANNOT_CREATE, IO_ERROR, PROTOCOL, CONFIG = 64, 66, 69, 73, 74, 76, 78
ANYWHERE = "127.0.0.1:0"
PROGRAMS = ["adderd", "atmd", "bankd", "bankctl", "teller"]
DATA = {"bankd": "bank.db", "atmd": "atm"}  # What a daemon's --data names.

each_program = pytest.mark.parametrize("program", PROGRAMS)
each_daemon = pytest.mark.parametrize("daemon", DATA)


@pytest.fixture
def serve(programs, tmp_path):
    """Runs a daemon's `serve` to its end, with options that are right but for those given."""

    async def serve(daemon, *options, **right):
        given = {"--data": tmp_path / DATA[daemon], "--listen": ANYWHERE, **right}
        if daemon == "atmd":
            given = {"--bank": address_nobody_listens_on(), "--terminal": "atm-1", **given}
        words = [word for pair in given.items() for word in pair if pair[1] is not None]
        return await run(programs.path(daemon), "serve", *words, *options, within=5)

    return serve


# Why a daemon ended is in its log, too.


def reason_in_log(text):
    """The reason that the last line of a log has for the daemon's end, and its exit code."""
    last = json.loads(text.splitlines()[-1])
    assert last["level"] == "error" and last["msg"] == "ended by an error", text
    return last["reason"], last["exit_code"]


@pytest.mark.parametrize("daemon", ["adderd", *DATA])
async def test_the_log_says_why_a_daemon_ended(serve, programs, tmp_path, daemon):
    listener, taken = taken_port()
    with listener:
        if daemon == "adderd":
            ended = await programs.run("adderd", "--listen", taken)
        else:
            ended = await serve(daemon, **{"--listen": taken})
    says(ended, UNAVAILABLE, taken)
    reason, code = reason_in_log(ended.out)
    assert code == UNAVAILABLE and ended.err == f"{daemon}: {reason}\n"


async def test_the_log_says_why_a_daemon_ended_while_it_served(bank):
    (bank.folder / "bank/bank.db").unlink()
    async with await bank.operator() as operator:
        with pytest.raises((RpcError, OSError)):
            await operator.open_account("june", "June Doe")
    assert await bank.bankd.ended() == IO_ERROR
    # Standard output and errors are one file: the reason stands there once.
    reason, code = reason_in_log(bank.bankd.log)
    assert code == IO_ERROR and "bank.db" in reason and bank.bankd.log.count(reason) == 1


async def test_what_fails_before_there_is_a_log_is_on_standard_error_alone(serve):
    ended = await serve("bankd", "--time-zone", "Nowhere/Else")
    assert ended.code != 0 and ended.err.startswith("bankd: ") and ended.out == ""


# Every program.


@each_program
async def test_help_goes_to_standard_output(programs, program):
    ended = await programs.run(program, "--help")
    assert ended.code == 0 and ended.out.startswith(program + ": ") and ended.err == ""


@each_program
async def test_the_version_is_told(programs, program):
    ended = await programs.run(program, "--version")
    assert ended.code == 0 and ended.out.startswith(program) and ended.out.count("\n") == 1


@each_program
async def test_an_unknown_option_is_named(programs, program):
    says(await programs.run(program, "--colour"), USAGE, "--colour")


@each_program
async def test_an_unknown_word_is_named(programs, program):
    says(await programs.run(program, "steal"), USAGE, "steal")


@each_program
async def test_an_unknown_key_of_the_configuration_is_named(programs, program, tmp_path):
    config = tmp_path / "bad.toml"
    config.write_text('colour = "red"\n')
    command = {"bankd": ["serve"], "atmd": ["serve"], "teller": ["balance"], "bankctl": ["health"], "adderd": []}
    says(await programs.run(program, *command[program], "--config", config), CONFIG, "colour", str(config))


@each_program
async def test_a_configuration_that_is_not_there_is_named(programs, program):
    says(await programs.run(program, "--config", "/no/such.toml", "--check-config"), CONFIG, "/no/such.toml")


@each_program
async def test_what_print_config_prints_is_a_configuration_file(programs, program, tmp_path):
    required = {
        "bankd": ["--data", "bank.db"],
        "atmd": ["--data", "atm", "--bank", "127.0.0.1:7001"],
        "adderd": ["--listen", ANYWHERE],
    }.get(program, [])
    command = {"bankd": ["serve"], "atmd": ["serve"], "teller": ["balance"], "bankctl": ["bank"], "adderd": []}[program]
    printed = await programs.run(program, *command, *required, "--print-config")
    assert printed.code == 0, printed.err
    config = tmp_path / "printed.toml"
    config.write_text(printed.out)
    again = await programs.run(program, *command, "--config", config, "--print-config")
    assert again.code == 0, again.err
    values = [[line.partition("  # ")[0] for line in each.out.splitlines()] for each in (printed, again)]
    assert values[0] == values[1]


# Daemons.


@each_daemon
async def test_an_unknown_key_among_right_ones_is_named(serve, daemon, tmp_path):
    config = tmp_path / "daemon.toml"
    config.write_text('log-level = "debug"\ncolour = "red"\n')
    says(await serve(daemon, "--config", config), CONFIG, "colour")


@each_daemon
async def test_a_value_that_is_wrong_is_named_with_where_it_came_from(serve, programs, daemon, tmp_path):
    config = tmp_path / "daemon.toml"
    config.write_text('log-level = "loud"\n')
    says(await serve(daemon, "--config", config), CONFIG, "loud", str(config))
    says(await serve(daemon, "--log-level", "loud"), USAGE, "--log-level", "loud")


@each_daemon
async def test_a_configuration_that_cannot_be_read_is_named(serve, daemon, tmp_path):
    config = tmp_path / "daemon.toml"
    config.write_text("log-level = \n[[[")
    says(await serve(daemon, "--config", config), CONFIG, str(config))


@each_daemon
async def test_a_port_in_use_is_named(serve, daemon):
    listener, address = taken_port()
    with listener:
        says(await serve(daemon, **{"--listen": address}), UNAVAILABLE, address)


@each_daemon
async def test_an_address_that_is_none_is_named(serve, daemon):
    says(await serve(daemon, **{"--listen": "here"}), USAGE, "here")


# Unix sockets.

LONG_PATH = "/tmp/" + 103 * "x"  # A byte more than the system takes.
CLIENTS = {
    "teller": ["--atm", "{}", "--card", "4000000000000010", "--pin-file", "{pin}", "balance"],
    "bankctl, of the bank": ["--bank", "{}", "account", "list"],
    "bankctl, of the ATM": ["--atm", "{}", "atm", "audit"],
    "bankctl, of any server": ["call", "{}", "bank.v1.OperatorService/GetBank", "{{}}"],
    "bankd, of its health": ["health", "--bank", "{}"],
    "atmd, of its health": ["health", "--atm", "{}"],
    "adder": ["--connect", "{}", "3", "4"],
}


@pytest.fixture
def listen(programs, serve):
    """Runs any daemon to its end that is to listen there."""

    async def listen(daemon, address, *options):
        if daemon == "adderd":
            where = [] if address is None else ["--listen", address]
            return await run(programs.path(daemon), *where, *options, within=5)
        return await serve(daemon, *options, **{"--listen": address})

    return listen


@pytest.mark.parametrize("daemon", ["adderd", *DATA])
async def test_a_socket_that_cannot_be_made_is_named_with_what_is_wrong_with_it(listen, daemon, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    says(await listen(daemon, f"unix:{LONG_PATH}"), USAGE, "--listen", "at most 107 bytes", LONG_PATH)
    missing = f"unix:{tmp_path}/no/socket"
    says(await listen(daemon, missing), CANNOT_CREATE, missing, "folder does not exist")
    for path in ("file/socket", "file/more/socket"):
        says(await listen(daemon, f"unix:{tmp_path}/{path}"), CANNOT_CREATE, path, "no folder")
    config = tmp_path / "daemon.toml"
    config.write_text(f'listen = "unix:{LONG_PATH}"\n')
    says(await listen(daemon, None, "--config", config), CONFIG, str(config), "at most 107 bytes")


async def test_a_bank_at_a_path_that_is_too_long_is_named(serve):
    says(await serve("atmd", **{"--bank": f"unix:{LONG_PATH}"}), USAGE, "--bank", "at most 107 bytes", LONG_PATH)


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_server_at_a_path_that_cannot_be_is_told_from_one_that_is_not_there(programs, client, tmp_path):
    (tmp_path / "pin").write_text("1234\n")

    async def ended(address):
        words = [word.format(address, pin=tmp_path / "pin") for word in CLIENTS[client]]
        return await programs.run(client.split(",")[0], *words)

    says(await ended(f"unix:{LONG_PATH}"), USAGE, "at most 107 bytes", LONG_PATH)
    says(await ended(f"unix:{tmp_path}/no/socket"), UNAVAILABLE, "no/socket")


# What is on the disk.


@each_daemon
async def test_where_the_data_is_must_be_said(serve, daemon):
    says(await serve(daemon, **{"--data": None}), USAGE, "--data")


async def test_a_folder_that_is_not_there_is_named(serve, tmp_path):
    says(await serve("bankd", **{"--data": tmp_path / "no/such/bank.db"}), CANNOT_CREATE, "no/such")


async def test_an_atms_folder_that_cannot_be_made_is_named(serve):
    says(await serve("atmd", **{"--data": "/proc/no/such"}), CANNOT_CREATE, "/proc/no/such")


async def test_a_file_where_the_atms_folder_should_be_is_named_and_kept(serve, tmp_path):
    (tmp_path / "atm").write_text("not a folder")
    says(await serve("atmd"), CANNOT_CREATE, str(tmp_path / "atm"))
    assert (tmp_path / "atm").read_text() == "not a folder"


async def test_two_daemons_do_not_share_an_atm(house, serve):
    says(await serve("atmd", **{"--data": house.folder / "atm/data"}), CANNOT_CREATE, "atm/data")


async def test_a_folder_where_the_bank_should_be_is_named(serve, tmp_path):
    (tmp_path / "bank.db").mkdir()
    says(await serve("bankd"), CANNOT_CREATE, "bank.db")


async def test_a_file_that_is_no_bank_is_named_and_kept(serve, tmp_path):
    (tmp_path / "bank.db").write_bytes(b"This is no database." * 500)
    says(await serve("bankd"), CANNOT_CREATE, "bank.db")
    assert (tmp_path / "bank.db").read_bytes() == b"This is no database." * 500


async def test_two_daemons_do_not_share_a_bank(bank, serve):
    says(await serve("bankd", **{"--data": bank.folder / "bank/bank.db"}), CANNOT_CREATE, "bank.db", "in use")
    async with await bank.operator() as operator:
        assert await operator.balance("jane") == 100


async def test_two_daemons_do_not_share_a_bank_by_two_names(bank, serve, tmp_path):
    for name, link in {"hard.db": os.link, "symbolic.db": os.symlink}.items():
        link(bank.folder / "bank/bank.db", tmp_path / name)
        says(await serve("bankd", **{"--data": tmp_path / name}), CANNOT_CREATE, name, "in use")


async def test_a_bank_whose_file_is_gone_ends_and_does_not_begin_anew(bank):
    file = bank.folder / "bank/bank.db"
    file.unlink()
    async with await bank.operator() as operator:
        with pytest.raises((RpcError, OSError)):
            await operator.open_account("june", "June Doe")
    assert await bank.bankd.ended() == IO_ERROR
    changes = file.with_name("bank.db-wal").read_bytes()
    with pytest.raises(AssertionError, match="bank.db-wal"):
        await bank.bankd.start()
    assert file.with_name("bank.db-wal").read_bytes() == changes and not file.exists()


async def test_what_is_not_there_is_not_verified_and_not_made(programs, tmp_path):
    says(await programs.run("bankd", "verify", "--data", tmp_path / "no.db"), NO_INPUT, "no.db")
    assert list(tmp_path.iterdir()) == []


async def test_a_daemons_health_is_asked_of_that_daemon(house, programs):
    bank, atm = house.bankd.address, house.atmd.address
    assert (await programs.run("bankd", "health", "--bank", bank)).code == 0
    assert (await programs.run("atmd", "health", "--atm", atm)).code == 0
    says(await programs.run("bankd", "health", "--bank", atm), PROTOCOL, atm, "not the bank", "bank.v1.BankService")
    says(await programs.run("atmd", "health", "--atm", bank), PROTOCOL, bank, "not the ATM", "atm.v1.AtmService")
    for server in (bank, atm):  # The operator asks any server whether it runs.
        assert (await programs.run("bankctl", "health", server)).code == 0


async def test_health_says_why_an_atm_serves_no_customers(programs, tmp_path):
    async with programs.atmd(address_nobody_listens_on(), tmp_path) as atmd:

        async def told():
            asked = await programs.run("atmd", "health", "--atm", atmd.address)
            assert asked.code == 0 and asked.out.startswith(f"{atmd.address} is serving\n")
            return asked.out.endswith("atm.v1.AtmService is not: the bank does not answer\n")

        await until(told, "its health says that there is no bank")


async def test_a_fifo_is_told_that_a_daemon_is_ready(programs, tmp_path):
    fifo = tmp_path / "ready"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)  # A daemon that never writes is not waited for.

    def told():
        try:
            return os.read(reader, 1024).decode()
        except BlockingIOError:
            return ""

    words = ["serve", "--data", tmp_path / "bank.db", "--listen", ANYWHERE, "--ready-file", fifo]
    daemon = await asyncio.create_subprocess_exec(
        programs.path("bankd"), *words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        line = await until(told, "the daemon says in the FIFO where it serves", 20)
        assert line.startswith("127.0.0.1:") and line.endswith("\n")
    finally:
        os.close(reader)
        daemon.terminate()
        assert await daemon.wait() == 0


@each_daemon
async def test_a_ready_file_without_its_folder_is_named(serve, daemon, tmp_path):
    says(await serve(daemon, "--ready-file", tmp_path / "no/ready"), CANNOT_CREATE, "no/ready")
