"""The talk's final scene: a bank, an ATM beside it as a program of its own, and customers before the ATM."""

import shlex
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from kit import bank
from kit.customer import Customer, Staff
from kit.process import Daemon
from kit.status import Code, RpcError

TERMINAL = "atm-1"
TOUR = Path(__file__).resolve().parents[3] / "docs/tour"


def atm_daemon(command, bank_address, folder, listen="127.0.0.1:0"):
    """An ATM as a child process, not started yet. README.md describes what `command` may hold and must do."""
    values = {
        "{bank}": bank_address,
        "{listen}": listen,
        "{dir}": str(folder),
        "{terminal}": TERMINAL,
        "{python}": sys.executable,
    }
    argv = shlex.split(command)
    for placeholder, value in values.items():
        argv = [each.replace(placeholder, value) for each in argv]
    return Daemon("atm", argv, folder)


SCRIPTED_ATM = (
    f"{{python}} {TOUR / '09_atm.py'} --bank {{bank}} --listen {{listen}} --ready-file {{ready_file}}"
)


async def open_for_business(atm_address, cassettes=((20, 50), (10, 50))):
    """Waits until the ATM is in service, and staff fill it. An ATM without staff service sees to that itself."""
    async with await Staff.of(atm_address) as staff:
        try:
            await staff.in_service()
            for position, (denomination, count) in enumerate(cassettes, start=1):
                await staff.load(position, denomination, count)
        except RpcError as error:
            if error.code != Code.UNIMPLEMENTED:
                raise


class Stage:
    """An ATM with cash in it and the talk's three customers."""

    def __init__(self, atm_address, customers=None):
        self.atm_address = atm_address
        self.customers = {each.name: each for each in customers or bank.customers()}

    @asynccontextmanager
    async def customer(self, name):
        person = self.customers[name]
        async with await Customer.before(self.atm_address, person.card, person.pin) as customer:
            yield customer
