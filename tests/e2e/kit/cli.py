"""The command lines as a person uses them: teller before the ATM, bankctl beside bank and ATM."""

import json
from pathlib import Path


class Cli:
    def __init__(self, programs, folder, bank_address="", atm_address=""):
        self._programs, self._folder = programs, Path(folder)
        self._bank, self._atm = bank_address, atm_address
        self._folder.mkdir(parents=True, exist_ok=True)
        self.environment = {"XDG_STATE_HOME": str(self._folder / "state"), "NO_COLOR": "1"}

    @classmethod
    def of(cls, house):
        return cls(house.programs, house.folder / "cli", house.bankd.address, house.atmd.address)

    def pin_file(self, pin):
        path = self._folder / f"pin-{pin}"
        path.write_text(pin + "\n")
        return path

    def teller_argv(self, person, *words):
        """The command line without a way to give the PIN."""
        return [self._programs.path("teller"), "--atm", self._atm, "--card", person.card, *words]

    async def teller(self, person, *words, **options):
        return await self.run("teller", "--atm", self._atm, "--card", person.card, "--pin-file",
                              self.pin_file(person.pin), *words, **options)

    async def bankctl(self, *words, **options):
        return await self.run("bankctl", "--bank", self._bank, "--atm", self._atm, *words, **options)

    async def run(self, program, *words, env=None, **options):
        return await self._programs.run(program, *words, env={**self.environment, **(env or {})}, **options)


def says(ended, code, *words):
    """It ended with this code and one sentence for people, in which these words occur."""
    assert ended.code == code, (ended.out, ended.err)
    assert ended.err.count("\n") == 1, repr(ended.err)
    assert len(ended.err) < 400
    for word in words:
        assert word in ended.err, ended.err


def data(ended):
    """What --json printed, of a command that did what it was asked."""
    assert ended.code == 0, (ended.out, ended.err)
    return json.loads(ended.out)
