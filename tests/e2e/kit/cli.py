"""The command lines as a person uses them: teller before the ATM, bankctl beside bank and ATM."""

import json
import os
import shlex
from pathlib import Path

import pexpect

from .poll import until


class Cli:
    def __init__(self, programs, folder, bank_address="", atm_address=""):
        self._programs, self._folder = programs, Path(folder)
        self._bank, self._atm = bank_address, atm_address
        self._folder.mkdir(parents=True, exist_ok=True)
        # What the person's own machine says must not matter.
        self.environment = {"HOME": str(self._folder), "XDG_STATE_HOME": str(self._folder / "state"), "NO_COLOR": "1"}

    @classmethod
    def of(cls, house):
        return cls(house.programs, house.folder / "cli", house.bankd.address, house.atmd.address)

    def pin_file(self, pin):
        path = self._folder / f"pin-{pin}"
        path.write_text(pin + "\n")
        return path

    async def teller(self, person, *words, pin=None, **options):
        pin_file = self.pin_file(pin or person.pin)
        return await self.run(
            "teller", "--atm", self._atm, "--card", person.card, "--pin-file", pin_file, *words, **options
        )

    def session(self, person=None, *words, redirection=""):
        """teller at a terminal: a pexpect process, before its first question. Without words it is a session, and without a
        person it has no card. The redirection is a shell's."""
        argv = self.argv("teller", person, *words)
        environment = {**os.environ, **self.environment}
        shell = ["-c", f'exec "$@" {redirection}', "sh", *argv]
        return pexpect.spawn("/bin/sh", shell, env=environment, timeout=10, encoding="utf-8")

    def argv(self, program, person, *words):
        """The program with what it must know of where it is; teller also of whose card it has."""
        addresses = ["--atm", self._atm] + (["--bank", self._bank] if program == "bankctl" else [])
        card = ["--card", person.card] if person else []
        return [str(self._programs.path(program)), *addresses, *card, *words]

    def shell(self):
        """A shell with job control on a terminal of its own: a pexpect process that prompts `shell> `."""
        environment = {**os.environ, **self.environment, "PS1": "shell> ", "ENV": ""}
        shell = pexpect.spawn("/bin/sh", ["-i"], env=environment, timeout=10, encoding="utf-8")
        shell.expect_exact("shell> ")
        return shell

    def command_line(self, program, *words):
        """As it is typed into shell()."""
        return shlex.join(str(word) for word in (self._programs.path(program), *words))

    async def bankctl(self, *words, **options):
        return await self.run("bankctl", "--bank", self._bank, "--atm", self._atm, *words, **options)

    async def audit(self, *words):
        """`bankctl atm audit`, once no cash is on its way any more, nor word of it."""

        async def compared():
            ended = await self.bankctl(*words, "atm", "audit")
            return ended if ended.code != os.EX_UNAVAILABLE else None

        return await until(compared, "an audit that compares with the bank")

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
