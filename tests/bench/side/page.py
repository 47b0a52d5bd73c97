"""Writes docs/performance.md and its plots from what was measured; docs/performance.json remembers it between runs."""

import json
import statistics

from side import plots, rows

_INTRODUCTION = """# Performance

*Measured by `tests/bench/compare`, which writes this page; do not edit it. Machines differ, so every target is a ratio
against a peer that did the same work in the same run, and what counts is the median of {pairs} pairs or more.*

{processors}, {memory_gib} GiB, {system}, {filesystem}. Servers run on one core, loads on the other, over loopback. Teller
runs as released: the release preset, its default options, its log into a file. Others' work on the machine took
{others:.1f} % of it meanwhile, and what was disturbed by more than 1 % steal was run again. Enough memory was in the machine's
own hands before: a virtual machine pays its host for what it has not used lately.

## Targets

{held} of {count} hold.

"""

_PEERS = """
## What each peer does more, and less

| peer | more than Teller | less than Teller |
| --- | --- | --- |
| raw C epoll + protobuf | | no deadlines, limits, cancels, other methods or tokens; knows one message only |
| gRPC C++, callback and async | HTTP/2: flow control, headers, metadata; TLS when asked | asks for no token |
| asyncio streams, uvloop protocol | | as raw epoll; Teller's frames in Python |
| Go net/rpc (gob) | describes its types on the wire | no deadlines, no limits |
| Cap'n Proto | object capabilities, promise pipelining | no deadlines, asks for no token |
| append-only file, fdatasync | | no rules, no ids, no network: zeros on a disk |
| PostgreSQL | its figure includes the index of ids and all tables, which Teller in a burst brings up to date afterwards; any query | no hash chain, no holds, limits or refusals; no network protocol of a bank (Unix socket) |
| Redis, `appendfsync always` | any key at once | no history or index beside the ids, no hash chain; rewrites its log sometime |
| plain SQLite | its figure includes the index of ids and all tables; any query | in one process, without a network; no hash chain |

Every acknowledged post survives `kill -9`: `tests/bench/survive` kills a bankd under load and asks the next one for every
change that was acknowledged.

## How it is measured

`tests/bench/load` is the generator for Teller's frames: closed loops (so many calls in flight on so many connections) and
open ones, whose latency counts from when a call should have begun, so that a stall is not left out. gRPC, Cap'n Proto, Go,
PostgreSQL (`pgbench -M prepared`, its best number of clients) and Redis (`redis-benchmark`) are loaded by their own clients.
*Server CPU per request* is what the scheduler counts of all the server's threads, divided by the requests. The file behind
the durable rows is in `BENCH_FOLDER` (`/var/tmp`). The 20,000 posts/s beside inquiries come 32 at once, from one of 16
connections after the other. A generator that wakes for each alone takes most of a core for itself, and a host that limits the
processor time of the machine and its disk together stops both cores for it: *inquiries beside single posts*, at the end.

    tests/bench/compare --quick --check      # Ten minutes.
    tests/bench/compare --list               # The rows; each can be measured by its name.
    tests/bench/try --flow connections=16,depth=64,mix=post      # One measurement, for development.
    tests/bench/instructions                 # The guard of CI: instructions, which do not depend on the machine's mood.
    tests/bench/profile                      # What the daemons do most, for the compiler of the release.
"""

_SHAPES = ("1x1", "64x1", "16x64")
_IN_FLIGHT = {"1x1": 1, "16x1": 16, "64x1": 64, "16x16": 256, "16x64": 1024, "64x64": 4096}
_WHO = ("teller", "raw epoll", "uvloop protocol", "asyncio streams", "go net/rpc", "grpc callback", "grpc async",
        "cap'n proto")  # fmt: skip


def _number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _condense(figures):
    """The median, least and most of every figure of every point."""
    points = {}
    for name, runs in figures["points"].items():
        numbers = [figure for figure, value in runs[0].items() if isinstance(value, (int, float))] if runs else []
        points[name] = {
            figure: [choose(run[figure] for run in runs) for choose in (lambda all_: statistics.median(list(all_)), min, max)]
            for figure in numbers
        }
    return points


def _merge(figures, path):
    """What was measured now over what was measured before."""
    known = json.loads(path.read_text()) if path.exists() else {"rows": {}, "points": {}}
    verdicts = {name: {**verdict, "at": figures["at"]} for name, verdict in figures["rows"].items()}
    names = {row.name for row in rows.ROWS}
    merged = {
        "machine": figures["machine"],
        "pairs": figures["pairs"],
        "rows": {name: verdict for name, verdict in {**known["rows"], **verdicts}.items() if name in names},
        "points": {**known["points"], **_condense(figures)},
    }
    path.write_text(json.dumps(merged, indent=1, sort_keys=True) + "\n")
    return merged


