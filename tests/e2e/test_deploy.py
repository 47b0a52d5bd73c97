"""Every documented way to build, install and start: each works, wherever it is, or says in a sentence what it lacks."""

import os
import shlex
import shutil
import stat
from pathlib import Path

import pytest

from kit.process import Daemon, run
from kit.programs import FOLDERS

ROOT = Path(__file__).resolve().parents[2]
UNAVAILABLE = 69


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def bin_dir(request):
    return Path(request.config.getoption("--bin-dir")).resolve()


@pytest.fixture
def home(tmp_path):
    """A copy of the tree's scripts in a folder whose name a shell would cut in two."""
    shutil.copytree(ROOT / "deploy", tmp_path / "my $teller" / "deploy")
    return tmp_path / "my $teller"


@pytest.fixture
def bin_path(programs, tmp_path):
    """A PATH that begins with a folder of the programs, in a folder with a blank."""
    folder = tmp_path / "my programs"
    folder.mkdir()
    for name in FOLDERS:
        (folder / name).symlink_to(programs.path(name))
    return f"{folder}:{os.environ['PATH']}"


# Installed.


async def test_the_units_start_what_is_installed(bin_dir, tmp_path):
    prefix = tmp_path / "my prefix"
    installed = await run("cmake", "--install", bin_dir, "--prefix", prefix)
    assert installed.code == 0, installed.err
    address, state = "127.0.0.1:0", tmp_path / "state"
    for daemon in ("bankd", "atmd"):
        unit = (prefix / "lib/systemd/system" / f"{daemon}.service").read_text()
        lines = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line)
        page = lines["Documentation"].removeprefix("file:").replace("%%20", " ")
        assert Path(page).read_text() == (ROOT / "README.md").read_text()
        program, *words = shlex.split(lines["ExecStart"])
        assert program == str(prefix / "bin" / daemon)
        state.mkdir(exist_ok=True)
        variables = {"${STATE_DIRECTORY}": str(state), "${BANK}": address, "${TERMINAL}": "atm-1"}
        for name, value in variables.items():
            words = [word.replace(name, value) for word in words]
        assert not [word for word in words if "$" in word], words
        # Else the configuration file could not say it.
        assert "--listen" not in words
        # What does not heal by itself: the command line, the files, the configuration.
        assert lines["RestartPreventExitStatus"].split() == ["64", "65", "78"]
        assert lines["ExecReload"] == "/bin/kill -HUP $MAINPID"
        words += ["--listen", "127.0.0.1:0"]
        async with Daemon(daemon, [program, *words, "--ready-file", "{ready_file}"], tmp_path / daemon) as serving:
            address = serving.address
            healthy = await run(program, "health", "--bank" if daemon == "bankd" else "--atm", address)
            assert healthy.code == 0, healthy.err


# Built.


@pytest.fixture
def source(tmp_path):
    leave_out = shutil.ignore_patterns("build", ".git", "__pycache__", ".pytest_cache")
    return Path(shutil.copytree(ROOT, tmp_path / "my teller", ignore=leave_out))


async def test_what_install_build_brings_is_enough_for_a_release(source):
    configured = await run("cmake", "--preset", "release", "-DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON", cwd=source)
    assert configured.code == 0, configured.err
    assert "./deploy/install test" in configured.out + configured.err
    # What is compiled, linked and made by protoc in the folder of this name; the rest of the build says nothing more.
    build = ["cmake", "--build", "--preset", "release", "--target", "proto", "tour_02_generators"]
    built = await run(*build, cwd=source, within=600)
    assert built.code == 0, built.out + built.err
    assert (source / "build/release/docs/tour/02_generators").exists()


# The demo.


async def test_the_quickstart_works_in_a_folder_of_any_name(home, bin_path, tmp_path):
    # In the place of the build: the programs that are tested.
    fake = script(
        tmp_path / "fake cmake" / "cmake",
        'case "$*" in *--build*) mkdir -p build/quickstart/bin\n'
        '  for each in bankd atmd teller bankctl; do ln -s "$(command -v $each)" build/quickstart/bin/; done;; esac\n',
    )
    env = {"PATH": f"{fake.parent}:{bin_path}"}
    kept = await run("bash", "deploy/quickstart", "--keep", cwd=home, env=env)
    try:
        assert kept.code == 0, kept.out + kept.err
        assert "40.00 EUR credited." in kept.out
        # What it says to type, typed.
        lines = [line.strip() for line in kept.out.splitlines()]
        told = [line for line in lines if line.startswith(("export PATH=", "source "))]
        assert len(told) == 2, kept.out
        typed = "set -eu\n" + "\n".join(told) + "\nteller withdraw 20\nbankctl account list\nbankctl atm audit\n"
        said = await run("bash", "-c", typed, cwd=home)
        assert said.code == 0, said.err
        assert "20.00 EUR paid" in said.out and "Nothing differs." in said.out
    finally:
        stopped = await run("bash", "deploy/quickstart", "--stop", cwd=home, env=env)
    assert stopped.code == 0, stopped.err


# Packages.


@pytest.fixture
def install(home, tmp_path):
    """Runs deploy/install on a machine where nothing is installed, with an apt of the test's own."""

    async def install(update, candidate):
        fakes = tmp_path / "fakes"
        script(fakes / "dpkg-query", "exit 1")
        script(fakes / "sudo", '[ "$1" = -n ] && shift\nexec "$@"')
        script(fakes / "apt-cache", f"echo 'Candidate: {candidate}'")
        script(fakes / "apt-get", f'case "$*" in *" update "*) echo "{update[1]}" >&2; exit {update[0]};; esac')
        env = {"PATH": f"{fakes}:{os.environ['PATH']}"}
        return await run("bash", home / "deploy/install", "build", env=env)

    return install


OFFLINE = (100, "E: Failed to fetch: Temporary failure resolving")


async def test_without_a_network_the_installer_says_so(install):
    ended = await install(OFFLINE, "(none)")
    assert ended.code == UNAVAILABLE
    assert OFFLINE[1] in ended.err and "is there a network?" in ended.err and "clang-19" in ended.err
    assert "Debian 12" not in ended.err


async def test_an_older_debian_is_told_what_it_lacks(install):
    ended = await install((0, ""), "(none)")
    assert ended.code == UNAVAILABLE
    assert "apt knows no package 'cmake'" in ended.err and "Debian 12 and 13 have it" in ended.err
    assert "network" not in ended.err


async def test_lists_from_before_are_good_enough(install):
    ended = await install(OFFLINE, "1.0")
    assert ended.code == 0, ended.err
