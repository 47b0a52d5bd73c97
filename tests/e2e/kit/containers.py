"""The pair in containers: deploy/compose.yaml as a project of the test's own, on ports of its own."""

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
WITHIN_S = 120


def command(*argv, given="", env=None, check=True):
    """Runs a command to its end. One that fails shows what it said, unless the test looks itself."""
    env = {**os.environ, **(env or {})}
    ended = subprocess.run(
        list(map(str, argv)), input=given, env=env, cwd=ROOT, capture_output=True, text=True, timeout=WITHIN_S
    )
    if check and ended.returncode != 0:
        raise AssertionError(f"{argv} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    return ended


class Pair:
    """A bank and an ATM, neither of them started yet. Leaving it removes them, volumes included."""

    def __init__(self, project):
        # Empty ports are any free ones.
        self._env = {"COMPOSE_PROJECT_NAME": project, "BANK_PORT": "", "ATM_PORT": ""}
        self._project = project

    def compose(self, *arguments, **options):
        return command("deploy/containers", "compose", *arguments, env=self._env, **options)

    def address(self, service):
        """HOST:PORT on this machine; another one after each start."""
        return command("deploy/containers", "address", service, env=self._env).stdout.strip()

    def container(self, service):
        (container,) = self.compose("ps", "-q", service).stdout.split()
        return container

    def inspect(self, service):
        (described,) = json.loads(command("docker", "inspect", self.container(service)).stdout)
        return described

    def run(self, service, *arguments, **options):
        """A command's own container: teller or bankctl."""
        return self.compose("run", "--rm", "-T", service, *arguments, **options)

    def down(self, *options):
        self.compose("down", *options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down("--volumes", "--remove-orphans")
