"""The servers that are compared: how each is made, started and asked for balances."""

import contextlib
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time

from side import machine

ROOT = pathlib.Path(__file__).resolve().parents[3]
SOURCES = ROOT / "tests/bench/peers"
RELEASE = ROOT / os.environ.get("BENCH_BUILD", "build/release")
PEERS = ROOT / "build/peers"
SEEDS = ROOT / "build/bench-seeds"
LOAD = RELEASE / "tests/bench/load"
SCRATCH = pathlib.Path(os.environ.get("BENCH_FOLDER", "/var/tmp"))


def install():
    """The Debian packages of Teller's build and of the peers."""
    subprocess.run([ROOT / "deploy/install", "build", "test", "bench"], check=True)


def _quietly(*command, **options):
    done = subprocess.run(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options
    )
    if done.returncode != 0:
        raise machine.Failed(f"{command[0]} failed:\n" + done.stdout[-3000:])


def build():
    """Ours as released, and the peers."""
    _quietly("cmake", "--preset", "release", "--log-level=WARNING", cwd=ROOT)
    _quietly("cmake", "--build", RELEASE, "--target", "bench", "bankctl")
    _quietly("cmake", "-S", SOURCES, "-B", PEERS, "-G", "Ninja", "--log-level=WARNING")
    _quietly("cmake", "--build", PEERS)
    _quietly("go", "build", "-o", PEERS / "go_netrpc", "balance.go", cwd=SOURCES / "go", env={**os.environ, "GO111MODULE": "off"})
    python = PEERS / "python"
    python.mkdir(exist_ok=True)
    protos = [f"{name}.proto" for name in ("bank/v1/bank", "bank/v1/money", "bank/v1/refusal", "rpc/v1/envelope")]
    _quietly("protoc", f"-I{ROOT}/proto", f"--python_out={python}", *protos)


@contextlib.contextmanager
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="teller-compare-", dir=SCRATCH))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def seeded(accounts=10_000, transfers=0, unprojected=0, cards=1_000):
    """A bank's database, made once for each size."""
    SEEDS.mkdir(parents=True, exist_ok=True)
    path = SEEDS / f"{accounts}-{cards}-{transfers}-{unprojected}.db"
    if not path.exists():
        new = path.with_suffix(".new")
        for left in SEEDS.glob(new.name + "*"):
            left.unlink()
        sizes = {"accounts": accounts, "cards": cards, "transfers": transfers, "unprojected": unprojected}
        words = [word for name, size in sizes.items() for word in (f"--{name}", size)]
        machine.run([RELEASE / "tests/bench/seed", new, *words], timeout=3600)
        new.rename(path)
    return path


class Server:
    def __init__(self, process, port, folder_, cards=1_000, accounts=10_000):
        self.process, self.port, self.folder = process, port, folder_
        self.pid = process.pid
        self.cards, self.accounts = cards, accounts


@contextlib.contextmanager
def served(command, port, where, **options):
    process = machine.spawn(command, where / "log", **options)
    try:
        machine.connect(port, process).close()
        yield Server(process, port, where)
    finally:
        machine.stop(process)


BANKD = RELEASE / "services/bank/bankd"


@contextlib.contextmanager
def teller(preload=None, data=None, **sizes):
    """bankd as released, with its defaults: on a fresh copy of a database, or on `data` itself."""
    with folder() as where:
        if data is None:
            data = where / "bank.db"
            shutil.copyfile(seeded(**sizes), data)
        port = machine.free_port()
        environment = dict(os.environ, **(preload or {}))
        command = [BANKD, "serve", "--data", data, "--listen", f"127.0.0.1:{port}"]
        with served(command, port, where, env=environment) as server:
            server.accounts = sizes.get("accounts", 10_000)
            yield server


def _simple(*command, env=None):
    @contextlib.contextmanager
    def start():
        port = machine.free_port()
        with folder() as where:
            with served([*command, port], port, where, env={**os.environ, **(env or {})}) as server:
                yield server

    return start


