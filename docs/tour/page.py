"""Reads docs/tour.md: its blocks of source and of console, and which file each excerpt is from.

The page's conventions, which the tests hold it to:
- a block of cpp or python is an excerpt, word for word, of the file that was linked last before it;
- a block of console is commands after "$ " and what they print;
- what differs from run to run stands between ‹ and ›: a number there stands for any number, and anything else for
  any text without spaces.
"""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/tour.md"
LINK = re.compile(r"\]\(([^)#]+\.(?:cc|h|py))\)")
SUFFIX = {"cpp": (".cc", ".h"), "python": (".py",)}
VARYING = re.compile(r"‹([^›]*)›")
NUMBER = r"\d[\d,.]*"


class Block(NamedTuple):
    language: str
    text: str
    line: int  # Of its first line of text, in the page.
    source: Path | None  # The file that it is an excerpt of: the one that was linked last before it.


def blocks():
    source, fence, lines, begun = None, None, [], 0
    for number, line in enumerate(PAGE.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("```"):
            if fence is None:
                fence, lines, begun = line[3:], [], number + 1
            else:
                is_of_source = source is not None and source.suffix in SUFFIX.get(fence, ())
                text = "".join(each + "\n" for each in lines)
                yield Block(fence, text, begun, source if is_of_source else None)
                fence = None
        elif fence is not None:
            lines.append(line)
        else:
            for link in LINK.findall(line):
                source = PAGE.parent / link


def commands(block):
    """Pairs of a command and what it prints."""
    pieces = re.split(r"^\$ (.*)\n", block.text, flags=re.MULTILINE)
    assert pieces[0] == "", f"{PAGE.name}:{block.line}: a console block begins with a command"
    return list(zip(pieces[1::2], pieces[2::2]))


def pattern(shown):
    """What matches `shown` and everything that differs only where the page says so."""
    out, end = "", 0
    for varying in VARYING.finditer(shown):
        out += re.escape(shown[end : varying.start()])
        out += NUMBER if re.fullmatch(NUMBER, varying.group(1)) else r"\S+"
        end = varying.end()
    return re.compile(out + re.escape(shown[end:]))


def assert_prints(printed, shown):
    # The whole difference is shown when it fails.
    if not pattern(shown).fullmatch(printed):
        assert printed == shown
