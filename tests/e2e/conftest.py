"""Options and fixtures of the end-to-end suite. The kit does the work; see kit/ and README.md."""

from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kit.bank import ScriptedBank
from kit.client import RpcClient
from kit.programs import Bank, House, Programs, built
from kit.protos import AtmService, BankService, OperatorService, StaffService
from kit.served import Served
from kit.stage import SCRIPTED_ATM, Stage, atm_daemon, open_for_business

ROOT = Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    parser.addoption("--bin-dir", type=Path, default=built(ROOT), help="where CMake built the programs")
    parser.addoption("--atm-command", help="an ATM to test instead of atmd; see tests/e2e/README.md")
    parser.addoption("--long", action="store_true", help="twenty times the rounds of each test in faults/, or more")


@pytest.fixture(scope="session")
def programs(request):
    return Programs(request.config.getoption("--bin-dir"), request.config.getoption("--atm-command"))


@pytest.fixture
async def scripted_bank():
    async with ScriptedBank() as bank:
        yield bank


@pytest.fixture
async def caller(scripted_bank):
    async with await RpcClient.connect(scripted_bank.address) as client:
        yield client


@pytest.fixture
async def bank(programs, tmp_path):
    """bankd, with the talk's customers."""
    async with Bank(programs, tmp_path) as bank:
        yield bank


@pytest.fixture
async def house(programs, tmp_path):
    """bankd and atmd, open for business."""
    async with House(programs, tmp_path) as house:
        yield house


@asynccontextmanager
async def stage_with_scripted_bank(atm_daemon_for):
    async with ScriptedBank() as bank, atm_daemon_for(bank.address) as atm:
        await open_for_business(atm.address)
        yield Stage(atm.address)


SETTINGS = {
    "scripted bank": lambda programs, folder: stage_with_scripted_bank(
        lambda bank_address: programs.atmd(bank_address, folder)
    ),
    "scripted bank and another ATM": lambda programs, folder: stage_with_scripted_bank(
        lambda bank_address: atm_daemon(SCRIPTED_ATM, bank_address, folder)
    ),
    "bankd": lambda programs, folder: stage_with_bankd(programs, folder),
}


@asynccontextmanager
async def stage_with_bankd(programs, folder):
    async with House(programs, folder) as house:
        yield Stage(house.atmd.address)


@pytest.fixture(params=SETTINGS)
async def stage(request, programs, tmp_path):
    """Where the talk's scene is set."""
    async with SETTINGS[request.param](programs, tmp_path) as stage:
        yield stage


@asynccontextmanager
async def served_by_kit(programs, folder):
    async with ScriptedBank() as bank:
        bank.frame_time_s = bank.unread_time_s = 0.2
        yield Served(bank.address, [BankService.full_name], bank.frame_time_s, bank.unread_time_s)


@asynccontextmanager
async def served_by_bankd(programs, folder):
    async with programs.bankd(folder) as bankd:
        yield Served(bankd.address, [OperatorService.full_name, BankService.full_name])


@asynccontextmanager
async def served_by_atmd(programs, folder):
    async with ScriptedBank() as bank, programs.atmd(bank.address, folder) as atmd:
        yield Served(atmd.address, [AtmService.full_name, StaffService.full_name])


SERVERS = {"kit": served_by_kit, "bankd": served_by_bankd, "atmd": served_by_atmd}


@pytest.fixture(params=SERVERS)
async def server(request, programs, tmp_path):
    """Each server there is: the wire's promises are the same."""
    async with SERVERS[request.param](programs, tmp_path) as server:
        yield server
