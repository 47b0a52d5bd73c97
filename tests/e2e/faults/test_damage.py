"""A row of a running daemon's file changes under it: the process ends at the row that it reads, and names it. And the tools
an operator then has."""

import asyncio
import sqlite3

import pytest

from kit.books import agree
from kit.customer import InSuspense, outcome_at
from kit.ids import new_id
from kit.poll import until
from kit.programs import verify
from kit.protos import AtmService, BankService, OperatorService, staff
from kit.client import RpcClient
from kit.stage import TERMINAL
from kit.status import RpcError

BAD_DATA, CANNOT_CREATE = 65, 73
AN_HOUR_MS = 3_600_000


def change(path, sql):
    """Another process's hand in the file."""
    with sqlite3.connect(path) as database:
        assert database.execute(sql).rowcount == 1, "one row"
    database.close()


def current_tables(house):
    database = sqlite3.connect(f"file:{house.folder / 'bank/bank.db'}?mode=ro", uri=True)
    try:
        (journal,), (tables,) = database.execute("SELECT max(seq) FROM journal UNION ALL SELECT projected_through FROM meta")
        return tables >= journal
    finally:
        database.close()


async def ends_and_names(daemon, call, *names):
    """The call that reads the row gets no answer, and the daemon says why."""
    with pytest.raises((RpcError, OSError)):
        await call
    assert await daemon.ended() == BAD_DATA
    for name in names:
        assert name in daemon.log


def an_old_id():
    """Too old to be remembered at a start."""
    fresh = new_id()
    return (int.from_bytes(fresh[:6], "big") - AN_HOUR_MS).to_bytes(6, "big") + fresh[6:]


async def list_transfers(client, change_id):
    await client.stub(OperatorService).ListTransfers(account_id="jane")


async def ask_again(client, change_id):
    await client.stub(OperatorService).ResolveChange(id=change_id)


@pytest.mark.parametrize("read", [list_transfers, ask_again])
async def test_a_running_bank_ends_at_a_changed_row_and_names_it(bank, read):
    change_id = an_old_id()
    async with await RpcClient.connect(bank.bankd.address) as client:
        stub = client.stub(OperatorService)
        amount = dict(minor_units=500, currency="EUR")
        receipt = (await stub.FundAccount(id=change_id, account_id="jane", amount=amount)).receipt
    await until(lambda: current_tables(bank), "the bank's tables")
    assert await bank.bankd.terminate() == 0
    await bank.bankd.start()  # Its memory begins anew: answers to ids as old as this are in the tables only.
    async with await RpcClient.connect(bank.bankd.address) as client:
        changed = f"UPDATE operation SET amount = amount + 1 WHERE ledger_seq = {receipt.ledger_seq}"
        change(bank.folder / "bank/bank.db", changed)
        await ends_and_names(bank.bankd, read(client, change_id), f"row {receipt.ledger_seq} of table operation")
    ended = await bank.programs.run("bankd", "verify", "--data", bank.folder / "bank/bank.db")
    assert ended.code == BAD_DATA and f"row {receipt.ledger_seq} of table operation" in ended.err


async def test_a_running_bank_ends_at_a_changed_hold_and_names_it(house):
    async with await house.customer("Jane Doe") as jane:
        await jane.withdraw(60)
    await agree(house, in_hand=60)
    await until(lambda: current_tables(house), "the bank's tables")
    await house.atmd.kill()
    path = house.folder / "bank/bank.db"
    with sqlite3.connect(path) as database:
        ((seq, hold_id),) = database.execute(
            "SELECT hold.ledger_seq, operation.id FROM hold JOIN operation USING (ledger_seq)"
        )
    database.close()
    change(path, f"UPDATE hold SET amount = amount - 1 WHERE ledger_seq = {seq}")
    async with await RpcClient.connect(house.bankd.address) as client:
        stub = client.stub(BankService)
        await stub.SignOn(terminal_id=TERMINAL)

        async def ask_until_memory_has_forgotten_it():
            while True:
                await stub.GetHold(terminal_id=TERMINAL, hold_id=hold_id)

        asking = asyncio.wait_for(ask_until_memory_has_forgotten_it(), 20)
        await ends_and_names(house.bankd, asking, "table hold")


