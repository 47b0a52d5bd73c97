"""The built programs, and a whole house of them: bankd with the talk's customers, atmd with cash."""

from pathlib import Path

from kit import bank
from kit.customer import Customer, Staff
from kit.operator import Operator
from kit.process import Daemon, run
from kit.stage import TERMINAL, atm_daemon

FOLDERS = {"bankd": "bank", "atmd": "atm", "teller": "teller", "bankctl": "bankctl", "adderd": "adder", "adder": "adder"}
ATMD = (
    "{atmd} serve --bank {bank} --listen {listen} --data {dir}/data --terminal {terminal} --ready-file {ready_file}"
)


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
        argv = [self.path("bankd"), "serve", "--data", folder / "data", "--listen", listen]
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


class House:
    """bankd and atmd, whose customers are the talk's. Entered, it is open for business; each can be killed and restarted."""

    def __init__(self, programs, folder, between=None):
        self.programs, self.folder = programs, Path(folder)
        self._between = between  # A Proxy that atmd is sent through.
        self.customers = {each.name: each for each in bank.customers()}
        self.bankd = programs.bankd(self.folder / "bank")
        self.atmd = None

    async def __aenter__(self):
        try:
            await self._open()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def _open(self):
        await self.bankd.start()
        # From now on at the address that atmd knows.
        self.bankd.argv[self.bankd.argv.index("--listen") + 1] = self.bankd.address
        async with await self.operator() as operator:
            await operator.add_terminal(TERMINAL)
            for customer in self.customers.values():
                await operator.welcome(customer)
        if self._between is not None:
            self._between.target = self.bankd.address
        bank_address = self.bankd.address if self._between is None else self._between.address
        self.atmd = self.programs.atmd(bank_address, self.folder / "atm")
        await self.atmd.start()
        async with await self.staff() as staff:
            await staff.in_service()
            await staff.load(1, 20, 50)
            await staff.load(2, 10, 50)

    async def __aexit__(self, *_):
        for daemon in (self.atmd, self.bankd):
            if daemon is not None:
                await daemon.kill()

    async def operator(self):
        return await Operator.of(self.bankd.address)

    async def staff(self):
        return await Staff.of(self.atmd.address)

    async def customer(self, name):
        person = self.customers[name]
        return await Customer.before(self.atmd.address, person.card, person.pin)
