"""Adds up JUnit files: prints what failed and how, then one line `N passed, N failed`; exits 0 if none did.

    tally.py FOLDER [FAILED_SUITE...]

A suite that failed without naming a failed test (it did not build, it crashed, it found no tests)
counts as one failure, and the last that it said is shown, if it is in the folder's SUITE.log.
Where a case is one of several processes that ran a program's tests (PROGRAM.LABEL.1of4), each test counts.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

LAST_LINES = 40


def last_lines(text):
    return "\n".join(text.splitlines()[-LAST_LINES:])


def passed_within(case):
    """The number of tests that passed in one case; None if it ended before it said so."""
    if not re.search(r"\.\d+of\d+$", case.get("name")):
        return 1
    told = re.search(r"^\[  PASSED  \] (\d+) tests?\.$", case.findtext("system-out") or "", re.MULTILINE)
    return int(told[1]) if told else None


def outcomes(path):
    """Yields (name, passed tests, what it said when it failed or None) for each case of one file. A skipped one did not pass."""
    for case in ElementTree.parse(path).iter("testcase"):
        spoilers = [element for tag in ("failure", "error", "skipped") for element in case.findall(tag)]
        said = None
        if spoilers or case.get("status") == "fail":
            texts = [element.text for element in spoilers] + [case.findtext("system-out")]
            said = "\n".join(filter(None, texts)) or "".join(element.get("message", "") for element in spoilers)
        passed = passed_within(case)
        if said is None and passed is None:
            said = "It ended before its tests did."
        yield f"{case.get('classname')}.{case.get('name')}", passed, said


def main(folder, *failed_suites):
    passed, failed, told = 0, [], set()
    for path in sorted(pathlib.Path(folder).glob("*.xml")):
        for name, count, said in outcomes(path):
            if said is None:
                passed += count
            else:
                print(f"The last lines of {name}:\n{last_lines(said)}")
                failed.append(f"{path.stem}: {name}")
                told.add(path.stem)
    silent = [suite for suite in failed_suites if suite not in told]
    failed += [f"{suite}: failed, and names no failed test" for suite in silent]
    for suite in silent:
        log = pathlib.Path(folder, f"{suite}.log")
        if log.exists():
            print(f"The last lines of {suite}:")
            print(last_lines(log.read_text(errors="replace")))
    for line in failed:
        print(f"FAILED {line}")
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