_PYTHON = {"PYTHONPATH": str(PEERS / "python"), "PYTHONDONTWRITEBYTECODE": "1"}
SERVERS = {
    "teller": teller,
    "raw epoll": _simple(PEERS / "raw_epoll"),
    "grpc callback": _simple(PEERS / "grpc_callback_server"),
    "grpc async": _simple(PEERS / "grpc_async_server"),
    "asyncio streams": _simple("/usr/bin/python3", SOURCES / "python/streams.py", env=_PYTHON),
    "uvloop protocol": _simple("/usr/bin/python3", SOURCES / "python/uvloop_protocol.py", env=_PYTHON),
    "go net/rpc": _simple(PEERS / "go_netrpc", "serve", env={"GOMAXPROCS": "1"}),
    "cap'n proto": _simple(PEERS / "capnp_server"),
}
# Those that speak something of their own bring their own client.
_CLIENTS = {
    "grpc callback": [PEERS / "grpc_client"],
    "grpc async": [PEERS / "grpc_client"],
    "go net/rpc": [PEERS / "go_netrpc", "load"],
    "cap'n proto": [PEERS / "capnp_client"],
}
WARM_UP = 0.3


def load(server, *flows, seconds, warm_up=WARM_UP, verify=True, extra=()):
    """Our own load generator against a server that speaks our frames."""
    words = [LOAD, "--connect", f"127.0.0.1:{server.port}", "--server-pid", server.pid, "--seconds", seconds]
    words += ["--warm-up", warm_up, "--accounts", server.accounts, *extra]
    words += [word for flow in flows for word in ("--flow", flow)]
    if not verify:
        words.append("--no-verify")
    found = json.loads(machine.run(words, timeout=seconds + 120))
    for flow in found["flows"]:
        flow["server_cpu_us"] = found.get("server_cpu_us_each", 0.0)
    return found["flows"] if len(flows) > 1 else found["flows"][0]


def balances(name, server, connections, depth, seconds):
    """Rate, times and the server's processor time of so many balance inquiries."""
    if name not in _CLIENTS:
        flow = f"connections={connections},depth={depth}"
        return load(server, flow, seconds=seconds, verify=name == "teller")
    before = machine.cpu_seconds(server.pid)
    words = [*_CLIENTS[name], server.port, connections, depth, WARM_UP, seconds]
    found = json.loads(machine.run(words, timeout=seconds + 120, env={**os.environ, "GOMAXPROCS": "1"}))
    computed = machine.cpu_seconds(server.pid) - before
    return {**found["flows"][0], "server_cpu_us": 1e6 * computed / max(1, found["all_calls"])}


FRAME = bytes.fromhex(  # FRAMING.md's GetBalance, with a card that everybody has.
    "0052080112" "1e" + b"bank.v1.BankService/GetBalance".hex() + "1a2b0a05" + b"atm-1".hex()
    + "1210" + b"4000000000000002".hex() + "1a10" + "00" * 16 + "208827"
)  # fmt: skip


def start_to_first_reply(name, **sizes):
    """Seconds from the beginning of the program to the first reply's first byte, and its memory then. A start changes nothing, so
    it is done on the seeded database itself."""
    with folder() as where:
        port = machine.free_port()
        if name == "teller":
            command = [BANKD, "serve", "--data", seeded(**sizes), "--listen", f"127.0.0.1:{port}"]
            environment = None
        else:
            command, environment = ["/usr/bin/python3", SOURCES / "python/streams.py", port], {**os.environ, **_PYTHON}
        reader, clock = os.pipe()
        try:
            process = machine.spawn(command, where / "log", clock=clock, env=environment)
            (began,) = struct.unpack("d", os.read(reader, 8))
        finally:
            os.close(reader)
            os.close(clock)
        try:
            with machine.connect(port, process, timeout=600) as connection:
                connection.sendall(FRAME)
                if not connection.recv(1):
                    raise machine.Failed(f"{name} closed the connection")
            took = time.monotonic() - began
            return {"seconds": took, "rss_kib": machine.rss_kib(process.pid)}
        finally:
            machine.stop(process)
