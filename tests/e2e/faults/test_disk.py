"""The disk: full, failing once, failing for good. What was acknowledged stays, and nobody is told a wrong yes or no."""

import os
import subprocess

import pytest

from kit.books import agree
from kit.client import RpcClient
from kit.customer import Declined, cash_of, outcome_at
from kit.ids import new_id
from kit.money import euros
from kit.poll import until
from kit.process import run
from kit.programs import Bank, House, verify
from kit.protos import OperatorService, staff
from kit.status import Code, RpcError

IO_ERROR = 74
PRELOADS = "/usr/lib/fiu/fiu_run_preload.so:/usr/lib/fiu/fiu_posix_preload.so"
EIO, ENOSPC = 5, 28
# Of what a commit does, what fails.
FAILURES = {
    "the sync": ("posix/io/sync/*", EIO),
    "the write": ("posix/io/rw/pwrite", EIO),
    "the write, for want of room": ("posix/io/rw/pwrite", ENOSPC),
}


def breakable(daemon, folder):
    """The daemon's system calls can be made to fail from outside."""
    daemon.env.update(LD_PRELOAD=PRELOADS, FIU_CTRL_FIFO=str(folder / "fiu"))
    return daemon


async def break_it(daemon, folder, what, error, how=""):
    command = f"enable name={what},failinfo={error}{how}"
    ended = await run("fiu-ctrl", "-f", folder / "fiu", "-c", command, daemon.process.pid)
    assert ended.code == 0, ended.err


async def fund(address, change_id):
    async with await RpcClient.connect(address) as client:
        change = dict(id=change_id, account_id="jane", amount=euros(5))
        return await client.stub(OperatorService).FundAccount(**change)


@pytest.mark.parametrize("how", ["", ",onetime"], ids=["for good", "once"])
@pytest.mark.parametrize("failure", FAILURES)
async def test_a_bank_whose_commit_fails_ends_with_74_and_the_same_id_tells_the_truth(
    programs, tmp_path, failure, how
):
    bank = Bank(programs, tmp_path)
    breakable(bank.bankd, tmp_path)
    async with bank:
        what, error = FAILURES[failure]
        await break_it(bank.bankd, tmp_path, what, error, how)
        change_id = new_id()
        with pytest.raises((RpcError, OSError)) as unknown:
            await fund(bank.bankd.address, change_id)
        assert getattr(unknown.value, "code", Code.UNAVAILABLE) == Code.UNAVAILABLE, "never a no"
        assert await bank.bankd.ended() == IO_ERROR
        assert "journal" in bank.bankd.log or "commit" in bank.bankd.log
        await bank.bankd.start()
        assert (await fund(bank.bankd.address, change_id)).HasField("receipt")
        async with await bank.operator() as operator:
            assert await operator.balance("jane") == 105, "once"
        await verify(bank)


@pytest.mark.parametrize("how", ["", ",onetime"], ids=["for good", "once"])
@pytest.mark.parametrize("failure", FAILURES)
async def test_an_atm_whose_commit_fails_ends_with_74_and_cash_and_books_agree(programs, tmp_path, failure, how):
    async with House(programs, tmp_path) as house:
        await house.atmd.kill()
        breakable(house.atmd, tmp_path)
        await house.atmd.start()
        async with await house.staff() as staff:
            await staff.in_service()
        change_id = new_id()
        async with await house.customer("Jane Doe") as jane:
            what, error = FAILURES[failure]
            await break_it(house.atmd, tmp_path, what, error, how)
            with pytest.raises((RpcError, OSError)):
                await jane.withdraw(60, change_id)
            assert await house.atmd.ended() == IO_ERROR
        await house.atmd.start()
        try:
            paid = cash_of(await outcome_at(house.atmd.address, change_id))
        except Declined:
            paid = 0
        await agree(house, in_hand=paid)
        await verify(house)


