"""Old backups, flipped bits, clocks that jump: what the operator finds, and what the tools say."""

import random
import shutil
import sqlite3
import time
from uuid import UUID

import pytest

from kit.books import agree
from kit.customer import Declined, cash_of
from kit.money import euros
from kit.ids import new_id
from kit.poll import until
from kit.operator import done
from kit.programs import House, verify
from kit.protos import staff
from kit.stage import TERMINAL
from kit.status import RpcError

BAD_DATA = 65
FAR_AHEAD_S = 400_000_000
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


async def back_up(house, path):
    ended = await house.programs.run("bankctl", "--bank", house.bankd.address, "backup", path)
    assert ended.code == 0, ended.err


def put_back(house, backup):
    for each in (house.folder / "bank").glob("bank.db*"):
        each.unlink()
    shutil.copyfile(backup, house.folder / "bank/bank.db")


async def test_an_old_backup_is_noticed_and_the_atm_resumes_on_the_operators_word(house, tmp_path):
    async with await house.customer("Jane Doe") as jane:
        await jane.withdraw(20)
    await agree(house, in_hand=20)
    backup = tmp_path / "old.db"
    await back_up(house, backup)
    assert (await house.programs.run("bankd", "verify", "--data", backup)).code == 0
    receipt = new_id()
    async with await house.customer("Jane Doe") as jane:
        await jane.withdraw(30, change_id=receipt)
    await agree(house, in_hand=50)

    await house.bankd.kill()
    put_back(house, backup)
    await house.bankd.start()
    async with await house.staff() as staff_:

        async def is_out():
            (terminal,) = (await staff_.atm.ListTerminals()).terminals
            return terminal.state == staff.SERVICE_STATE_OUT_BANK_HISTORY

        await until(is_out, "the ATM leaves service", 30)
        with pytest.raises((Declined, RpcError)):
            async with await house.customer("Jane Doe") as jane:
                await jane.withdraw(10)
        ended = await house.programs.run(
            "bankctl", "--atm", house.atmd.address, "--yes", "atm", "accept-bank-history", "--reason", "old backup"
        )
        assert ended.code == 0, ended.err + ended.out
    async with await house.operator() as operator:

        async def told_of_the_cash():
            return [each for each in await operator.exceptions() if each.amount == euros(30)]

        # Nobody has Jane's token any more, so the bank cannot hold the money again: the operator takes it.
        (lost,) = await until(told_of_the_cash, "the bank's operator is told of the cash that went out", 30)
        assert (lost.account_id, lost.receipt_id) == ("jane", receipt), "whom to take it from"
        items = await house.programs.run("bankctl", "--atm", house.atmd.address, "atm", "items")
        for said in (str(UUID(bytes=lost.hold_id)), str(UUID(bytes=receipt)), "30.00 EUR", "****0010"):
            assert said in items.out
            assert said in lost.evidence or UUID(bytes=lost.hold_id) == UUID(said)
        adjustment = dict(source_account_id="jane", target_account_id=f"cash:{TERMINAL}", amount=euros(30))
        done(await operator.bank.Adjust(id=new_id(), reason="the backup lacks it", **adjustment))
        assert await operator.balance("jane") == 50
    await agree(house, in_hand=50)
    await verify(house)


async def test_a_backup_made_under_load_is_sound(house, tmp_path, effort):
    async with await house.operator() as operator:
        for number in range(5 * effort):
            await operator.fund("jane", 1)
            path = tmp_path / f"{number}.db"
            await back_up(house, path)
            await operator.fund("jane", 1)
            ended = await house.programs.run("bankd", "verify", "--data", path)
            assert ended.code == 0, ended.err


# Flipped bits.


def tables_of(path):
    with sqlite3.connect(path) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return [name for (name,) in names]


def flip_a_bit(path, table, dice):
    """Of any column with a value of any row; returns what was changed, or None if there is none or it must not be changed so."""
    database = sqlite3.connect(path)
    try:
        columns = [each[1] for each in database.execute(f"PRAGMA table_info({table})")]
        rows = [rowid for (rowid,) in database.execute(f"SELECT rowid FROM {table}")]
        if not rows:
            return None
        rowid = dice.choice(rows)
        row = dict(zip(columns, database.execute(f"SELECT * FROM {table} WHERE rowid = ?", (rowid,)).fetchone()))
        column = dice.choice([each for each in columns if row[each] not in (None, "", b"")])
        value = row[column]
        if isinstance(value, int):
            changed = value ^ (1 << dice.randrange(8))
        elif isinstance(value, bytes):
            place = dice.randrange(len(value))
            changed = value[:place] + bytes([value[place] ^ (1 << dice.randrange(8))]) + value[place + 1 :]
        else:
            changed = value[:-1] + chr(ord(value[-1]) ^ 1)
        database.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed, rowid))
        database.commit()
        return f"{table}.{column} of row {rowid}"
    except sqlite3.IntegrityError:
        return None
    finally:
        database.close()


