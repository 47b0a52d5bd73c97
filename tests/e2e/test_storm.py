"""Customers come and go while programs are killed and connections cut, by the throw of dice. Then every cent is counted."""

import asyncio
import random

import pytest

from kit.books import agree
from kit.customer import Declined, cash_of, outcome_at
from kit.ids import new_id
from kit.programs import House, verify
from kit.protos import atm
from kit.proxy import Proxy
from kit.status import RpcError

STEPS = 40
METHODS = ["VerifyCard", "Hold", "Capture", "Void", "Deposit"]
AT_THE_DOOR = (
    atm.DECLINE_CODE_TERMINAL_BUSY,
    atm.DECLINE_CODE_OUT_OF_SERVICE,
    atm.DECLINE_CODE_BANK_SILENT,
    atm.DECLINE_CODE_NO_SESSION,
)


class Storm:
    """Plays a seed's steps, and keeps what the customers know: their hands, and what was answered."""

    def __init__(self, house, proxy, seed):
        self.house, self.proxy, self.dice = house, proxy, random.Random(seed)
        self.balances = {name: each.balance // 100 for name, each in house.customers.items()}
        self.in_hand = self.deposited = 0
        self.asked = {}  # id of every withdrawal -> who asked, for how much
        self.answered = {}  # id of a withdrawal that was paid -> cash
        self.unknown = {}  # id of a change without an answer -> who made it
        self.story = []

    async def step(self):
        doing = self.dice.choice([self.withdraw] * 4 + [self.deposit] * 2 + [self.ask_again] * 2 + [self.kill, self.cut])
        self.story.append(doing.__name__)
        await (self.interrupted(doing) if self.dice.random() < 0.3 else doing())
        if self.dice.random() < 0.7:  # Else whoever comes next may find it out of service.
            async with await self.house.staff() as staff:
                await staff.in_service()

    async def interrupted(self, doing):
        """Kills a program, or only cuts the connections, where a frame between ATM and bank stands."""
        kind, method = self.dice.choice(["request", "reply"]), self.dice.choice(METHODS)
        stop = self.proxy.stop_at_request if kind == "request" else self.proxy.stop_at_reply
        step, visit = stop(method), asyncio.ensure_future(doing())
        self.story.append(f"stopped at the {kind} of {method}")
        reached = asyncio.ensure_future(step.wait())
        await asyncio.wait([visit, reached], return_when=asyncio.FIRST_COMPLETED)
        reached.cancel()
        self.proxy.forget(step)
        await self.dice.choice([self.kill, self.kill, self.cut])()
        await visit

    async def kill(self):
        daemon = self.dice.choice([self.house.bankd, self.house.atmd])
        self.story.append(f"killed {daemon.name}")
        await daemon.kill()
        self.proxy.cut()
        await daemon.start()

    async def cut(self):
        self.proxy.cut()

    async def withdraw(self):
        change_id = new_id()
        self.asked[change_id] = (self.dice.choice(list(self.balances)), self.dice.choice([10, 20, 30, 60, 200]))
        await self.ask_for(change_id)

    async def ask_again(self):
        if self.asked:
            await self.ask_for(self.dice.choice(list(self.asked)))

    async def ask_for(self, change_id):
        name, amount = self.asked[change_id]

        async def ask(customer):
            cash = cash_of(await customer.withdraw(amount, change_id))
            if change_id in self.answered:
                assert cash == self.answered[change_id], f"another answer to the same id, after {self.story}"
            else:
                self.answered[change_id] = cash
                self.paid(name, cash)

        await self.visit(name, change_id, ask)

    async def deposit(self):
        change_id, name = new_id(), self.dice.choice(list(self.balances))

        async def put_in(customer):
            self.took(name, (await customer.deposit(20, 10, change_id=change_id)).amount.minor_units / 100)

        await self.visit(name, change_id, put_in)

    async def visit(self, name, change_id, doing):
        """Afterwards the change is answered, or unknown: it may have happened."""
        try:
            async with await self.house.customer(name) as customer:
                if change_id not in self.answered:
                    self.unknown[change_id] = name
                await doing(customer)
                self.unknown.pop(change_id, None)
        except Declined as declined:
            self.declined(change_id, declined)
        except (RpcError, OSError):
            pass

    def declined(self, change_id, declined):
        """A no to the change; at the door, before it was asked for, a no to nothing."""
        assert change_id not in self.answered or declined.code in AT_THE_DOOR, f"{declined}, after {self.story}"
        if declined.code not in AT_THE_DOOR:
            self.unknown.pop(change_id, None)

    def paid(self, name, cash):
        self.balances[name] -= cash
        self.in_hand += cash

    def took(self, name, cash):
        self.balances[name] += cash
        self.deposited += cash

    async def learn(self, change_id, name):
        """Asks the ATM what became of a change that was not answered."""
        try:
            outcome = await outcome_at(self.house.atmd.address, change_id)
        except Declined:
            return
        if outcome.DESCRIPTOR.name == "Withdrawn":
            self.paid(name, cash_of(outcome))
        else:
            self.took(name, outcome.amount.minor_units / 100)


@pytest.mark.parametrize("seed", range(3))
async def test_after_a_storm_every_cent_is_accounted_for(programs, tmp_path, seed):
    async with Proxy() as proxy, House(programs, tmp_path, between=proxy) as house:
        storm = Storm(house, proxy, seed)
        for _ in range(STEPS):
            await storm.step()
        for change_id, name in storm.unknown.items():
            await storm.learn(change_id, name)
        await agree(house, in_hand=storm.in_hand, deposited=storm.deposited)
        async with await house.operator() as operator:
            for name, expected in storm.balances.items():
                balance = await operator.balance(house.customers[name].account)
                assert balance == expected, f"{name}, after {storm.story}"
        await verify(house)