async def test_a_backup_that_cannot_read_the_bank_ends_it_with_74_and_names_no_wrong_path(programs, tmp_path):
    bank = Bank(programs, tmp_path)
    breakable(bank.bankd, tmp_path)
    async with bank:
        # Connected before, for a bank that still brings its tables up to date meets the fault by itself.
        async with await RpcClient.connect(bank.bankd.address) as client:
            await break_it(bank.bankd, tmp_path, "posix/io/rw/pread", EIO)
            with pytest.raises((RpcError, OSError)) as unknown:
                await client.stub(OperatorService).Backup(path=str(tmp_path / "copy.db"))
        assert getattr(unknown.value, "code", Code.UNAVAILABLE) != Code.FAILED_PRECONDITION, "the path is right"
        assert await bank.bankd.ended() == IO_ERROR
        assert not (tmp_path / "copy.db").exists()


async def test_who_starts_on_a_full_disk_says_what_to_do(programs, small_disk):
    house = House(programs, small_disk)
    async with house:
        assert await house.atmd.terminate() == 0
        assert await house.bankd.terminate() == 0
        fill(small_disk, leave=0)
        for daemon in (house.bankd, house.atmd):
            ended = await run(*daemon.argv)
            assert ended.code == IO_ERROR and "its disk is full: make room there" in ended.err, ended.err
        (small_disk / "ballast").unlink()
        await house.bankd.start()
        await house.atmd.start()
        await agree(house, in_hand=0)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own, 80 MB. Needs root, as CI has."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder, leave):
    """Leaves so many bytes free."""
    free = os.statvfs(folder)
    size = max(0, free.f_bavail * free.f_frsize - leave)
    with open(folder / "ballast", "ab") as ballast:
        os.posix_fallocate(ballast.fileno(), ballast.tell(), size)


async def test_a_bank_on_a_full_disk_refuses_changes_answers_reads_and_goes_on(programs, small_disk, effort):
    async with Bank(programs, small_disk) as bank:
        for _ in range(3 * effort):
            fill(small_disk, leave=200_000)

            async def refuses():
                try:
                    await fund(bank.bankd.address, new_id())
                except RpcError as refused:
                    assert refused.code == Code.FAILED_PRECONDITION
                    return True

            await until(refuses, "changes are refused")
            asked = await programs.run("bankctl", "--bank", bank.bankd.address, "account", "fund", "jane", "5")
            assert asked.code == 1 and "The bank's disk is nearly full" in asked.err, asked.err
            async with await bank.operator() as operator:
                assert (await operator.trial_balance()).sum.minor_units == 0, "reads go on"
            (small_disk / "ballast").unlink()

            async def takes_changes():
                try:
                    return (await fund(bank.bankd.address, new_id())).HasField("receipt")
                except RpcError as refused:
                    assert refused.code == Code.FAILED_PRECONDITION

            await until(takes_changes, "there is room again")
        await verify(bank)


async def test_an_atm_on_a_full_disk_pays_nothing_and_goes_on(programs, small_disk):
    async with House(programs, small_disk) as house:
        fill(small_disk, leave=0)
        for _ in range(5):
            async with await house.customer("Jane Doe") as jane:
                with pytest.raises(Declined):
                    await jane.withdraw(60)
                assert await jane.balance() == 100, "reads go on"
        async with await house.staff() as staff_:
            assert await staff_.state() == staff.SERVICE_STATE_OUT_DISK
            with pytest.raises(RpcError) as refused:
                await staff_.atm.SetService(in_service=False)
            assert refused.value.code == Code.FAILED_PRECONDITION

        async def is_told():
            return "disk" in (await programs.run("atmd", "health", "--atm", house.atmd.address)).out

        await until(is_told, "its health says why nobody is served")
        assert house.atmd.running and house.bankd.running
        (small_disk / "ballast").unlink()

        async def pays():
            try:
                async with await house.customer("Jane Doe") as jane:
                    return cash_of(await jane.withdraw(60)) == 60
            except (Declined, RpcError):
                return False

        await until(pays, "there is room again", 20)
        await agree(house, in_hand=60)
        await verify(house)
