"""The machine: processes on their cores, what the kernel counts of them, and what others take."""

import contextlib
import ctypes
import mmap
import os
import pathlib
import signal
import socket
import struct
import subprocess
import time

SERVER_CORE, LOAD_CORE = 0, 1
STEAL_MAX_PERCENT = 1.0
MEMORY_KEPT_MAX = 4 * 2**30


class Failed(Exception):
    """Something that was started did not do what it should."""


def _pin(core, clock=None):
    """For the child, before its program begins; `clock`, a pipe, is told when that is."""

    def in_child():
        os.sched_setaffinity(0, {core})
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: nothing outlives the comparison.
        if clock is not None:
            os.write(clock, struct.pack("d", time.monotonic()))

    return in_child


def run(command, core=LOAD_CORE, timeout=600, **options):
    """Runs to its end on a core; gives what it printed."""
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=timeout,
        preexec_fn=_pin(core),
        **options,
    )
    if done.returncode != 0:
        raise Failed(f"{command[0]} exited {done.returncode}: {done.stderr.strip()[-400:]}")
    return done.stdout


def spawn(command, log, core=SERVER_CORE, clock=None, **options):
    """Starts a server on its core. What it says goes to the file, as it would to a journal."""
    with open(log, "ab") as file:
        return subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=file, stderr=file,
            preexec_fn=_pin(core, clock), **options,
        )  # fmt: skip


def stop(process, how=signal.SIGTERM):
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


def connect(port, process, timeout=20):
    """A connection as soon as somebody listens."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", port), timeout)
        if process.poll() is not None:
            raise Failed(f"{process.args[0]} ended with {process.returncode} before it listened")
        time.sleep(0.0002)
    raise Failed(f"{process.args[0]} does not listen")


def _tree(pid):
    yield pid
    for thread in pathlib.Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):
            for child in (thread / "children").read_text().split():
                yield from _tree(int(child))


def cpu_seconds(pid):
    """What a process and its children that still run have computed."""
    total = 0
    for each in _tree(pid):
        for thread in pathlib.Path(f"/proc/{each}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                total += int(thread.read_text().split()[0])
    return total / 1e9


def rss_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise Failed(f"process {pid} has no memory")


def go_ahead():
    """Before all others that wait for a processor. The disk is still everybody's."""
    os.setpriority(os.PRIO_PROCESS, 0, -20)
    with contextlib.suppress(PermissionError):
        os.setsid()
    group = pathlib.Path("/proc/self/autogroup")
    if group.exists():
        group.write_text("-20")


def keep_memory():
    """Keeps some gigabytes with this machine for as long as the mapping lives that it gives. A virtual machine's free memory may
    be with its host, block by block of 2 MiB (Linux: page_reporting.c); to get it back costs ten times what a page costs else
    (20 us against 1.6 where this was found), and whoever needs memory first would pay it. So all is touched once and all but a page
    of each MiB given back: no free block is large enough for the host."""
    mib = 2**20
    size = min(MEMORY_KEPT_MAX, _available_memory() // 4) // mib * mib
    kept = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):  # A kernel without them.
        kept.madvise(mmap.MADV_NOHUGEPAGE)
    for page in range(0, size, mmap.PAGESIZE):
        kept[page] = 1
    for piece in range(0, size, mib):
        kept.madvise(mmap.MADV_DONTNEED, piece + mmap.PAGESIZE, mib - mmap.PAGESIZE)
    return kept


def _available_memory():
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise Failed("/proc/meminfo does not say how much memory is available")


class Watch:
    """What happened on the machine between two moments: steal, and others' work."""

    def __init__(self):
        self._before, self._own = self._read(), os.times()

    @staticmethod
    def _read():
        with open("/proc/stat", encoding="ascii") as stat:
            return [int(ticks) for ticks in stat.readline().split()[1:9]]

    def steal_percent(self):
        passed = [after - before for after, before in zip(self._read(), self._before)]
        return 100.0 * passed[7] / max(1, sum(passed))

    def others_percent(self):
        """Of all cores: what neither we nor our children that have ended computed."""
        passed = [after - before for after, before in zip(self._read(), self._before)]
        idle, all_ticks = passed[3] + passed[4], max(1, sum(passed))
        own = sum(os.times()[:4]) - sum(self._own[:4])
        return max(0.0, 100.0 * ((all_ticks - idle) - own * os.sysconf("SC_CLK_TCK")) / all_ticks)


def describe():
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    system = next(
        line.split("=", 1)[1].strip('"')
        for line in pathlib.Path("/etc/os-release").read_text().splitlines()
        if line.startswith("PRETTY_NAME=")
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processors": f"{os.cpu_count()} x {model}",
        "memory_gib": round(memory),
        "system": f"{system}, Linux {os.uname().release}",
    }


def filesystem(folder):
    """What the durable rows are written to."""
    words = subprocess.run(["df", "--output=fstype", str(folder)], capture_output=True, text=True, check=True)
    return words.stdout.split()[-1]
