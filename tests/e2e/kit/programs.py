"""The built programs, and whole houses of them: a bank, a bank with an ATM."""

import signal
from pathlib import Path

from kit import bank
from kit.client import RpcClient
from kit.customer import Customer, Staff
from kit.operator import Operator
from kit.process import Daemon, run
from kit.protos import HealthService
from kit.stage import TERMINAL, atm_daemon, open_for_business
from kit.status import Code, RpcError

FOLDERS = {"bankd": "bank", "atmd": "atm", "teller": "teller", "bankctl": "bankctl", "adderd": "adder", "adder": "adder"}
ATMD = (
    "{atmd} serve --bank {bank} --listen {listen} --data {dir}/data --terminal {terminal} --ready-file {ready_file}"
)

# A suite that was started in the background ignores these, and so would every program that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def built(root):
    """Where CMake built the programs, unless told: what `tests/run NAME` or else `tests/run` tests."""
    folders = [root / "build/dev", root / "build/test"]
    return next((folder for folder in folders if (folder / "services/bank/bankd").exists()), folders[-1])


class Programs:
    """Where the programs are, and how each is called."""

    def __init__(self, folder, atm_command=None):
        self._folder = Path(folder).resolve()
        self._atm_command = atm_command

    def path(self, name):
        path = self._folder / "services" / FOLDERS[name] / name
        assert path.exists(), f"{path} is not built"
        return path

    def bankd(self, folder, *options, listen="127.0.0.1:0", name="bankd"):
        folder = Path(folder)
        argv = [self.path("bankd"), "serve", "--data", folder / "bank.db", "--listen", listen]
        return Daemon(name, [*argv, "--ready-file", "{ready_file}", *options], folder)

    def atmd(self, bank_address, folder, *options):
        command = self._atm_command or ATMD.replace("{atmd}", str(self.path("atmd")))
        atm = atm_daemon(command, bank_address, folder)
        atm.argv += options
        return atm

    def adderd(self, folder, *options):
        argv = [self.path("adderd"), "--listen", "127.0.0.1:0", "--ready-file", "{ready_file}", *options]
        return Daemon("adderd", argv, folder)

    async def run(self, name, *arguments, **options):
        return await run(self.path(name), *arguments, **options)


class Bank:
    """bankd with the talk's customers. Entered, it serves; it can be killed and started again."""

    def __init__(self, programs, folder):
        self.programs, self.folder = programs, Path(folder)
        self.customers = {each.name: each for each in bank.customers()}
        self.bankd = programs.bankd(self.folder / "bank")

    async def __aenter__(self):
        try:
            await self._open()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_):
        await self.bankd.kill()

    async def _open(self):
        await self.bankd.start()
        self.bankd.stay_at_its_address()
        async with await self.operator() as operator:
            await operator.add_terminal(TERMINAL)
            for customer in self.customers.values():
                await operator.welcome(customer)

    async def operator(self):
        return await Operator.of(self.bankd.address)


class House(Bank):
    """The bank and an ATM with cash, atmd. Entered, the ATM is in service."""

    def __init__(self, programs, folder, between=None):
        super().__init__(programs, folder)
        self._between = between  # A Proxy that atmd is sent through.
        self.atmd = None

    async def _open(self):
        await super()._open()
        bank_address = self.bankd.address
        if self._between is not None:
            self._between.target, bank_address = bank_address, self._between.address
        self.atmd = self.programs.atmd(bank_address, self.folder / "atm")
        await self.atmd.start()
        self.atmd.stay_at_its_address()
        await open_for_business(self.atmd.address)

    async def __aexit__(self, *_):
        if self.atmd is not None:
            await self.atmd.kill()
        await super().__aexit__()

    async def staff(self):
        return await Staff.of(self.atmd.address)

    async def customer(self, name):
        person = self.customers[name]
        return await Customer.before(self.atmd.address, person.card, person.pin)


async def verify(house):
    """Stops bankd, and has it check its own file."""
    assert await house.bankd.terminate() == 0
    ended = await house.programs.run("bankd", "verify", "--data", house.folder / "bank/bank.db")
    assert ended.code == 0, ended.err + ended.out


async def stands_still(daemon, seconds):
    """Stops the process for so long: whoever asks it meanwhile hears nothing."""
    async with await RpcClient.connect(daemon.address) as caller:
        daemon.pause()
        try:
            await caller.stub(HealthService).Check(deadline=seconds)
            raise AssertionError(f"{daemon.name} answers while it stands still")
        except RpcError as error:
            assert error.code == Code.DEADLINE_EXCEEDED
        finally:
            daemon.resume()
