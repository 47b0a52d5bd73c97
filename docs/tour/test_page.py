"""The page says what is so: its excerpts are the files, its programs print what it shows."""

import asyncio
import os
import re
import signal
import sys

import pytest

import page
from kit.programs import House
from kit.process import run

BLOCKS = list(page.blocks())
EXCERPTS = [block for block in BLOCKS if block.source]
CONSOLES = [block for block in BLOCKS if block.language == "console"]


def place(block):
    return f"line-{block.line}"


@pytest.mark.parametrize("block", EXCERPTS, ids=place)
def test_an_excerpt_is_what_the_file_says(block):
    assert block.text in block.source.read_text(encoding="utf-8"), f"not in {block.source}"


def test_every_program_of_the_tour_is_on_the_page():
    text = page.PAGE.read_text(encoding="utf-8")
    programs = [path.name for path in (page.ROOT / "docs/tour").iterdir() if re.match(r"\d\d_", path.name)]
    assert [name for name in sorted(programs) if f"(tour/{name})" not in text] == []


@pytest.mark.parametrize("block", CONSOLES, ids=place)
async def test_a_program_prints_what_the_page_shows(block, bin_dir):
    for command, shown in page.commands(block):
        assert command.find("build/dev/") >= 0, "what is shown is run from the tree"
        command = command.replace("build/dev/", f"{bin_dir}/")
        ended = await run("bash", "-c", f"cd {page.ROOT} && exec 2>&1; {command}")
        page.assert_prints(ended.out.replace(str(page.ROOT) + "/", ""), shown)


async def test_the_first_program_to_speak_may_be_a_terminal(bin_dir):
    ours, theirs = os.openpty()
    process = await asyncio.create_subprocess_exec(
        bin_dir / "docs/tour/05_inputs", stdin=theirs, stdout=asyncio.subprocess.PIPE
    )
    os.close(theirs)
    for _ in range(4):  # The socket and the pipe speak, while nobody types.
        await asyncio.wait_for(process.stdout.readline(), 10)
    os.write(ours, b"finally\n")
    assert await asyncio.wait_for(process.stdout.readline(), 10) == b"the terminal says: finally\n"
    os.write(ours, b"\x04")  # Control-D.
    assert await asyncio.wait_for(process.stdout.readline(), 10) == b"the terminal has no more to say\n"
    assert await asyncio.wait_for(process.wait(), 10) == 0
    os.close(ours)


async def test_the_pages_python_client_gets_seven(programs, tmp_path):
    (client,) = [block.text for block in BLOCKS if block.language == "python" and "adder_pb2" in block.text]
    assert len(client.splitlines()) <= 20
    (tmp_path / "client.py").write_text(client, encoding="utf-8")
    proto = page.ROOT / "proto"
    compiled = await run("protoc", f"-I{proto}", f"--python_out={tmp_path}", proto / "adder/v1/adder.proto")
    assert compiled.code == 0, compiled.err
    async with programs.adderd(tmp_path) as adderd:
        ended = await run(sys.executable, tmp_path / "client.py", adderd.address)
    assert (ended.code, ended.out, ended.err) == (0, "7\n", "")


def traced(log, name, trace):
    """The lines of one trace: without their time and level, without the peer and the trace itself."""
    for line in log.splitlines():
        if trace in line:
            words = [word for word in line.split() if not word.startswith(("peer=", "trace="))]
            yield " ".join([f"{name:5}", *words[3:]]) + "\n"


async def test_a_withdrawal_leaves_the_trace_that_the_page_shows(programs, tmp_path):
    (shown,) = [block.text for block in BLOCKS if block.language == "text"]
    house = House(programs, tmp_path)
    house.options = ("--log-level", "debug", "--log-format", "text")
    house.bankd.argv += house.options
    make_atmd = programs.atmd
    programs.atmd = lambda *arguments: make_atmd(*arguments, *house.options)
    async with house:
        jane = house.customers["Jane Doe"]
        pin = tmp_path / "pin"
        pin.write_text(jane.pin + "\n", encoding="utf-8")
        paid = await programs.run(
            "teller", "--atm", house.atmd.address, "--card", jane.card, "--pin-file", pin,
            "--state", tmp_path / "teller", "withdraw", "60",
        )
        assert paid.code == 0, paid.err
        async with await house.staff() as staff:
            await staff.settled()
    # A log is whole when its daemon has ended.
    logs = {"atmd": house.atmd.log, "bankd": house.bankd.log}
    (trace,) = set(re.findall(r"method=atm.v1.AtmService/Withdraw .* trace=(\w+)", logs["atmd"]))
    lines = [line for name, log in logs.items() for line in traced(log, name, trace)]
    # Two programs may write at the same moment: in which order is chance.
    for line, expected in zip(sorted(lines), sorted(shown.splitlines(keepends=True)), strict=True):
        page.assert_prints(line, expected)
