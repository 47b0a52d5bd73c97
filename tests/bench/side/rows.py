"""The table of issue 4: each target is a row with its limit, and what it is computed from."""

from typing import Callable, NamedTuple


class Row(NamedTuple):
    name: str
    quick: bool
    work: str
    against: str
    # Computed from one repetition's figures; `>= limit`, or `<= limit`, is a hit.
    value: Callable[[dict], float]
    sense: str
    limit: float
    points: tuple

    def holds(self, value):
        return value >= self.limit if self.sense == ">=" else value <= self.limit


ROWS = []


def _row(name, quick, work, against, sense, limit, value, *points):
    ROWS.append(Row(name, quick, work, against, value, sense, limit, points))


def _ratio(name, quick, work, against, sense, limit, figure, ours, *theirs, best=max, inverse=False):
    """Ours over theirs; `best` picks among several of theirs, `inverse` turns it round."""

    def value(found):
        mine, other = found[ours][figure], best(found[point][figure] for point in theirs)
        return other / mine if inverse else mine / other

    _row(name, quick, work, against, sense, limit, value, ours, *theirs)


def _balance(shape, who):
    return f"balance {shape} {who}"


GRPC = ("grpc callback", "grpc async")

_ratio("balance-1x1-p50", True, "GetBalance 1 x 1, p50", "raw C epoll + protobuf, time", "<=", 1.15,
       "p50_us", _balance("1x1", "teller"), _balance("1x1", "raw epoll"))  # fmt: skip
_ratio("balance-1x1-p99", True, "GetBalance 1 x 1, p99", "raw C epoll + protobuf, time", "<=", 1.3,
       "p99_us", _balance("1x1", "teller"), _balance("1x1", "raw epoll"))  # fmt: skip
_ratio("balance-64x1-raw", True, "GetBalance 64 x 1", "raw C epoll + protobuf", ">=", 0.85,
       "per_second", _balance("64x1", "teller"), _balance("64x1", "raw epoll"))  # fmt: skip
_ratio("balance-16x64-raw", True, "GetBalance 16 x 64", "raw C epoll + protobuf", ">=", 0.35,
       "per_second", _balance("16x64", "teller"), _balance("16x64", "raw epoll"))  # fmt: skip
for _shape, _limit in (("1x1", 2.2), ("64x1", 3.0), ("16x64", 40.0)):
    _ratio(f"balance-{_shape}-grpc-cpu", True, f"GetBalance {_shape.replace('x', ' x ')}, server CPU per request",
           "gRPC C++ (better of the two), times less", ">=", _limit, "server_cpu_us", _balance(_shape, "teller"),
           *(_balance(_shape, who) for who in GRPC), best=min, inverse=True)  # fmt: skip
for _shape, _streams, _uvloop in (("64x1", 1.8, 1.0), ("16x64", 20.0, 3.0)):
    _wide = _shape.replace("x", " x ")
    _ratio(f"balance-{_shape}-asyncio", True, f"GetBalance {_wide}", "asyncio streams", ">=", _streams,
           "per_second", _balance(_shape, "teller"), _balance(_shape, "asyncio streams"))  # fmt: skip
    _ratio(f"balance-{_shape}-uvloop", True, f"GetBalance {_wide}", "uvloop protocol", ">=", _uvloop,
           "per_second", _balance(_shape, "teller"), _balance(_shape, "uvloop protocol"))  # fmt: skip

_ratio("posts-1x1-fdatasync", True, "posts, durable, 1 x 1", "one fdatasync of a 4 KiB append at a time", ">=", 0.65,
       "per_second", "posts 1x1 teller", "append 4 KiB")  # fmt: skip
_ratio("posts-64x1-postgres", True, "posts, durable, 64 x 1", "PostgreSQL, the same transfer in one statement",
       ">=", 6.0, "per_second", "posts 64x1 teller", "posts postgres")  # fmt: skip
_ratio("posts-64x1-redis", True, "posts, durable, 64 x 1", "Redis, AOF always, 64 clients", ">=", 1.3,
       "per_second", "posts 64x1 teller", "posts 64x1 redis")  # fmt: skip
_ratio("posts-16x64-postgres", True, "posts, durable, 16 x 64, burst of 5 s", "PostgreSQL", ">=", 50.0,
       "per_second", "posts 16x64 teller", "posts postgres")  # fmt: skip