def _targets(verdicts):
    yield "| work | against | median | spread | target | | measured |"
    yield "| --- | --- | ---: | --- | ---: | --- | --- |"
    for row in rows.ROWS:
        verdict = verdicts.get(row.name)
        if verdict is None:
            yield f"| {row.work} | {row.against} | | | {row.sense} {row.limit:g} | not measured | |"
            continue
        spread = f"{_number(min(verdict['values']))}..{_number(max(verdict['values']))}"
        mark = "holds" if verdict["holds"] else "**missed**"
        cells = (row.work, row.against, _number(verdict["median"]), spread, f"{row.sense} {row.limit:g}", mark, verdict["at"])
        yield "| " + " | ".join(cells) + " |"


def _ceiling(points):
    """How far below gRPC's processor time the machine lets anybody come who has one call on a connection."""

    def cost(shape, who):
        return points[f"balance {shape} {who}"]["server_cpu_us"][0]

    def less(shape):
        return _number(min(cost(shape, who) for who in rows.GRPC) / cost(shape, "raw epoll"))

    return (
        f"\nThe ceiling of server CPU per request: raw C epoll + protobuf takes {less('1x1')} (1 x 1) and {less('64x1')} (64 x 1) times "
        "less than gRPC on this machine.\n"
    )


def _figures(points):
    yield "| what | median | spread |"
    yield "| --- | ---: | --- |"
    units = {"per_second": "/s", "p50_us": "µs p50", "p99_us": "µs p99", "server_cpu_us": "µs of the server's CPU each",
             "rss_kib": "KiB", "seconds": "s", "kib_per_connection": "KiB each", "posts_per_sync": "posts a sync"}  # fmt: skip
    for name in sorted(points):
        for figure, unit in units.items():
            if figure in points[name] and not (figure == "seconds" and "per_second" in points[name]):
                median, least, most = points[name][figure]
                if median > 0:
                    yield f"| {name} | {_number(median)} {unit} | {_number(least)}..{_number(most)} |"


def _plots(points):
    """(file name, caption, SVG) of what there are figures for."""

    def figure(name, which):
        return points.get(name, {}).get(which, [0])[0]

    def curve(pairs):
        return [(x, y) for x, y in pairs if y > 0]

    rates = {who: curve((_IN_FLIGHT[shape], figure(f"balance {shape} {who}", "per_second")) for shape in _SHAPES) for who in _WHO}
    yield "balances", "GetBalance a second", plots.lines("GetBalance", "calls in flight", "per second", rates)
    shares = {1: "p50", 2: "p99", 3: "p99.9"}
    keys = {1: "p50_us", 2: "p99_us", 3: "p999_us"}
    times = {who: curve((at, figure(f"balance 64x1 {who}", key)) for at, key in keys.items()) for who in _WHO}
    plot = plots.lines("GetBalance 64 x 1", "", "µs", times, shares)
    yield "latency", "Latency of GetBalance, 64 connections with one call each", plot
    posts = {
        "teller": curve((flight, figure(f"posts {shape} teller", "per_second")) for shape, flight in _IN_FLIGHT.items()),
        "redis": curve((_IN_FLIGHT[shape], figure(f"posts {shape} redis", "per_second")) for shape in _SHAPES),
        "plain SQLite, in one commit": curve((size, figure(f"sqlite {size}", "per_second")) for size in (1, 64, 1024)),
        "append + fdatasync": curve([(1, figure("append 4 KiB", "per_second")), (1024, figure("append groups", "per_second"))]),
        "postgres": curve([(figure("posts postgres", "clients"), figure("posts postgres", "per_second"))]),
    }
    yield "posts", "Durable transfers a second", plots.lines("Durable transfers", "in flight, or in one commit", "per second", posts)
    growth = {}
    for mix in ("balance", "post"):
        small = f"balance 16x64 teller" if mix == "balance" else "posts 16x64 teller"
        growth[mix] = curve([(1e4, figure(small, "per_second")), (1e6, figure(f"{mix} empty bank", "per_second")),
                             (1e7, figure(f"{mix} with a history", "per_second"))])  # fmt: skip
    yield (
        "growth",
        "10,000 accounts; 1,000,000 accounts; 1,000,000 accounts and 10,000,000 transfers behind them",
        plots.lines("16 x 64, as the bank grows", "accounts + transfers", "per second", growth),
    )


def write(figures, folder):
    known = _merge(figures, folder / "performance.json")
    verdicts, points = known["rows"], known["points"]
    others = [point["others_percent"][0] for point in points.values() if "others_percent" in point]
    held = sum(verdict["holds"] for verdict in verdicts.values())
    page = _INTRODUCTION.format(
        pairs=known["pairs"], others=statistics.median(others), held=held, count=len(rows.ROWS), **known["machine"]
    )
    page += "\n".join(_targets(verdicts)) + "\n" + _ceiling(points) + _PEERS + "\n## Plots\n\n"
    for name, caption, svg in _plots(points):
        (folder / "performance").mkdir(exist_ok=True)
        (folder / "performance" / f"{name}.svg").write_text(svg)
        page += f"![{caption}](performance/{name}.svg)\n\n"
    page += "## Figures\n\n" + "\n".join(_figures(points)) + "\n"
    (folder / "performance.md").write_text(page)
