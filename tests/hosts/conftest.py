"""Fleets of real hosts for a test; where this machine can't run any, the tests are left out (in CI they fail)."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.hosts import estate
from lab.hosts.fleet import Fleet, Wish
from lab.hosts.running import LeftOut

Play = Callable[[Fleet, str], str]


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """A fleet of a name of its own that is down before and after the test."""
    fleet = Fleet(f"test-{uuid.uuid4().hex[:8]}")
    try:
        fleet.down()
    except LeftOut as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"left out: {reason}")
    yield fleet
    fleet.down()


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Run a playbook, given as text, on a fleet and return what it prints."""

    def run(fleet: Fleet, text: str) -> str:
        (tmp_path / "play.yml").write_text(text)
        command = ["ansible-playbook", "-i", str(fleet.inventory), str(tmp_path / "play.yml")]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def hosts() -> Callable[..., Wish]:
    """Wishes for the first hosts of the estate that the lab comes with."""

    def wish(count: int = 1, packages: str = "toy", full_disk: str = "", wrong_repository: str = "") -> Wish:
        chosen = estate.choose(
            estate.read_estate(),
            count=count,
            full_disk=[full_disk] if full_disk else [],
            wrong_repository=[wrong_repository] if wrong_repository else [],
        )
        return Wish(hosts=chosen, packages=packages)

    return wish


@pytest.fixture
def on() -> Callable[[Fleet, str], str]:
    """Run a shell command on the first host of a fleet."""

    def run(fleet: Fleet, command: str) -> str:
        (machine, *_others) = fleet.machines()
        argv = [*fleet.ssh(machine), command]
        return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout

    return run
