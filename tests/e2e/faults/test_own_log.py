"""A database and its log belong together: one that is opened without the other, or written over, loses no acknowledged change unseen."""

import shutil
import signal

import pytest

from kit.books import agree
from kit.client import RpcClient
from kit.ids import new_id
from kit.programs import verify
from kit.protos import OperatorService
from kit.status import RpcError

BAD_DATA, IO = 65, 74


def files_of(house, daemon):
    """The databases of a daemon, and the command that judges them."""
    if daemon == "bankd":
        file = house.folder / "bank/bank.db"
        return [file], ("bankd", "verify", "--data", file)
    folder = house.folder / "atm/data"
    return [folder / "journal.db", folder / "devices.db"], ("atmd", "audit", "--data", folder)


async def withdraw(house, amount):
    async with await house.customer("Jane Doe") as jane:
        await jane.withdraw(amount)


@pytest.mark.parametrize("name", ["bankd", "atmd"])
async def test_what_was_killed_is_not_served_without_its_log(house, name):
    daemon = getattr(house, name)
    await withdraw(house, 20)
    await agree(house, in_hand=20)
    await daemon.kill()
    files, judge = files_of(house, name)
    for file in files:
        log = file.with_name(file.name + "-wal")
        away = file.with_name("away")
        log.rename(away)
        judged = await house.programs.run(*judge)
        assert judged.code == BAD_DATA and f"{log} is missing" in judged.err, judged.err + judged.out
        await daemon.spawn()
        assert await daemon.ended() == BAD_DATA
        assert f"{log} is missing" in daemon.log
        away.rename(log)
    await daemon.start()
    await agree(house, in_hand=20)
    await verify(house)


async def test_a_killed_bank_is_not_served_under_another_name(bank, tmp_path):
    async with await bank.operator() as operator:
        await operator.fund("jane", 5)
    await bank.bankd.kill()
    file = bank.folder / "bank/bank.db"
    link, copy = tmp_path / "link.db", tmp_path / "copy.db"
    link.hardlink_to(file)
    shutil.copyfile(file, copy)
    for other in (link, copy):
        ended = await bank.programs.run("bankd", "verify", "--data", other)
        assert ended.code == BAD_DATA and f"{other}-wal is missing" in ended.err
    await bank.bankd.start()
    async with await bank.operator() as operator:
        assert await operator.balance("jane") == 105


async def fund(stub):
    amount = dict(minor_units=100, currency="EUR")
    return await stub.FundAccount(id=new_id(), account_id="jane", amount=amount)


@pytest.mark.parametrize("kept", ["backup", "copy"])
async def test_a_bank_whose_file_was_copied_over_says_no_further_yes(bank, tmp_path, kept):
    file, old = bank.folder / "bank/bank.db", tmp_path / "old.db"
    if kept == "backup":
        made = await bank.programs.run("bankctl", "--bank", bank.bankd.address, "backup", old)
        assert made.code == 0, made.err
    else:
        assert await bank.bankd.terminate() == 0
        shutil.copyfile(file, old)
        await bank.bankd.start()
        assert await bank.bankd.terminate() == 0
        await bank.bankd.start()
    async with await RpcClient.connect(bank.bankd.address) as client:
        stub = client.stub(OperatorService)
        for _ in range(20):
            assert (await fund(stub)).HasField("receipt")
        shutil.copyfile(old, file)
        with pytest.raises((RpcError, OSError)):
            await fund(stub)
    assert await bank.bankd.ended() == IO
    assert f"cannot write {file}: something was written over it" in bank.bankd.log
    ended = await bank.programs.run("bankd", "verify", "--data", file)
    assert ended.code == BAD_DATA and f"{file}-wal holds changes of another database" in ended.err, ended.err


async def test_an_atm_whose_file_was_copied_over_goes_no_further(house, tmp_path):
    files, judge = files_of(house, "atmd")
    assert await house.atmd.terminate() == 0
    for file in files:
        shutil.copyfile(file, tmp_path / file.name)
    await house.atmd.start()
    async with await house.staff() as staff_:
        await staff_.in_service(within=20)
    await withdraw(house, 20)
    assert await house.atmd.terminate() == 0
    await house.atmd.start()
    async with await house.staff() as staff_:
        await staff_.in_service(within=20)
    shutil.copyfile(tmp_path / "devices.db", files[1])
    with pytest.raises((RpcError, OSError)):
        await withdraw(house, 20)
    assert await house.atmd.ended() == IO
    assert f"cannot write {files[1]}: something was written over it" in house.atmd.log
    assert (await house.programs.run(*judge)).code == BAD_DATA


