#!/usr/bin/env python3
"""The structure of the tree, as a test: who may see whom, what has one place, how long a file is.

Prints a line for each finding (file, line, what to write instead) and exits 1 if there are any.
Each rule carries an example that it must catch, so a rule that stopped working fails too.
"""

import pathlib
import re
import sys
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("lib", "services", "proto", "deploy", "tests", "docs", ".ci")
CODE = {".h", ".cc"}
SCRIPTS = {".py", ""}
TEXT = CODE | SCRIPTS | {".proto", ".md", ".txt", ".yaml", ".json", ".cmake", ".service", ".sql"}
LINES_MAX = 500

# services -> {rpc, ledger, ops} -> async -> libuv, and rpc -> ops for its log. A module may include itself and these.
MAY_INCLUDE = {
    "lib/async": set(),
    "lib/rpc": {"async", "ops"},
    "lib/ledger": {"async"},
    "lib/ops": {"async"},
    "services": {"async", "rpc", "ledger", "ops", "services"},
    "docs/tour": {"async", "rpc", "services"},
}
DIRECTION = "services -> rpc, ledger, ops -> async -> libuv; rpc -> ops"
MODULES = {"async", "rpc", "ledger", "ops"}
SERVICES = {"adder", "bank", "atm", "cli", "teller", "bankctl"}


class Ban(NamedTuple):
    pattern: str  # In code without comments and string literals.
    where: str | None  # Where it is allowed: a pattern of paths.
    instead: str
    example: str


BANNED = [
    Ban(
        r"#include <uv\.h>",
        r"lib/async/|tests/bench/",
        "the Loop and Stream interfaces",
        "#include <uv.h>",
    ),
    Ban(
        r"#include [<\"](?:google/protobuf|[\w/]+\.pb\.h)",
        r"lib/rpc/|services/|tests/",
        "a ledger type",
        '#include "bank/v1/bank.pb.h"',
    ),
    Ban(
        r"#include <sqlite3\.h>|\bsqlite3_\w+\(",
        r"lib/ledger/|services/atm/|tests/",
        "a Journal",
        "sqlite3_step(row)",
    ),
    Ban(
        r"co_await[^;{]*?(?:\(\s*\{|[\w>]\{|[(,]\s*\[[^\]&]*\w[^\]]*\]|\?)",
        r"compiler_probe",
        "a named local before the co_await: g++ 12 destroys such temporaries twice",
        "co_await submit({.id = id});",
    ),
    Ban(
        r"(?:\w\{|\?)[^;{}]*co_await",
        r"compiler_probe",
        "a named local for the awaited result: g++ 12 destroys such temporaries twice",
        "const int sum = wanted ? co_await add() : 0;",
    ),
    Ban(
        r"\b(?:if|while) \([^;{}]*\(co_await",
        r"compiler_probe",
        "a named result before the condition: g++ 12 cancels what such a condition awaits",
        "while (!(co_await stream.read_some()).empty()) continue;",
    ),
    Ban(
        r"auto&?&? \[[^\]]+\] = co_await",
        r"compiler_probe",
        "a named result, then its members",
        "auto [a, b] = co_await f();",
    ),
    Ban(
        r"std::this_thread::sleep|\busleep\(|\bnanosleep\(",
        None,
        "Clock::sleep_until",
        "usleep(1);",
    ),
    Ban(
        r"#include <spdlog/spdlog\.h>|\bspdlog::(?:log|trace|debug|info|warn|error|critical)\(",
        None,
        "ops::Log, whose fields no text can forge",
        'spdlog::info("from {}", peer)',
    ),
    Ban(r"\buv_default_loop\b", None, "the Loop that main passes in", "uv_default_loop()"),
    Ban(
        r"\bGTEST_SKIP\b|\bDISABLED_",
        None,
        "a test that runs, or none",
        "TEST(Bank, DISABLED_Opens)",
    ),
    Ban(
        r"\bTempDir\(|\btemp_directory_path\(\) /",
        r"tests/faults/temporary_folder\.h|tests/faults/simulate\.cc|tests/bench/micro/bank_in_memory\.cc",
        "a TemporaryDirectory: tests run beside each other, and beside themselves in other builds",
        "write(testing::TempDir() + name);",
    ),
    Ban(r'#include "[^"]+\.cc"', None, "a header", '#include "ledger/store.cc"'),
    Ban(
        r"\bmallopt\(",
        r"lib/ledger/memory\.cc",
        "ledger::arrange_heap(): one call silently undoes another",
        "::mallopt(M_TRIM_THRESHOLD, 1);",
    ),
    Ban(
        r"\b(?:nice|setpriority)\(",
        None,
        "nothing: a nicer thread starves beside a busy neighbour",
        "::nice(5);",
    ),
    Ban(
        r"#include <(?:format|print|generator)>",
        None,
        "what libstdc++ 12 has (fmt for text)",
        "#include <format>",
    ),
]

