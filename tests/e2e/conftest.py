"""Options and fixtures of the end-to-end suite. The kit does the work; see kit/ and README.md."""

from pathlib import Path

import pytest

from kit.bank import ScriptedBank
from kit.client import RpcClient
from kit.protos import BankService
from kit.served import Served
from kit.stage import SCRIPTED_ATM, Stage, atm_daemon, fill

ROOT = Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    parser.addoption("--bin-dir", type=Path, default=ROOT / "build/dev", help="where CMake built the programs")
    parser.addoption("--atm-command", help="an ATM to test instead of atmd; see tests/e2e/README.md")


@pytest.fixture
async def scripted_bank():
    async with ScriptedBank() as bank:
        yield bank


@pytest.fixture
async def caller(scripted_bank):
    async with await RpcClient.connect(scripted_bank.address) as client:
        yield client


@pytest.fixture
async def stage(scripted_bank, tmp_path):
    async with atm_daemon(SCRIPTED_ATM, scripted_bank.address, tmp_path) as atm:
        await fill(atm.address)
        yield Stage(atm.address)


@pytest.fixture
async def server(scripted_bank):
    scripted_bank.frame_time_s = scripted_bank.unread_time_s = 0.2
    yield Served(scripted_bank.address, [BankService.full_name], scripted_bank.frame_time_s, scripted_bank.unread_time_s)