_ratio("posts-16x64-redis", True, "posts, durable, 16 x 64, burst of 5 s", "Redis, 16 clients x 64 pipelined",
       ">=", 4.0, "per_second", "posts 16x64 teller", "posts 16x64 redis")  # fmt: skip
_ratio("posts-16x64-append", True, "posts, durable, 16 x 64, burst of 5 s", "the append-only file in groups of 1,024",
       ">=", 0.2, "per_second", "posts 16x64 teller", "append groups")  # fmt: skip
for _shape, _flight, _limit in (("64x1", "64", 20.0), ("16x64", "1,024", 250.0)):
    _row(f"posts-per-sync-{_shape}", True, f"durable posts for each fdatasync, {_flight} in flight", "", ">=", _limit,
         lambda found, shape=_shape: found[f"syncs {shape}"]["posts_per_sync"], f"syncs {_shape}")  # fmt: skip

# ledger::StoreOptions::lag_max, beyond which bringing the tables forward goes before new changes, and what one more batch and
# the moment of looking add.
LAG_BOUND = 4_194_304 + 8_192

_row("survive", True, "changes lost of those acknowledged, three kill -9 under load", "", "<=", 0,
     lambda found: found["survive"]["lost"], "survive")  # fmt: skip
_ratio("posts-sustained-redis", False, "posts sustained for 60 s, UUIDv7", "Redis 16 x 64", ">=", 0.8,
       "per_second", "sustained teller", "sustained redis")  # fmt: skip
_row("posts-sustained-lag", False, "the same, most records that the tables lag", "", "<=", LAG_BOUND,
     lambda found: found["sustained teller"]["lag_max"], "sustained teller")  # fmt: skip
_row("posts-sustained-lag-steady", False, "the same, the lag at the end over that in the middle", "", "<=", 1.2,
     lambda found: found["sustained teller"]["lag_growth"], "sustained teller")  # fmt: skip
for _figure, _limit in (("p50", 1.3), ("p99", 2.0)):
    _ratio(f"inquiries-beside-posts-{_figure}", True, f"GetBalance {_figure} with 20,000 posts/s beside it, 32 at once",
           "without them, time", "<=", _limit, f"{_figure}_us", "inquiries beside posts", "inquiries alone")  # fmt: skip
_ratio("withdrawals-redis", False, "customers' whole withdrawals, 64 terminals", "Redis at 64 clients", ">=", 0.15,
       "per_second", "withdrawals teller", "posts 64x1 redis")  # fmt: skip

_ratio("idle-connection-grpc", False, "memory per idle connection at 10,000", "gRPC (better of the two), times less",
       ">=", 15.0, "kib_per_connection", "idle connections teller", *(f"idle connections {who}" for who in GRPC),
       best=min, inverse=True)  # fmt: skip
_row("idle-connection-kib", False, "the same, in KiB", "", "<=", 1.5,
     lambda found: found["idle connections teller"]["kib_per_connection"], "idle connections teller")  # fmt: skip
_ratio("idle-rss", True, "bankd idle with 10,000 accounts, memory", "asyncio server", "<=", 0.6,
       "rss_kib", "start teller", "start asyncio streams")  # fmt: skip
_ratio("start-up", True, "start-up to first reply", "asyncio server, time", "<=", 0.2,
       "seconds", "start teller", "start asyncio streams")  # fmt: skip
_row("start-up-history", False, "start-up with 1,000,000 accounts and 10,000,000 transfers, seconds", "", "<=", 5.0,
     lambda found: found["start with a history"]["seconds"], "start with a history")  # fmt: skip
_ratio("replay", False, "replay of the journal, records/s", "our own durable rate at 16 x 64", ">=", 2.0,
       "per_second", "replay", "posts 16x64 teller")  # fmt: skip
for _mix in ("balance", "post"):
    _ratio(f"{_mix}-with-history", False, f"{_mix} after 10,000,000 transfers", "an empty bank", ">=", 0.8,
           "per_second", f"{_mix} with a history", f"{_mix} empty bank")  # fmt: skip

# Measured beside the rows, without a limit: for the page's tables and plots.
SHOWN_QUICK = ("posts 1x1 redis", "posts postgres -N")
SHOWN = (
    *SHOWN_QUICK,
    "inquiries beside single posts",
    *(_balance(shape, who) for shape in ("1x1", "64x1", "16x64") for who in ("go net/rpc", "cap'n proto")),
    *(f"sqlite {group}" for group in (1, 64, 1024)),
    *(f"posts {shape} teller" for shape in ("16x1", "16x16", "64x64")),
)
