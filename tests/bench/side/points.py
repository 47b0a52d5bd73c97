"""What can be measured: a point is a name and a function that measures it once, anew each time."""

import collections
import contextlib
import json
import os
import shutil
import sqlite3
import statistics
import struct
import subprocess
import threading
import time

from side import durable, machine, peers

SHAPES = {"1x1": (1, 1), "64x1": (64, 1), "16x64": (16, 64)}
PLENTY = 1_000_000  # Accounts, and a tenth of the transfers, of a bank with a history.
STARTS = 5  # For the median of one repetition.
POSTED_USES_MAX = 2  # Of one copy of a large bank: far fewer posts than the tables may lag (rows.LAG_BOUND).


class Bench:
    """What the points share: how long to measure, how large is large, and the PostgreSQL cluster."""

    def __init__(self, seconds=1.5, burst=5.0, sustained=60.0, scale=1.0):
        self.seconds, self.burst, self.sustained, self.scale = seconds, burst, sustained, scale
        self._close = contextlib.ExitStack()
        self._cluster, self._clients = None, None
        self._banks, self._uses = {}, collections.Counter()

    def close(self):
        self._close.close()

    def sizes(self, accounts=PLENTY, transfers=0, unprojected=0):
        def scaled(size):
            return int(self.scale * size)

        return {"accounts": max(1_000, scaled(accounts)), "transfers": scaled(transfers), "unprojected": scaled(unprojected)}

    def cluster(self):
        if self._cluster is None:
            self._cluster = durable.Cluster(self._close.enter_context(peers.folder()))
        return self._cluster

    def large_bank(self, mix, **sizes):
        """One copy for several uses: copying gigabytes before each would disturb what comes after. But what is posted is brought
        into the tables later, and when too much waits for that, it goes before new posts: after some uses, a new copy."""
        key = (mix, *sizes.values())
        if key not in self._banks:
            self._banks[key] = self._close.enter_context(peers.folder()) / "bank.db"
        path, uses = self._banks[key], self._uses[key]
        if uses == 0 or (mix == "post" and uses % POSTED_USES_MAX == 0):
            for old in path.parent.glob("bank.db*"):
                old.unlink()
            shutil.copyfile(peers.seeded(**sizes), path)
            os.sync()
        self._uses[key] += 1
        return path

    def best_clients(self):
        """With how many clients PostgreSQL is fastest here."""
        if self._clients is None:
            with self.cluster().running() as cluster:
                self._clients = max((8, 16, 32, 64), key=lambda clients: cluster.posts(clients, 2)["per_second"])
        return self._clients


POINTS = {}


def point(name):
    def add(measure):
        POINTS[name] = measure
        return measure

    return add


def _balance(name, connections, depth):
    def measure(bench):
        with peers.SERVERS[name]() as server:
            return peers.balances(name, server, connections, depth, bench.seconds)

    return measure


for _name in peers.SERVERS:
    for _shape, (_connections, _depth) in SHAPES.items():
        POINTS[f"balance {_shape} {_name}"] = _balance(_name, _connections, _depth)


def _posts(connections, depth, burst=False, **sizes):
    def measure(bench):
        with peers.teller(**sizes) as server:
            flow = f"connections={connections},depth={depth},mix=post"
            return peers.load(server, flow, seconds=bench.burst if burst else bench.seconds)

    return measure


# Posts against the number in flight, for the plots and for the rows.
for _shape, (_connections, _depth) in {**SHAPES, "16x1": (16, 1), "16x16": (16, 16), "64x64": (64, 64)}.items():
    POINTS[f"posts {_shape} teller"] = _posts(_connections, _depth, burst=_shape == "16x64")


@point("append 4 KiB")
def _append_one(bench):
    return durable.append(4096, 1, bench.seconds)


@point("append groups")
def _append_groups(bench):
    return durable.append(48, 1024, bench.seconds)


for _group in (1, 64, 1024):
    POINTS[f"sqlite {_group}"] = lambda bench, group=_group: durable.sqlite(group, bench.seconds)


def _redis(clients, pipelined, burst=False):
    def measure(bench):
        with durable.redis() as server:
            return durable.redis_posts(server, clients, pipelined, bench.burst if burst else bench.seconds)

    return measure


for _shape, (_connections, _depth) in SHAPES.items():
    POINTS[f"posts {_shape} redis"] = _redis(_connections, _depth, burst=_shape == "16x64")


