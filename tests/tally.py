"""Adds up JUnit files: prints what failed, then one line `N passed, N failed`; exits 0 if none did.

    tally.py FOLDER [FAILED_SUITE...]

A suite that failed without naming a failed test (it did not build, it crashed, it found no tests)
counts as one failure, and the last that it said is shown, if it is in the folder's SUITE.log.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree

LAST_LINES = 40


def outcomes(path):
    """Yields (name, passed?) for each test of one file. A skipped test did not pass."""
    for case in ElementTree.parse(path).iter("testcase"):
        spoiled = any(case.find(tag) is not None for tag in ("failure", "error", "skipped"))
        ok = not spoiled and case.get("status") != "fail"
        yield f"{case.get('classname')}.{case.get('name')}", ok


def main(folder, *failed_suites):
    passed, failed, told = 0, [], set()
    for path in sorted(pathlib.Path(folder).glob("*.xml")):
        for name, ok in outcomes(path):
            if ok:
                passed += 1
            else:
                failed.append(f"{path.stem}: {name}")
                told.add(path.stem)
    silent = [suite for suite in failed_suites if suite not in told]
    failed += [f"{suite}: failed, and names no failed test" for suite in silent]
    for suite in silent:
        log = pathlib.Path(folder, f"{suite}.log")
        if log.exists():
            print(f"The last lines of {suite}:")
            print("\n".join(log.read_text(errors="replace").splitlines()[-LAST_LINES:]))
    for line in failed:
        print(f"FAILED {line}")
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
