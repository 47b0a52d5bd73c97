"""Where the built programs are. The tests of the tour: /usr/bin/python3 -m pytest docs/tour"""

from pathlib import Path

import pytest

from kit.programs import Programs, built

ROOT = Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    parser.addoption("--bin-dir", type=Path, default=built(ROOT), help="where CMake built the programs")


@pytest.fixture
def bin_dir(request):
    return request.config.getoption("--bin-dir").resolve()


@pytest.fixture
def programs(bin_dir):
    return Programs(bin_dir)
