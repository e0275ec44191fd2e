# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Detached installs and reboots under systemd: limits, crashes, paused timers, and a reboot that must not happen."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.detached import (
    FOLDER,
    Look,
    begin_script,
    look_script,
    name_of,
    parse_look,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import PackageRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.proof import read_proof
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.results import install_result
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.scripts import (
    INSTALL_MODES,
    REFUSED,
    install_script,
    reboot_script,
)

from lab.hosts.fleet import Fleet, Wish

RULES = PackageRules(lock_seconds=30)
DOCS, AGENT = "patchtide-toy-docs.all:1.1", "patchtide-toy-agent.all:1.1"
TIMER = "printf '[Timer]\\nOnCalendar=yearly\\n' >/etc/systemd/system/dnf-automatic.timer; " + (
    "printf '[Service]\\nExecStart=/bin/true\\n' >/etc/systemd/system/dnf-automatic.service; "
    "systemctl daemon-reload; systemctl start dnf-automatic.timer"
)
#: dpkg calls it before it does anything.
HANG = "echo 'pre-invoke=sleep 600' >/etc/dpkg/dpkg.cfg.d/hang"


class Host:
    """The first host of a fleet."""

    def __init__(self, fleet: Fleet) -> None:
        (machine, *_others) = fleet.machines()
        self._ssh = fleet.ssh(machine)

    def sh(self, script: str) -> str:
        command = [*self._ssh, "/bin/sh -s"]
        return subprocess.run(command, input=script, capture_output=True, text=True, check=False, timeout=120).stdout

    def begin(self, token: str, seconds: int, *ids: str) -> None:
        script = install_script(ids, RULES, seconds) if ids else reboot_script(RULES)
        modes = INSTALL_MODES if ids else ()
        assert parse_look(self.sh(begin_script(token, script, seconds, modes=modes))).state == "begun"

    def look(self, token: str) -> Look:
        return parse_look(self.sh(look_script(token, final=False, prove=True)))

    def ended(self, token: str) -> Look:
        return self.until(lambda: self.look(token), lambda found: found.state not in ("starting", "running"))

    def timer(self) -> str:
        return self.sh("systemctl is-active dnf-automatic.timer").strip()

    def until(self, ask: Callable[[], Look], good: Callable[[Look], bool]) -> Look:
        for _number in range(120):
            if good(found := ask()):
                return found
            time.sleep(0.5)
        raise AssertionError(f"it did not happen within a minute: {found}")

    def await_pause(self) -> None:
        for _number in range(60):
            if self.timer() == "inactive":
                return
            time.sleep(0.5)
        raise AssertionError("the timer was not paused")

    def await_step(self, token: str) -> None:
        for _number in range(60):
            if "begin|1|" in self.sh(f"cat {FOLDER}/{name_of(token)}/steps"):
                return
            time.sleep(0.5)
        raise AssertionError("no step began")


@pytest.fixture
def host(fleet: Fleet, hosts: Callable[..., Wish]) -> Host:
    fleet.up(hosts())
    found = Host(fleet)
    found.sh(f"{TIMER}; apt-get update -qq")
    return found


@pytest.mark.slow
def test_an_install_that_hangs_ends_at_its_limit_with_all_its_processes(host: Host) -> None:
    """A postinst that never ends held a rollout for ever (ansible/ansible#30411)."""
    host.sh(HANG)
    host.begin("t1", 15, DOCS)
    host.await_pause()
    found = host.ended("t1")
    assert found.rc in (124, 137)
    result = install_result(found, [DOCS])
    assert result["status"] == "timed_out" and result["installed"] == []
    assert "sleep 600" not in host.sh("ps ax -o args")
    assert host.timer() == "active"

    host.sh("rm /etc/dpkg/dpkg.cfg.d/hang")
    host.begin("t2", 120, DOCS, AGENT)
    proof = read_proof(host.ended("t2").proof, [DOCS, AGENT])
    assert proof.installed == (DOCS, AGENT) and proof.reboot.pending
    assert host.timer() == "active"


@pytest.mark.parametrize("began", [False, True], ids=["before its first step", "in its first step"])
def test_paused_timers_run_again_after_a_crash(host: Host, began: bool) -> None:
    """Neither way anything is proved: the planned version is not there, and no step that ended had it."""
    host.sh(HANG)
    if not began:  # it waits for a lock, with the timers paused
        host.sh("flock /var/lib/dpkg/lock-frontend sleep 60 >/dev/null 2>&1 </dev/null &")
    host.begin("t1", 300, DOCS)
    host.await_pause()
    if began:
        host.await_step("t1")
    host.sh(f"systemctl kill --signal=KILL patchtide-{name_of('t1')}")
    found = host.ended("t1")
    assert found.state == "unknown" and host.timer() == "active"
    result = install_result(found, [DOCS])
    assert (result["status"], result["failed"]) == ("unknown", [])
    assert (f"while it installed {DOCS}" in result["error"]["text"]) == began


#: A service whose program was replaced under it, as an update of a library does. Of Type=simple it could start with the
#: new program: such a start returns before execve() (systemd.service(5)).
USES_DELETED = (
    "mkdir -p /usr/lib/shop; cp /bin/sleep /usr/lib/shop/sleep; "
    "printf '[Service]\\nType=exec\\nExecStart=/usr/lib/shop/sleep infinity\\n' >/etc/systemd/system/{0}.service; "
    "systemctl daemon-reload; systemctl start {0}; rm /usr/lib/shop/sleep; cp /bin/sleep /usr/lib/shop/sleep"
)


@pytest.mark.parametrize("willing", [False, True])
def test_services_that_use_deleted_files_are_restarted_where_the_policy_says_so(host: Host, willing: bool) -> None:
    """needrestart restarts in mid-run, dbus and logind too (a session hangs on them); here it is done afterwards, and
    never with those (needrestart(1), restart mode)."""
    for name in ("shop", "docker-shop"):
        host.sh(USES_DELETED.format(name))
    show = "systemctl show -p MainPID --value shop docker-shop | xargs"
    shop, docker = host.sh(show).split()
    script = install_script([DOCS], replace(RULES, restart_services=willing), 60)
    assert parse_look(host.sh(begin_script("s1", script, 60, modes=INSTALL_MODES))).state == "begun"
    proof = read_proof(host.ended("s1").proof, [DOCS])
    now = host.sh(show).split()
    assert (now[0] != shop, now[1]) == (willing, docker)
    assert ("docker-shop.service uses deleted files: not restarted" in proof.notes) == willing


def test_no_reboot_while_a_package_is_half_configured(host: Host) -> None:
    """A host with a half-configured kernel does not come back (linuxdeepin/developer-center#2123)."""
    host.sh("cd /root && apt-get download -qq patchtide-toy-docs && dpkg --unpack patchtide-toy-docs_1.1_all.deb")
    boot = host.sh("cat /proc/sys/kernel/random/boot_id")
    host.begin("r1", 60)
    found = host.ended("r1")
    assert found.rc == REFUSED and "not completely installed: patchtide-toy-docs" in found.err
    assert host.sh("cat /proc/sys/kernel/random/boot_id") == boot