@point("posts postgres")
def _postgres(bench):
    clients = bench.best_clients()
    with bench.cluster().running() as cluster:
        return {**cluster.posts(clients, max(2, bench.seconds)), "clients": clients}


@point("posts postgres -N")
def _postgres_simple(bench):
    clients = bench.best_clients()
    with bench.cluster().running() as cluster:
        return {**cluster.posts(clients, max(2, bench.seconds), simple_update=True), "clients": clients}


def _syncs(connections, depth):
    """Posts for each fdatasync or fsync that bankd calls, checkpoints and tables included."""

    def measure(bench):
        with peers.folder() as where:
            count = where / "syncs"
            preload = {"LD_PRELOAD": str(peers.PEERS / "libcount_syncs.so"), "COUNT_SYNCS": str(count)}
            with peers.teller(preload=preload) as server:

                def syncs():
                    return struct.unpack("=Q", count.read_bytes())[0]

                flow = f"connections={connections},depth={depth},mix=post"
                before = syncs()
                last = server.folder / "bank.db"
                posted = _last_seq(last)
                found = peers.load(server, flow, seconds=bench.seconds, warm_up=0)
                return {**found, "posts_per_sync": (_last_seq(last) - posted) / max(1, syncs() - before)}

    return measure


POINTS["syncs 64x1"] = _syncs(64, 1)
POINTS["syncs 16x64"] = _syncs(16, 64)


@contextlib.contextmanager
def _reading(path):
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        yield database
    finally:
        database.close()


def _last_seq(path):
    with _reading(path) as database:
        return database.execute("SELECT max(seq) FROM journal").fetchone()[0]


def _lag(path):
    with _reading(path) as database:
        return database.execute("SELECT (SELECT max(seq) FROM journal) - projected_through FROM meta").fetchone()[0]