async def busy_house(house):
    async with await house.customer("Jane Doe") as jane:
        await jane.withdraw(60)
        await jane.deposit(20)
        await jane.transfer("john", 5)
    with pytest.raises(Declined):
        async with await house.customer("Anonymous") as nobody:
            await nobody.withdraw(60)
    await agree(house, in_hand=60, deposited=20)


def has_current_tables(path):
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        (journal,), (tables,) = database.execute("SELECT max(seq) FROM journal UNION ALL SELECT projected_through FROM meta")
        return tables >= journal
    finally:
        database.close()


async def stop_with_current_tables(house):
    """The tables come after the journal, when the bank has nothing else to do; a stop does not wait for them."""
    await until(lambda: has_current_tables(house.folder / "bank/bank.db"), "the bank's tables")
    assert await house.bankd.terminate() == 0


async def test_a_flipped_bit_in_any_row_of_the_bank_is_named_by_verify(house, tmp_path, effort):
    await busy_house(house)
    await stop_with_current_tables(house)
    dice, tried = random.Random(3), 0
    sound = house.folder / "bank/bank.db"
    for round_ in range(3 * effort):
        for table in tables_of(sound):
            damaged = tmp_path / f"{table}{round_}.db"
            shutil.copyfile(sound, damaged)
            what = flip_a_bit(damaged, table, dice)
            if what is None:
                continue
            tried += 1
            ended = await house.programs.run("bankd", "verify", "--data", damaged)
            assert ended.code == BAD_DATA, f"{what}: {ended.out}"
            assert ended.err.strip(), what
    assert tried > 20


async def test_a_flipped_bit_in_any_row_of_the_atm_is_named_by_its_audit(house, tmp_path, effort):
    await busy_house(house)
    assert await house.atmd.terminate() == 0
    dice, tried = random.Random(4), 0
    sound = house.folder / "atm/data"
    for round_ in range(3 * effort):
        for table in tables_of(sound / "journal.db"):
            damaged = tmp_path / f"{table}{round_}"
            shutil.copytree(sound, damaged)
            what = flip_a_bit(damaged / "journal.db", table, dice)
            if what is None:
                continue
            tried += 1
            ended = await house.programs.run("atmd", "audit", "--data", damaged)
            assert ended.code == BAD_DATA, f"{what}: {ended.out}"
            assert table in ended.err + ended.out, what
    assert tried > 15


async def test_a_bank_does_not_start_on_an_account_that_was_changed(house, tmp_path):
    await busy_house(house)
    await stop_with_current_tables(house)
    with sqlite3.connect(house.folder / "bank/bank.db") as database:
        database.execute("UPDATE account SET balance = balance + 1 WHERE rowid = 2")
    await house.bankd.spawn()
    assert await house.bankd.ended() == BAD_DATA
    assert "account" in house.bankd.log


# Clocks.


@pytest.fixture
async def house_in_time(programs, tmp_path):
    """The wall clock of both daemons is a file's."""
    clock = tmp_path / "clock"
    clock.write_text("+0")
    house = House(programs, tmp_path)
    env = {
        "LD_PRELOAD": FAKETIME,
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    house.bankd.env.update(env)
    async with house:
        await house.atmd.kill()
        house.atmd.env.update(env)
        await house.atmd.start()
        async with await house.staff() as staff_:
            await staff_.in_service()
        yield house, clock


async def test_a_clock_that_jumps_changes_no_cent_and_no_order(house_in_time):
    house, clock = house_in_time
    in_hand, last_seq = 0, 0
    for jump in ["+3600", "-3600", "+0", "+86400", "-7200", f"+{FAR_AHEAD_S}", "+0"]:
        clock.write_text(jump)
        async with await house.customer("John Doe") as john:
            in_hand += cash_of(await john.withdraw(20))
        async with await house.operator() as operator:
            receipt = (
                await operator.bank.FundAccount(id=new_id(), account_id="anonymous", amount=euros(1))
            ).receipt
            assert receipt.ledger_seq > last_seq
            last_seq = receipt.ledger_seq
            house.customers["Anonymous"].balance += 100
        await agree(house, in_hand=in_hand)
    await verify(house)
    with sqlite3.connect(house.folder / "bank/bank.db") as database:
        ((last_at_us,),) = database.execute("SELECT max(at) FROM journal")
    assert last_at_us / 1e6 > time.time() + FAR_AHEAD_S / 2, "the bank's clock did jump, and its time did not go back"