@pytest.mark.parametrize("table", ["withdrawal", "deposit", "relay", "fence"])
async def test_a_running_atm_ends_at_a_changed_row_and_names_it(house, table):
    change_id = new_id()
    async with await house.customer("Jane Doe") as jane:
        if table == "withdrawal":
            await jane.withdraw(60, change_id)
        elif table == "deposit":
            await jane.deposit(20, change_id=change_id)
        elif table == "relay":
            await jane.transfer("john", 5, change_id)
        else:
            await jane.atm.Resolve(id=change_id)
    async with await house.staff() as staff_:
        await staff_.settled()
    assert await house.atmd.terminate() == 0
    await house.atmd.start()
    async with await house.staff() as staff_:  # What it tells the bank again at a start is written again, too.
        await staff_.in_service(within=20)
        await staff_.settled()
    change(house.folder / "atm/data/journal.db", f"UPDATE {table} SET terminal = 'x' WHERE id = x'{change_id.hex()}'")
    async with await RpcClient.connect(house.atmd.address) as client:
        asked = client.stub(AtmService).Resolve(id=change_id, terminal_id=TERMINAL)
        await ends_and_names(house.atmd, asked, f"table {table}", change_id.hex()[-12:])
    ended = await house.programs.run("atmd", "audit", "--data", house.folder / "atm/data")
    assert ended.code == BAD_DATA and f"table {table}" in ended.err


async def test_a_second_bankd_on_the_file_ends_at_once_and_the_first_goes_on(bank):
    address = bank.bankd.address
    second = bank.programs.bankd(bank.folder / "bank", name="second")
    await second.spawn()
    assert await second.ended() == CANNOT_CREATE
    assert "in use by process" in second.log
    async with await bank.operator() as operator:
        await operator.fund("jane", 5)
        assert await operator.balance("jane") == 105
    assert bank.bankd.address == address
    await verify(bank)


async def test_the_operator_settles_with_the_tools_what_nobody_can_know(house):
    """The exception with its evidence, the decision, and both audits."""
    async with await house.staff() as staff_:
        await staff_.break_device(staff.DEVICE_DISPENSER, staff.FAULT_PRESENT_UNKNOWN)
    change_id = new_id()
    async with await house.customer("Jane Doe") as jane:
        with pytest.raises(InSuspense):
            await jane.withdraw(60, change_id)
    async with await house.staff() as staff_:
        await staff_.break_device(staff.DEVICE_DISPENSER, staff.FAULT_NONE)
        assert await staff_.state() == staff.SERVICE_STATE_OUT_DEVICE, "notes may lie in the slot"
    looked = await house.programs.run("bankctl", "--atm", house.atmd.address, "--yes", "atm", "in-service")
    assert looked.code == 0, looked.err

    async def bankctl(*arguments):
        ended = await house.programs.run("bankctl", "--bank", house.bankd.address, "--yes", *arguments)
        assert ended.code == 0, ended.err
        return ended.out

    async def listed():
        return "cannot say what it presented" in await bankctl("exceptions", "list")

    await until(listed, "the exception with its evidence")
    async with await house.operator() as operator:
        (exception,) = await operator.exceptions()
    number = str(exception.exception_seq)
    await bankctl("exceptions", "resolve", number, "--paid", "60.00", "--reason", "the camera shows it")
    assert number not in (await bankctl("exceptions", "list")).split()

    async def decided():
        try:
            return (await outcome_at(house.atmd.address, change_id)).amount.minor_units == 60_00
        except InSuspense:
            return False

    await until(decided, "the decision is back at the ATM", 30)
    await agree(house, in_hand=60)
    await verify(house)
    assert await house.atmd.terminate() == 0
    ended = await house.programs.run("atmd", "audit", "--data", house.folder / "atm/data")
    assert ended.code == 0 and "Every cent is accounted for." in ended.out, ended.out
