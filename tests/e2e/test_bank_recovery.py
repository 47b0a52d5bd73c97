"""kill -9 of bankd under load: what it acknowledged is there, what it did not is there whole or not at all."""

import asyncio

from kit.client import RpcClient
from kit.ids import new_id
from kit.money import euros
from kit.operator import Operator
from kit.programs import verify
from kit.protos import OperatorService
from kit.status import RpcError

ROUNDS = 5
CALLERS = 8


async def fund_until_killed(address, acknowledged, sent):
    """Puts cents into Jane's account, one call after the other, until the bank is gone."""
    async with await RpcClient.connect(address) as client:
        at_bank = client.stub(OperatorService)
        try:
            while True:
                change_id = new_id()
                sent.append(change_id)
                response = await at_bank.FundAccount(id=change_id, account_id="jane", amount=euros("0.01"))
                acknowledged[change_id] = response.receipt
        except RpcError:
            pass


async def test_what_was_acknowledged_survives_a_kill_and_the_rest_is_settled_by_its_id(bank):
    expected = 100_00
    for round_ in range(ROUNDS):
        acknowledged, sent = {}, []
        callers = [
            asyncio.ensure_future(fund_until_killed(bank.bankd.address, acknowledged, sent)) for _ in range(CALLERS)
        ]
        while len(acknowledged) < 50 * (round_ + 1):
            await asyncio.wait(callers, timeout=0.001)
        await bank.bankd.kill()
        await asyncio.gather(*callers)
        await bank.bankd.start()

        async with await bank.operator() as operator:
            for change_id in sent:
                outcome = await operator.bank.ResolveChange(id=change_id)
                if change_id in acknowledged:
                    assert outcome.executed.ledger_seq == acknowledged[change_id].ledger_seq
                expected += outcome.HasField("executed")
            assert (await operator.account("jane")).balance.minor_units == expected
            assert (await operator.trial_balance()).sum.minor_units == 0
    await verify(bank)


async def test_the_same_change_after_a_kill_gets_its_first_answer(bank):
    change_id = new_id()
    fund = dict(id=change_id, account_id="jane", amount=euros(5))
    async with await bank.operator() as operator:
        first = (await operator.bank.FundAccount(**fund)).receipt
    await bank.bankd.kill()
    await bank.bankd.start()
    async with await bank.operator() as operator:
        again = (await operator.bank.FundAccount(**fund)).receipt
        assert again.replayed and not first.replayed
        first.replayed = True
        assert again == first
        assert await operator.balance("jane") == 105


async def test_a_bank_killed_while_it_starts_starts_again(bank):
    for _ in range(5):
        await bank.bankd.kill()
        await bank.bankd.spawn()
    await bank.bankd.kill()
    await bank.bankd.start()
    async with await Operator.of(bank.bankd.address) as operator:
        assert await operator.balance("jane") == 100
    await verify(bank)
