"""Programs under test: daemons that are started, found by their ready file, stopped or killed; commands that are run."""

import asyncio
import os
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from kit.poll import until

READY_WITHIN_S = 30.0
EXIT_WITHIN_S = 15.0
COMMAND_WITHIN_S = 60.0  # For what hangs, not for what is slow: a command may be a suite of tests.
ANY_ADDRESS = "127.0.0.1:0"


class Daemon:
    """A daemon of one command line. It can be started again after it has ended; its logs are kept, one file a start.

    `argv` may hold "{ready_file}": the daemon writes one line HOST:PORT for each listener into it once it serves.
    """

    def __init__(self, name, argv, folder, env=None):
        self.name, self.folder = name, Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ready_file = self.folder / f"{name}.ready"
        self.argv = [str(each).replace("{ready_file}", str(self._ready_file)) for each in argv]
        self.env = {**os.environ, **(env or {})}
        self._starts = 0
        self.process = None
        self.addresses = []

    async def start(self):
        """Returns when it is ready; fails at once, with its log, if it ends before that."""
        await self.spawn()
        return await self.ready()

    async def spawn(self):
        assert self.process is None, f"{self.name} is running"
        self._ready_file.unlink(missing_ok=True)
        self._starts += 1
        with open(self._log_file(), "wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.argv, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=self.env, cwd=self.folder
            )

    async def ready(self):
        def is_ready():
            if self.process.returncode is not None:
                raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.log}")
            return self._ready_file.exists()

        await until(is_ready, f"{self.name} serves (its log: {self._log_file()})", READY_WITHIN_S)
        self.addresses = self._ready_file.read_text().split()
        return self

    @property
    def address(self):
        return self.addresses[0]

    def stay_at_its_address(self):
        """Its next starts listen where this one does."""
        self.argv = [self.address if each == ANY_ADDRESS else each for each in self.argv]

    @property
    def running(self):
        return self.process is not None and self.process.returncode is None

    def _log_file(self):
        return self.folder / f"{self.name}.{self._starts}.log"

    @property
    def log(self):
        """What it has logged since its last start."""
        return self._log_file().read_text(errors="replace") if self._starts else ""

    async def ended(self, within=EXIT_WITHIN_S):
        """Waits for its end and returns its exit code: -N after signal N."""
        try:
            code = await asyncio.wait_for(self.process.wait(), within)
        except asyncio.TimeoutError:
            raise AssertionError(f"{self.name} still runs after {within:g} s:\n{self.log}") from None
        self.process = None
        return code

    async def terminate(self, within=EXIT_WITHIN_S):
        """SIGTERM: it drains and ends."""
        self.process.send_signal(signal.SIGTERM)
        return await self.ended(within)

    async def kill(self):
        """SIGKILL, as a power cut would."""
        if self.running:
            self.process.kill()
        if self.process is not None:
            await self.ended()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def is_paused(self):
        state = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "T"

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    async def __aenter__(self):
        return await self.start()

    async def __aexit__(self, *_):
        await self.kill()


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


async def run(*argv, given="", env=None, cwd=None, within=COMMAND_WITHIN_S):
    """Runs a command to its end, with `given` on its standard input."""
    process = await asyncio.create_subprocess_exec(
        *map(str, argv),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        start_new_session=True,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(given.encode()), within)
    except asyncio.TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)  # With all that it has started, which may hold the pipes.
        await process.wait()
        raise AssertionError(f"{argv} still runs after {within:g} s") from None
    return Ended(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))


def taken_port():
    """A listening socket of the test's own: close it to free its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, "127.0.0.1:%d" % listener.getsockname()[1]


def address_nobody_listens_on():
    """Free a moment ago. For what must fail to connect; nothing should be started on it."""
    listener, address = taken_port()
    listener.close()
    return address
