"""Up, down, up again, after crashes too, and nothing is left on the machine that runs the hosts."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.hosts import cgroups, network
from lab.hosts.fleet import Fleet, Wish

ROOT = Path(__file__).resolve().parents[2]


def traces(fleet: Fleet) -> list[str]:
    """What there is of a fleet on this machine outside its folder."""
    listings = [
        [path.name for path in Path("/sys/class/net").iterdir()],
        [str(path) for root in cgroups.roots() for path in root.glob(f"{cgroups.PARENT}/*")],
        Path("/proc/mounts").read_text().splitlines(),
        subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout.splitlines(),
        subprocess.run(["ps", "axeww", "-o", "args"], capture_output=True, text=True, check=True).stdout.splitlines(),
    ]
    return [line for listing in listings for line in listing if fleet.bridge in line or f"{fleet.folder}/" in line]


def boots(fleet: Fleet) -> list[str]:
    return [row.get("boot_id", row["state"]) for row in fleet.status()]


def test_down_leaves_nothing(fleet: Fleet, hosts: Callable[..., Wish]) -> None:
    fleet.up(hosts(count=2))
    while_up = traces(fleet)
    kinds = (fleet.bridge, f"{fleet.bridge}-1", "-j MASQUERADE", "/patchtide-lab/", "HOST_DIR=", "http.server")
    assert [kind for kind in kinds if not any(kind in line for line in while_up)] == []
    fleet.down()
    assert traces(fleet) == []
    assert not fleet.folder.exists()


@pytest.mark.slow
def test_last_lab_puts_kernel_settings_back(fleet: Fleet, hosts: Callable[..., Wish]) -> None:
    fleet.up(hosts())
    assert Path("/proc/sys/net/ipv4/ip_forward").read_text() == "1\n"
    fleet.down()
    others = list(network.SYS_NET.glob(f"{network.BRIDGE_PREFIX}*/bridge"))
    assert network.SYSCTL_BEFORE.exists() <= bool(others)


def test_up_again_changes_nothing(fleet: Fleet, hosts: Callable[..., Wish]) -> None:
    fleet.up(hosts(count=2))
    before = boots(fleet)
    fleet.up(hosts(count=2))
    assert boots(fleet) == before
    assert len(set(before)) == 2


@pytest.mark.slow
def test_another_wish_starts_anew(fleet: Fleet, hosts: Callable[..., Wish]) -> None:
    fleet.up(hosts(count=1))
    before = boots(fleet)
    fleet.up(hosts(count=2))
    after = boots(fleet)
    assert len(after) == 2
    assert after[0] != before[0]


@pytest.mark.slow
def test_twice_in_a_row(fleet: Fleet, hosts: Callable[..., Wish], play: Callable[[Fleet, str], str]) -> None:
    for _time in range(2):
        fleet.up(hosts(count=2))
        assert "failed=0" in play(fleet, "- hosts: lab_hosts\n")
        fleet.down()
    fleet.down()


@pytest.mark.slow
def test_dead_host_is_brought_back(fleet: Fleet, hosts: Callable[..., Wish]) -> None:
    fleet.up(hosts(count=2))
    for pid in cgroups.processes(fleet.bridge, "dc1-web-02"):
        with contextlib.suppress(ProcessLookupError):  # gone with the one before it
            os.kill(pid, signal.SIGKILL)
    assert fleet.status()[1]["state"] in ("down", "unreachable")
    fleet.up(hosts(count=2))
    assert [row["state"] for row in fleet.status()] == ["running", "running"]


def test_up_after_an_up_that_was_killed(fleet: Fleet, hosts: Callable[..., Wish]) -> None:
    command = [sys.executable, "-m", "lab.hosts", "up", "--packages", "toy", "--name", fleet.name]
    killed = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    while len(cgroups.members(fleet.bridge)) < 3:  # the repository's server and two hosts on their way
        assert killed.poll() is None
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    assert traces(fleet)
    fleet.up(hosts(count=1))
    assert [row["state"] for row in fleet.status()] == ["running"]
    fleet.down()
    assert traces(fleet) == []


@pytest.mark.slow
def test_two_labs_at_once(fleet: Fleet, hosts: Callable[..., Wish]) -> None:
    other = Fleet(f"{fleet.name}-b")
    try:
        addresses = [machine.address for lab in (fleet, other) for machine in lab.up(hosts())]
        assert len(set(addresses)) == 2
        fleet.down()
        assert [row["state"] for row in other.status()] == ["running"]
    finally:
        other.down()
