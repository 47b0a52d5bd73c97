"""Standard input, output and errors that are closed, full, or that nobody reads: every program copes and says so."""

import os
from contextlib import contextmanager

import pytest

from kit.cli import data
from kit.client import RpcClient
from kit.process import address_nobody_listens_on, run
from kit.protos import HealthService

IO_ERROR = 74
ENDS_WITHIN_S = 10.0

each_daemon = pytest.mark.parametrize("daemon", ["adderd", "bankd", "atmd"])
each_program = pytest.mark.parametrize("program", ["adder", "adderd", "atmd", "bankd", "bankctl", "teller"])


def with_streams(argv, redirections):
    """The command line that runs `argv` with these redirections of a shell."""
    return ["sh", "-c", f'exec "$@" {redirections}', "sh", *map(str, argv)]


def daemon_of(programs, name, folder):
    if name == "atmd":
        return programs.atmd(address_nobody_listens_on(), folder)
    return getattr(programs, name)(folder)


@contextmanager
def full_pipe(path):
    """A pipe that nobody reads."""
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        while True:
            os.write(descriptor, b"x" * 4096)
    except BlockingIOError:
        yield path
    finally:
        os.close(descriptor)


async def assert_serves(programs, daemon, address):
    if daemon == "adderd":  # Speaks its own protocol, without requests and replies.
        assert (await programs.run("adder", "--connect", address, "3", "4")).out == "7\n"
        return
    async with await RpcClient.connect(address) as client:
        await client.stub(HealthService).Check()


@each_daemon
async def test_a_daemon_serves_without_standard_streams(programs, daemon, tmp_path):
    started = daemon_of(programs, daemon, tmp_path / daemon)
    started.argv = with_streams(started.argv, "<&- >&- 2>&-")
    async with started:
        await assert_serves(programs, daemon, started.address)
        assert await started.terminate() == 0


@each_daemon
async def test_a_daemon_whose_log_nobody_reads_ends(programs, daemon, tmp_path):
    started = daemon_of(programs, daemon, tmp_path / daemon)
    with full_pipe(tmp_path / "pipe") as pipe:
        started.argv = with_streams(started.argv, f">'{pipe}' 2>&1")
        async with started:
            assert await started.terminate(within=ENDS_WITHIN_S) == 0


@each_program
async def test_help_that_cannot_be_written_is_an_error(programs, program):
    ended = await run(*with_streams([programs.path(program), "--help"], ">/dev/full"))
    assert ended.code == IO_ERROR and "No space left on device" in ended.err
    ended = await run(*with_streams([programs.path(program), "--help"], ">&-"))
    assert ended.code == IO_ERROR and "Bad file descriptor" in ended.err


@each_program
async def test_a_mistake_has_its_code_without_standard_streams(programs, program):
    ended = await run(*with_streams([programs.path(program), "--colour"], "<&- >&- 2>&-"))
    assert ended.code == 64


async def test_an_answer_that_cannot_be_written_is_an_error(programs, bank):
    bankctl = [programs.path("bankctl"), "--bank", bank.bankd.address]
    ended = await run(*with_streams([*bankctl, "account", "list"], ">/dev/full"))
    assert ended.code == IO_ERROR and "No space left on device" in ended.err


@pytest.mark.parametrize("watches", ["watch", "call"])
async def test_a_watch_ends_when_nobody_reads_it_any_more(programs, bank, tmp_path, watches):
    """While nothing happens at the bank, too: its reader goes after the last line that there is."""
    bankctl = [programs.path("bankctl"), "--bank", bank.bankd.address]
    funded = data(await run(*bankctl, "--json", "account", "fund", "jane", "1"))
    last = funded["receipt"]["ledger_seq"]
    words = {
        "watch": ["watch", "--from", last],
        "call": ["call", bank.bankd.address, "bank.v1.OperatorService/WatchTransfers", f'{{"from_ledger_seq":{last}}}'],
    }
    pipeline = f'{{ "$@"; echo $? >\'{tmp_path}/code\'; }} | head -n 1'
    ended = await run("sh", "-c", pipeline, "sh", *bankctl, *words[watches], within=ENDS_WITHIN_S)
    assert ended.out.count("\n") == 1
    assert (tmp_path / "code").read_text() == f"{IO_ERROR}\n"
