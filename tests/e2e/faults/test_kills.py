"""kill -9 of bankd under load, and of atmd at each step of a withdrawal, hundreds of times on the same files."""

import asyncio
import random

import pytest

from kit.books import agree
from kit.client import RpcClient
from kit.customer import Declined, cash_of, outcome_at
from kit.ids import new_id
from kit.money import euros
from kit.poll import until
from kit.programs import House, verify
from kit.protos import OperatorService, staff
from kit.proxy import Proxy
from kit.status import RpcError

KILLS_OF_BANKD, KILLS_OF_BANKD_LONG = 200, 10_000
CALLERS = 8
KILLS_AT_A_STEP = 50
HOUSES = 5  # Side by side, each with its own files.


class Oracle:
    """Remembers what the bank acknowledged, and asks it after each kill."""

    def __init__(self):
        self.cents = 100_00
        self.acknowledged = {}  # id -> ledger_seq, of all rounds.
        self.sent = []  # Of this round.

    async def load(self, address):
        """One call after the other, until the bank is gone."""
        try:
            async with await RpcClient.connect(address) as client:
                at_bank = client.stub(OperatorService)
                while True:
                    change_id = new_id()
                    self.sent.append(change_id)
                    response = await at_bank.FundAccount(id=change_id, account_id="jane", amount=euros("0.01"))
                    self.acknowledged[change_id] = response.receipt.ledger_seq
        except (RpcError, OSError):
            pass

    async def ask(self, operator):
        """Everything that was sent is settled; what was acknowledged is there, under its number."""
        outcomes = await asyncio.gather(*(operator.bank.ResolveChange(id=each) for each in self.sent))
        for change_id, outcome in zip(self.sent, outcomes):
            if change_id in self.acknowledged:
                assert outcome.executed.ledger_seq == self.acknowledged[change_id]
            self.cents += outcome.HasField("executed")
        self.sent.clear()
        assert (await operator.account("jane")).balance.minor_units == self.cents
        assert (await operator.trial_balance()).sum.minor_units == 0


async def test_what_bankd_acknowledged_survives_every_kill(bank, effort):
    dice, oracle = random.Random(1), Oracle()
    for _ in range(KILLS_OF_BANKD if effort == 1 else KILLS_OF_BANKD_LONG):
        enough = len(oracle.acknowledged) + dice.randrange(1, 80)
        callers = [asyncio.ensure_future(oracle.load(bank.bankd.address)) for _ in range(CALLERS)]
        await until(lambda: len(oracle.acknowledged) >= enough or all(c.done() for c in callers), "answers")
        await bank.bankd.kill()
        await asyncio.gather(*callers)
        await bank.bankd.start()
        async with await bank.operator() as operator:
            await oracle.ask(operator)
    async with await bank.operator() as operator:
        ids = list(oracle.acknowledged)
        for start in range(0, len(ids), 200):
            some = ids[start : start + 200]
            outcomes = await asyncio.gather(*(operator.bank.ResolveChange(id=each) for each in some))
            numbers = [outcome.executed.ledger_seq for outcome in outcomes]
            assert numbers == [oracle.acknowledged[each] for each in some], "also those of the first round"
    await verify(bank)


# atmd, at each step of a withdrawal.


async def at_frame(house, proxy, kind, method, ask):
    step = proxy.stop_at_request(method) if kind == "request" else proxy.stop_at_reply(method)
    call = asyncio.ensure_future(ask())
    await step.reached(30)
    await house.atmd.kill()
    proxy.forget(step)
    proxy.cut()
    return await call


async def while_notes_move(house, proxy, ask):
    async with await house.staff() as staff_:
        await staff_.break_device(staff.DEVICE_DISPENSER, staff.FAULT_SLOW, delay_ms=30_000)
        call = asyncio.ensure_future(ask())

        async def dispensing():
            return any(each.state == "DISPENSING" for each in await staff_.open_items())

        await until(dispensing, "notes are moving")
        await house.atmd.kill()
    return await call


async def after_the_answer(house, proxy, ask):
    told = await ask()
    await house.atmd.kill()
    return told


def frame(kind, method):
    return lambda house, proxy, ask: at_frame(house, proxy, kind, method, ask)


class Step:
    """Where atmd is killed, what is paid then, and what the customer may have heard; None is nothing."""

    def __init__(self, kill, paid, told):
        self.kill, self.paid, self.told = kill, paid, told


# The customer hears of cash as soon as it is out, before the bank does: perhaps before atmd is killed.
STEPS = {
    "before the card is verified": Step(frame("request", "VerifyCard"), paid=0, told=[None]),
    "before the hold is sent": Step(frame("request", "Hold"), paid=0, told=[None]),
    "before the hold is known": Step(frame("reply", "Hold"), paid=0, told=[None]),
    "while notes move": Step(while_notes_move, paid=0, told=[None]),
    "before the capture is sent": Step(frame("request", "Capture"), paid=10, told=[10, None]),
    "before the capture is known": Step(frame("reply", "Capture"), paid=10, told=[10, None]),
    "right after the answer": Step(after_the_answer, paid=10, told=[10]),
}


class Visits:
    """John before one ATM that is killed again and again."""

    def __init__(self, house, proxy):
        self.house, self.proxy = house, proxy
        self.in_hand = 0

    async def kill_once(self, step):
        change_id = new_id()

        async def ask():
            try:
                async with await self.house.customer("John Doe") as john:
                    return cash_of(await john.withdraw(10, change_id))
            except (RpcError, OSError):
                return None

        told = await step.kill(self.house, self.proxy, ask)
        await self.house.atmd.start()
        async with await self.house.staff() as staff_:
            await staff_.break_device(staff.DEVICE_DISPENSER, staff.FAULT_NONE)
            await staff_.in_service()
        try:
            paid = cash_of(await outcome_at(self.house.atmd.address, change_id))
        except Declined:
            paid = 0
        assert paid == step.paid
        assert told in step.told
        self.in_hand += paid
        await agree(self.house, in_hand=self.in_hand)


async def play(programs, folder, step, kills):
    async with Proxy() as proxy, House(programs, folder, between=proxy) as house:
        async with await house.staff() as staff_:
            await staff_.load(2, 10, 500)
        async with await house.operator() as operator:
            await operator.fund("john", 100_000)
        house.customers["John Doe"].balance += 100_000_00
        visits = Visits(house, proxy)
        for _ in range(kills):
            await visits.kill_once(step)
        assert visits.in_hand == kills * step.paid
        await verify(house)


@pytest.mark.parametrize("step", STEPS)
async def test_a_withdrawal_whose_atm_is_killed_pays_once_or_not_at_all(programs, tmp_path, effort, step):
    kills = KILLS_AT_A_STEP * effort // HOUSES
    houses = (play(programs, tmp_path / str(each), STEPS[step], kills) for each in range(HOUSES))
    await asyncio.gather(*houses)
