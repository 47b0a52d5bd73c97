"""Options and fixtures of the end-to-end suite. The kit does the work; see kit/."""

import pytest

from kit.bank import ScriptedBank
from kit.client import RpcClient


@pytest.fixture
async def scripted_bank():
    async with ScriptedBank() as bank:
        yield bank


@pytest.fixture
async def caller(scripted_bank):
    async with await RpcClient.connect(scripted_bank.address) as client:
        yield client
