"""The durable peers: a file, SQLite, PostgreSQL, Redis."""

import contextlib
import json
import os
import pathlib
import re
import signal

from side import machine, peers

_TRANSFER = peers.SOURCES / "durable"


def append(record_bytes, group, seconds):
    """Appends with one fdatasync a group: the ceiling of the disk."""
    with peers.folder() as where:
        command = [peers.PEERS / "append", where / "file", record_bytes, group, seconds]
        return json.loads(machine.run(command, core=machine.SERVER_CORE))["flows"][0]


def sqlite(group, seconds):
    with peers.folder() as where:
        command = [peers.PEERS / "plain_sqlite", where / "file.db", group, seconds]
        return json.loads(machine.run(command, core=machine.SERVER_CORE))["flows"][0]


_REDIS = """
bind 127.0.0.1
save ""
appendonly yes
appendfsync always
auto-aof-rewrite-percentage 0
"""


@contextlib.contextmanager
def redis():
    """Redis with every write synced before its reply, 10,000 accounts, and the transfer as a script."""
    with peers.folder() as where:
        port = machine.free_port()
        (where / "redis.conf").write_text(_REDIS)
        command = ["redis-server", where / "redis.conf", "--port", port, "--dir", where]
        process = machine.spawn(command, where / "log")
        try:
            machine.connect(port, process).close()
            client = ["redis-cli", "-p", port]
            fill = "for i = 0, 9999 do redis.call('SET', 'a' .. i, 1000000000000) end return 1"
            machine.run([*client, "EVAL", fill, 0])
            script = machine.run([*client, "SCRIPT", "LOAD", (_TRANSFER / "transfer.lua").read_text()]).strip()
            server = peers.Server(process, port, where)
            server.script = script
            yield server
        finally:
            machine.stop(process)


def redis_posts(server, clients, pipelined, seconds):
    """redis-benchmark has no duration: it is told a number of calls, found by a short run before."""

    def calls(number):
        command = ["redis-benchmark", "-p", server.port, "-c", clients, "-P", pipelined, "-n", number]
        command += ["-r", 2_000_000_000, "--csv", "EVALSHA", server.script, 0, *["__rand_int__"] * 3]
        header, row = machine.run(command).strip().splitlines()[-2:]
        return dict(zip(json.loads(f"[{header}]"), json.loads(f"[{row}]")))

    rate = float(calls(max(500, 40 * clients * pipelined))["rps"])
    before = machine.cpu_seconds(server.pid)
    number = int(rate * seconds)
    found = calls(number)
    computed = machine.cpu_seconds(server.pid) - before
    kept = int(machine.run(["redis-cli", "-p", server.port, "DBSIZE"])) - 10_000
    if kept < 0.99 * number:
        raise machine.Failed(f"Redis kept {kept} transfers of {number}")
    return {
        "done": number,
        "per_second": float(found["rps"]),
        "p50_us": 1e3 * float(found["p50_latency_ms"]),
        "p99_us": 1e3 * float(found["p99_latency_ms"]),
        "server_cpu_us": 1e6 * computed / number,
    }


_POSTGRES = """
listen_addresses = ''
unix_socket_directories = '{where}'
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = 1GB
wal_level = minimal
max_wal_senders = 0
wal_buffers = 64MB
max_wal_size = 8GB
checkpoint_timeout = 30min
autovacuum = on
jit = off
max_connections = 100
"""


def _postgres_bin():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        raise machine.Failed("there is no PostgreSQL")
    return found[-1]


def _as_postgres(*command):
    """PostgreSQL does not run as root."""
    words = [str(word) for word in command]
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *words] if os.geteuid() == 0 else words


class Cluster:
    """A PostgreSQL with 10,000 accounts. It is made once, and runs only while it is measured."""

    def __init__(self, where):
        self.folder, self.programs = where, _postgres_bin()
        where.chmod(0o777)
        self.environment = {**os.environ, "LC_ALL": "C", "PGHOST": str(where), "PGDATABASE": "postgres", "PGUSER": "postgres"}
        for name in ("PGDATA", "PGPORT"):
            self.environment.pop(name, None)
        self.data = where / "data"
        self._do(*_as_postgres(self.programs / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust"))
        with open(self.data / "postgresql.conf", "a", encoding="ascii") as settings:
            settings.write(_POSTGRES.format(where=where))
        with self.running():
            self._do(self.programs / "psql", "-q", "-f", _TRANSFER / "schema.sql")
            self._do(self.programs / "pgbench", "-i", "-q", "-s", "10")

    def _do(self, *command):
        return machine.run(command, env=self.environment, cwd=self.folder)

    @contextlib.contextmanager
    def running(self):
        command = _as_postgres(self.programs / "postgres", "-D", self.data)
        process = machine.spawn(command, self.folder / "log", env=self.environment, cwd=self.folder)
        try:
            self._do("timeout", "20", "sh", "-c", f"until {self.programs}/pg_isready -q; do sleep 0.05; done")
            self.pid = process.pid
            yield self
        finally:
            machine.stop(process, how=signal.SIGINT)  # A fast shutdown.

    def posts(self, clients, seconds, simple_update=False):
        """Durable transfers, one prepared statement each; or pgbench's own -N."""
        what = ["-N"] if simple_update else ["-f", _TRANSFER / "transfer.sql"]
        self._do(self.programs / "psql", "-q", "-c", "TRUNCATE transfer", "-c", "CHECKPOINT")
        command = [self.programs / "pgbench", "-M", "prepared", "-n", "-c", clients, "-T", max(1, round(seconds))]
        said = self._do(*command, *what)
        return {
            "done": int(re.search(r"actually processed: (\d+)", said)[1]),
            "per_second": float(re.search(r"tps = ([\d.]+) ", said)[1]),
            "mean_us": 1e3 * float(re.search(r"latency average = ([\d.]+) ms", said)[1]),
        }