# Anywhere in any text file, comments included.
UNWANTED = [
    (
        re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b"),
        "the work, or nothing",
        "// TO" "DO: later",
    ),
    (
        re.compile(r"(?:^|[^\w.-])/(?:work|farm|home/\w+)/"),
        "a relative path",
        "cd /home" "/jane/teller",
    ),
    (
        re.compile(r"pytest\.skip|mark\.skip|mark\.xfail"),
        "a test that runs, or none",
        "pytest" ".skip()",
    ),
]

COMMENT_OR_LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.DOTALL
)


def code_only(text):
    """The text with comments and literals blanked, lines and includes kept."""

    def blank(match):
        piece = match.group()
        if piece.startswith('"'):
            line_start = text.rfind("\n", 0, match.start()) + 1
            if text.startswith("#include", line_start):
                return piece
            return '""' + " " * (len(piece) - 2)
        return re.sub(r"[^\n]", " ", piece)

    return COMMENT_OR_LITERAL.sub(blank, text)


def banned(path, text):
    code = code_only(text)
    for ban in BANNED:
        if ban.where and re.search(ban.where, path):
            continue
        for match in re.finditer(ban.pattern, code):
            line = code.count("\n", 0, match.start()) + 1
            yield line, f"`{' '.join(match.group().split())[:60]}`: write {ban.instead}"


def wrong_directions(path, text):
    home = next((module for module in MAY_INCLUDE if path.startswith(module + "/")), None)
    if home is None:
        return
    own = home.removeprefix("lib/")
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'#include "(\w+)/', line)
        if not match or ".pb.h" in line:
            continue
        target = "services" if match.group(1) in SERVICES else match.group(1)
        known = target in MODULES or target == "services"
        if known and target != own and target not in MAY_INCLUDE[home]:
            yield number, f"{home} may not see {match.group(1)}: {DIRECTION}"


def own_header_later(path, text):
    """A source includes its own header first, which shows that the header stands alone; the build relies on it."""
    header = re.sub(r"^(?:lib|services)/(.*)\.cc$", r"\1.h", path)
    first = next(re.finditer(r"^#include .*$", text, re.MULTILINE), None)
    if first and f'\n#include "{header}"\n' in "\n" + text and first.group() != f'#include "{header}"':
        yield text.count("\n", 0, first.start()) + 1, f'`{first.group()}`: write #include "{header}" before it'


def unwanted(text):
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, instead, _ in UNWANTED:
            if pattern.search(line):
                yield number, f"`{pattern.search(line).group().strip()}`: write {instead}"


def unlisted(names, listing):
    """Tests that no program is made of, so that nobody would miss them."""
    yield from (name for name in names if not re.search(rf"\b{name}\b", listing))


def findings(path, text):
    if pathlib.PurePath(path).suffix in CODE:
        yield from banned(path, text)
        yield from wrong_directions(path, text)
        yield from own_header_later(path, text)
    yield from unwanted(text)
    lines = text.count("\n")
    if lines > LINES_MAX and pathlib.PurePath(path).suffix in CODE | SCRIPTS:
        yield LINES_MAX, f"{lines} lines: cut it at a seam, {LINES_MAX} are the limit"


def broken_rules():
    """Rules that do not catch their own example."""
    for ban in BANNED:
        if not re.search(ban.pattern, code_only(ban.example)):
            yield ban.pattern
    for pattern, _, example in UNWANTED:
        if not pattern.search(example):
            yield pattern.pattern
    for home, example in (
        ("lib/rpc/a.h", '#include "ledger/books.h"'),
        ("lib/async/a.h", '#include "bank/pins.h"'),
        ("docs/tour/a.cc", '#include "ledger/books.h"'),
    ):
        if not list(wrong_directions(home, example)):
            yield f"{home} with {example}"
    if list(unlisted(["a_test", "b_test"], "teller_tests(x TESTS a_test\n")) != ["b_test"]:
        yield "tests that no CMakeLists.txt names"
    example = '#include <vector>\n\n#include "rpc/a.h"\n'
    if not list(own_header_later("lib/rpc/a.cc", example)):
        yield f"lib/rpc/a.cc with {example!r}"


def files():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in TEXT and "__pycache__" not in path.parts:
                yield path
    # In a worktree of git, .git is a file with a path.
    top = (path for path in sorted(ROOT.iterdir()) if path.name != ".git")
    yield from (path for path in top if path.is_file() and path.suffix in TEXT)


def main():
    count = 0
    for pattern in broken_rules():
        count += 1
        print(f"tests/tidy.py: this rule no longer catches its example: {pattern}")
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # A corpus or a picture.
        name = path.relative_to(ROOT).as_posix()
        for line, message in findings(name, text):
            count += 1
            print(f"{name}:{line}: {message}")
    listing = "".join(path.read_text() for path in ROOT.rglob("CMakeLists.txt") if "build" not in path.parts)
    for name in unlisted(sorted(path.stem for path in (ROOT / "tests/unit").glob("*_test.cc")), listing):
        count += 1
        print(f"tests/unit/{name}.cc:1: no program is made of it: name it in a CMakeLists.txt under TESTS")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