async def stopped_after(daemon, write_over):
    """How a daemon ends that is told to stop when its files have just been written over, before it does anything else."""
    daemon.pause()
    write_over()
    daemon.process.send_signal(signal.SIGTERM)
    daemon.resume()
    return await daemon.ended()


@pytest.mark.parametrize("next_", ["backup", "stop"])
async def test_a_bank_whose_file_was_copied_over_makes_no_backup_and_does_not_end_well(bank, tmp_path, next_):
    file, old, new = bank.folder / "bank/bank.db", tmp_path / "old.db", tmp_path / "new.db"
    backup = ("bankctl", "--bank", bank.bankd.address, "backup")
    made = await bank.programs.run(*backup, old)
    assert made.code == 0, made.err
    async with await RpcClient.connect(bank.bankd.address) as client:
        assert (await fund(client.stub(OperatorService))).HasField("receipt")
    if next_ == "backup":
        shutil.copyfile(old, file)
        assert (await bank.programs.run(*backup, new)).code != 0
        assert not new.exists()
        assert await bank.bankd.ended() == IO
    else:
        assert await stopped_after(bank.bankd, lambda: shutil.copyfile(old, file)) == IO
    assert f"{file}: something was written over it" in bank.bankd.log


@pytest.mark.parametrize("next_", ["change", "stop"])
async def test_a_bank_whose_log_was_emptied_says_no_further_yes(bank, next_):
    file, log = bank.folder / "bank/bank.db", bank.folder / "bank/bank.db-wal"
    async with await RpcClient.connect(bank.bankd.address) as client:
        stub = client.stub(OperatorService)
        for _ in range(5):
            assert (await fund(stub)).HasField("receipt")
        if next_ == "change":
            log.write_bytes(b"")
            with pytest.raises((RpcError, OSError)):
                await fund(stub)
            assert await bank.bankd.ended() == IO
        else:
            assert await stopped_after(bank.bankd, lambda: log.write_bytes(b"")) == IO
    assert f"cannot write {file}: something was written over {log}, or cut off it" in bank.bankd.log
    ended = await bank.programs.run("bankd", "verify", "--data", file)
    assert ended.code == BAD_DATA and f"{log} is missing or empty" in ended.err, ended.err


@pytest.mark.parametrize("name", ["journal.db", "devices.db"])
@pytest.mark.parametrize("part", ["", "-wal"])
async def test_an_atm_whose_files_were_written_over_does_not_end_well(house, tmp_path, name, part):
    file, old = house.folder / "atm/data" / name, tmp_path / "old"
    assert await house.atmd.terminate() == 0
    old.write_bytes(b"" if part else file.read_bytes())
    await house.atmd.start()
    async with await house.staff() as staff_:
        await staff_.in_service(within=20)
    await withdraw(house, 20)
    written = file.with_name(name + part)
    assert await stopped_after(house.atmd, lambda: shutil.copyfile(old, written)) == IO
    assert f"cannot write {file}: something was written over" in house.atmd.log


async def test_what_leaves_a_running_banks_file_as_it_is_stops_nothing(bank, tmp_path):
    file = bank.folder / "bank/bank.db"
    async with await RpcClient.connect(bank.bankd.address) as client:
        stub = client.stub(OperatorService)
        for number in range(3):
            file.touch()
            file.chmod(0o640 if number % 2 else 0o600)
            (tmp_path / f"{number}.link").hardlink_to(file)
            shutil.copyfile(file, tmp_path / f"{number}.db")
            made = await bank.programs.run("bankctl", "--bank", bank.bankd.address, "backup", tmp_path / f"{number}.backup")
            assert made.code == 0, made.err
            assert (await fund(stub)).HasField("receipt")
    assert await bank.bankd.terminate() == 0
    await bank.bankd.start()
    await verify(bank)
