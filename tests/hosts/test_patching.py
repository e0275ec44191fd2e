"""Real hosts behave as hosts of an estate do: updates pend, get installed, and a reboot restarts the machine.

Grounds for TM-11, TM-14 (what a pre-check must find), TM-24 and TM-29 (what a report must compare).
"""

from __future__ import annotations

from collections.abc import Callable

from lab.hosts.fleet import Fleet, Wish

UPGRADE_AND_REBOOT = """
- hosts: lab_hosts
  gather_facts: false
  tasks:
    - ansible.builtin.apt: {upgrade: dist, update_cache: true}
    - ansible.builtin.reboot:
"""
SECURITY_ONLY = """
- hosts: lab_hosts
  gather_facts: false
  tasks:
    - ansible.builtin.apt: {name: patchtide-toy-agent, state: latest, update_cache: true}
"""
REBOOT = """
- hosts: lab_hosts
  gather_facts: false
  tasks:
    - ansible.builtin.reboot:
"""


def test_genuine_security_updates_pend_and_are_gone_after_patching(
    fleet: Fleet, hosts: Callable[..., Wish], play: Callable[[Fleet, str], str], on: Callable[[Fleet, str], str]
) -> None:
    fleet.up(hosts(packages="mirror"))
    assert "Debian-Security" in on(fleet, "apt-get -s dist-upgrade")
    (before,) = fleet.status()
    assert int(before["pending"]) > 0
    play(fleet, UPGRADE_AND_REBOOT)
    (after,) = fleet.status()
    assert after["pending"] == "0"
    assert after["state"] == "running"
    assert after["boot_id"] != before["boot_id"]


def test_toy_update_asks_for_a_reboot_and_the_reboot_answers_it(
    fleet: Fleet, hosts: Callable[..., Wish], play: Callable[[Fleet, str], str], on: Callable[[Fleet, str], str]
) -> None:
    fleet.up(hosts())
    assert on(fleet, "ls /run/reboot-required") == ""
    play(fleet, SECURITY_ONLY)
    assert on(fleet, "cat /run/reboot-required.pkgs") == "patchtide-toy-agent\n"
    assert on(fleet, "dpkg-query -Wf '${Version}' patchtide-toy-docs") == "1.0"
    play(fleet, REBOOT)
    assert on(fleet, "ls /run/reboot-required") == ""
    assert on(fleet, "systemctl is-active patchtide-toy-agent") == "active\n"


def test_only_the_security_archive_calls_itself_security(
    fleet: Fleet, hosts: Callable[..., Wish], on: Callable[[Fleet, str], str]
) -> None:
    fleet.up(hosts())
    simulated = on(fleet, "apt-get -qq update && apt-get -s dist-upgrade | grep ^Inst").splitlines()
    assert {line.split()[1]: "Debian-Security" in line for line in simulated} == {
        "patchtide-toy-agent": True,
        "patchtide-toy-docs": False,
    }


def test_full_disk_leaves_room_to_look_for_updates_and_no_more(
    fleet: Fleet, hosts: Callable[..., Wish], on: Callable[[Fleet, str], str]
) -> None:
    fleet.up(hosts(count=2, packages="both", full_disk="dc1-web-01"))
    assert on(fleet, "apt-get -qq update && echo done") == "done\n"
    full, healthy = fleet.status()
    assert 0 < int(full["free_mib"]) < 30
    assert int(healthy["free_mib"]) > 100
    assert int(full["pending"]) > 2  # the toys and genuine ones


def test_full_disk_is_still_full_after_a_reboot(
    fleet: Fleet, hosts: Callable[..., Wish], play: Callable[[Fleet, str], str]
) -> None:
    fleet.up(hosts(full_disk="dc1-web-01"))
    play(fleet, REBOOT)
    (full,) = fleet.status()
    assert 0 < int(full["free_mib"]) < 30


def test_wrong_repository_fails_at_once(
    fleet: Fleet, hosts: Callable[..., Wish], on: Callable[[Fleet, str], str]
) -> None:
    fleet.up(hosts(wrong_repository="dc1-web-01"))
    update = on(fleet, "timeout 10 apt-get update -o APT::Update::Error-Mode=any 2>&1; echo status $?")
    assert "old-mirror.invalid" in update
    assert "status 100" in update