@point("sustained teller")
def _sustained(bench):
    """60 s of posts, and each second how far the tables lag behind the journal."""
    lags, stop = [], threading.Event()
    with peers.teller() as server:

        def watch():
            while not stop.wait(bench.sustained / 60):
                with contextlib.suppress(sqlite3.OperationalError):
                    lags.append(_lag(server.folder / "bank.db"))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            found = peers.load(server, "connections=16,depth=64,mix=post", seconds=bench.sustained, warm_up=0)
        finally:
            stop.set()
            watcher.join()
    middle, end = lags[len(lags) * 2 // 5 : len(lags) * 3 // 5], lags[len(lags) * 4 // 5 :]
    return {
        **found,
        "lags": lags,
        "lag_max": max(lags, default=0),
        "lag_growth": (1 + sum(end) / max(1, len(end))) / (1 + sum(middle) / max(1, len(middle))),
    }


@point("sustained redis")
def _sustained_redis(bench):
    with durable.redis() as server:
        return durable.redis_posts(server, 16, 64, min(bench.sustained, 20))


def _inquiries(posts_at_once=None):
    """Balance inquiries in an open loop, alone or beside 20,000 posts a second, which come so many at once. A wake of the generator
    for each would take so much that a machine whose host limits its time, the disk's included, is stopped for it again and again."""

    def measure(bench):
        with peers.teller() as server:
            flows = ["name=balance,connections=8,depth=8,rate=2000"]
            if posts_at_once:
                flows.append(f"name=post,connections=16,depth=64,mix=post,rate=20000,at-once={posts_at_once}")
            found = peers.load(server, *flows, seconds=2 * bench.seconds)
            return found[0] if posts_at_once else found

    return measure


POINTS["inquiries alone"] = _inquiries()
POINTS["inquiries beside posts"] = _inquiries(posts_at_once=32)
POINTS["inquiries beside single posts"] = _inquiries(posts_at_once=1)


@point("withdrawals teller")
def _withdrawals(bench):
    """64 terminals of one atmd, a customer in a session at each: whole withdrawals of a note."""
    terminals = 64
    names = ",".join(f"t-{number:04}" for number in range(terminals))
    with peers.teller() as bank, peers.folder() as where:
        port = machine.free_port()
        atmd = [peers.RELEASE / "services/atm/atmd", "serve", "--bank", f"127.0.0.1:{bank.port}"]
        atmd += ["--data", where / "atm", "--terminal", names, "--listen", f"127.0.0.1:{port}"]
        with peers.served(atmd, port, where) as server:
            bankctl = [peers.RELEASE / "services/bankctl/bankctl", "--atm", f"127.0.0.1:{port}", "atm", "load"]
            for number in range(terminals):
                machine.run([*bankctl, 1, "9000x20", "--terminal", f"t-{number:04}"])
            before = machine.cpu_seconds(bank.pid)
            flow = f"connections={terminals},mix=withdraw"
            found = peers.load(server, flow, seconds=2 * bench.seconds, verify=False, extra=["--atm"])
            found["bank_cpu_us"] = 1e6 * (machine.cpu_seconds(bank.pid) - before) / max(1, found["done"])
            return found


@point("idle connections teller")
def _idle_teller(bench):
    number = int(10_000 * bench.scale) - 1
    with peers.teller() as server:
        words = [peers.LOAD, "--connect", f"127.0.0.1:{server.port}", "--server-pid", server.pid, "--idle", number]
        return json.loads(machine.run(words))


def _idle_grpc(name):
    def measure(bench):
        number = int(10_000 * bench.scale)
        with peers.SERVERS[name]() as server:
            peers.balances(name, server, 1, 1, 0.2)
            before = machine.rss_kib(server.pid)
            command = [str(word) for word in (peers.PEERS / "grpc_client", server.port, number, 1, 0, 0)]
            client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            try:
                client.stdout.readline()
                after = machine.rss_kib(server.pid)
            finally:
                client.stdin.close()
                client.wait()
            return {"kib_per_connection": (after - before) / number}

    return measure


for _name in ("grpc callback", "grpc async"):
    POINTS[f"idle connections {_name}"] = _idle_grpc(_name)


def _start(name):
    """A start takes some milliseconds, so one alone says little."""

    def measure(bench):
        runs = [peers.start_to_first_reply(name) for _ in range(STARTS)]
        return {figure: statistics.median(run[figure] for run in runs) for figure in runs[0]}

    return measure


for _name in ("teller", "asyncio streams"):
    POINTS[f"start {_name}"] = _start(_name)


@point("start with a history")
def _start_large(bench):
    return peers.start_to_first_reply("teller", **bench.sizes(transfers=10 * PLENTY))


@point("replay")
def _replay(bench):
    """A start that finds 1,000,000 records that the tables do not have, against one that finds none."""
    sizes = bench.sizes(accounts=10_000, unprojected=PLENTY)
    took = peers.start_to_first_reply("teller", **sizes)["seconds"]
    bare = peers.start_to_first_reply("teller", **{**sizes, "unprojected": 0})["seconds"]
    return {"per_second": sizes["unprojected"] / max(1e-3, took - bare), "seconds": took}


def _with_history(mix, transfers):
    def measure(bench):
        sizes = bench.sizes(transfers=transfers)
        with peers.teller(data=bench.large_bank(mix, **sizes), **sizes) as server:
            return peers.load(server, f"connections=16,depth=64,mix={mix}", seconds=bench.seconds)

    return measure


for _mix in ("balance", "post"):
    POINTS[f"{_mix} empty bank"] = _with_history(_mix, 0)
    POINTS[f"{_mix} with a history"] = _with_history(_mix, 10 * PLENTY)


@point("survive")
def _survive(bench):
    """kill -9 under load, and every change that was acknowledged is asked for."""
    said = machine.run([peers.ROOT / "tests/bench/survive", 3], env={**os.environ, "BENCH_BUILD": str(peers.RELEASE)})
    rounds = [json.loads(line.split(": ", 1)[1]) for line in said.splitlines() if line.startswith("round ")]
    return {"acknowledged": sum(each["acknowledged"] for each in rounds), "lost": sum(each["lost"] for each in rounds)}


class Disturbed(Exception):
    """The machine was taken away too often."""


def measure(name, bench, tries=12):
    """One undisturbed run: one with more than 1 % steal is repeated, later and later."""
    for number in range(tries):
        os.sync()  # What the point before this one left to be written would be written during this one.
        watch = machine.Watch()
        began = time.monotonic()
        found = POINTS[name](bench)
        found["steal_percent"], found["others_percent"] = watch.steal_percent(), watch.others_percent()
        found["took"] = time.monotonic() - began
        if found["steal_percent"] <= machine.STEAL_MAX_PERCENT:
            return found
        time.sleep(0.5 * number)
    raise Disturbed(f"'{name}' was disturbed {tries} times: {found['steal_percent']:.1f} % of the machine was stolen")
