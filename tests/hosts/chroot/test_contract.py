# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The executors' contract suite on the real apt, dnf and zypper, and a controller that is killed in mid-install."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.executors import LINUX
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.connection_errors import (
    Interrupted,
    Unreachable,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.linux import LinuxExecutor

from tests.contract import test_executors as suite
from tests.contract.executor_worlds import RULES, ExecutorWorld, begun_rollout
from tests.contract.test_executors import (
    test_a_failed_install,
    test_a_lost_answer_to_the_beginning,
    test_a_new_controller_takes_it_up,
    test_a_node_that_cannot_be_read_is_never_taken_for_clean,
    test_a_refused_reading_says_why,
    test_away_while_it_runs_loses_nothing,
    test_nothing_to_do,
    test_refused_before_anything_ran,
    test_success,
    test_what_a_reading_stage_finds,
    test_what_has_not_begun_may_begin_under_its_token,
    test_what_never_began_is_told_so_and_begins_under_another_token,
    test_what_never_ends_is_stopped_and_never_taken_for_done,
)
from tests.fakes.fleet_port import FakeClock
from tests.fakes.stub_host import PROBE, Answer, answered
from tests.hosts.chroot.roots import Root
from tests.hosts.chroot.toys import Deb, Rpm, archive, has, installed, repository

#: Tests that are collected here as well, with the fixture below.
__all__ = [
    "test_a_failed_install",
    "test_a_lost_answer_to_the_beginning",
    "test_a_new_controller_takes_it_up",
    "test_a_node_that_cannot_be_read_is_never_taken_for_clean",
    "test_a_refused_reading_says_why",
    "test_away_while_it_runs_loses_nothing",
    "test_nothing_to_do",
    "test_refused_before_anything_ran",
    "test_success",
    "test_what_a_reading_stage_finds",
    "test_what_has_not_begun_may_begin_under_its_token",
    "test_what_never_began_is_told_so_and_begins_under_another_token",
    "test_what_never_ends_is_stopped_and_never_taken_for_done",
]
#: Runs before the package is unpacked, once for each real install.
SCRIPT = "echo x >>/srv/installs; [ ! -e /srv/fails ] || exit 1; while [ -e /srv/hangs ]; do sleep 1; done"
REBOOT = "#!/bin/sh\necho x >>/srv/installs\n[ -e /srv/stays ] || echo b2 >/etc/boot_id\n"


@dataclass
class Shell:
    """Runs the executor's scripts in a root whose boot id is in a file."""

    root: Root
    word: str = "ok"

    def act(self, word: str) -> None:
        self.word = word
        for name, its in (("fails", "failed"), ("hangs", "hangs"), ("stays", "no reboot")):
            (self.root.folder / name).unlink(missing_ok=True)
            if word == its:
                (self.root.folder / name).touch()
        if word == "nothing" and self.root.family == "apt":
            self.root.sh("dpkg -i /srv/updates/*.deb; rm /srv/installs")
        elif word == "nothing":
            self.root.sh("rpm -U --nodeps /srv/base/noarch/openssl-3.0.17-1.noarch.rpm; rm /srv/installs")

    def run(self, host: str, script: str, *, timeout: float) -> Answer:
        if self.word == "away":
            raise Unreachable(host, "no route to host")
        if "patchtide:begin:1" in script and self.word == "refused":
            return Answer(1, "state=refused\n", "the disk is full")
        script = answered(script, "# patchtide:probe:1", json.dumps(PROBE))
        done = self.root._run(["sh", "-s"], stdin=script.replace("/proc/sys/kernel/random/boot_id", "/etc/boot_id"))
        if "patchtide:begin:1" in script and self.word == "lost":
            self.word = "ok"
            raise Interrupted(host, "the connection broke")
        return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture(params=["apt", "dnf", "zypper"])
def world(
    request: pytest.FixtureRequest, up: Callable[..., Root], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ExecutorWorld:
    root, clock = up(request.param), FakeClock()
    new: Deb | Rpm
    if request.param == "apt":
        new = Deb(name="openssl", version="3.0.17", scripts={"preinst": SCRIPT})
        has(root, Deb(name="openssl", version="1.0"))
        archive(root, "updates", [new])
    else:
        new = Rpm(name="openssl", version="3.0.17", scripts={"pre": SCRIPT})
        installed(root, Rpm(name="openssl", version="1.0"))
        repository(root, "base", [new], [])
    root.write("/usr/bin/systemctl", REBOOT, 0o755)
    root.write("/etc/boot_id", "b1\n")
    monkeypatch.setitem(suite.GONE_WELL, "patch", {"status": "succeeded", "installed": [new.id]})
    rollout = begun_rollout(tmp_path, clock, "h", LINUX.name, account="", region="", patches=[{"id": new.id}])
    shell = Shell(root)

    def pass_time(seconds: float) -> None:
        time.sleep(1)
        clock.sleep(seconds)

    return ExecutorWorld(
        node="h",
        clock=clock,
        fresh=lambda: LinuxExecutor(rollout=rollout, wave="w", rules=RULES, clock=clock, shell=shell),
        act=shell.act,
        pass_time=pass_time,
        runs=lambda: len((root.folder / "installs").read_text().split()) if (root.folder / "installs").exists() else 0,
        stopped=lambda: "work.sh" not in root.sh("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '", check=False),
        rollout=rollout,
    )


def test_a_controller_killed_in_mid_install_is_no_second_install_and_the_same_result(world: ExecutorWorld) -> None:
    """The work is the host's: it goes on without the process that began it, and the next one finds it."""
    world.act("hangs")
    port = world.fresh()
    work = suite.announced(world, port, "patch")
    child = os.fork()
    if not child:
        port.begin(work)
        while True:
            port.poll(work)
    while not world.runs():
        time.sleep(0.2)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    world.act("ok")
    later, found = world.fresh(), suite.again(work)
    assert later.begin(found) == "detached"
    found.handle = str(later.look_up(found, final=True))
    result = suite.result_of(world, later, found)
    assert (result["status"], world.runs()) == ("succeeded", 1)


def test_a_runner_killed_alone_is_still_running_as_long_as_its_work_is(world: ExecutorWorld) -> None:
    """The kernel ends one process when memory is short; without systemd, the others of its session go on."""
    world.act("hangs")
    port = world.fresh()
    work = suite.announced(world, port, "patch")
    work.handle = port.begin(work)
    while not world.runs():
        time.sleep(0.2)
    root: Root = port.shell.root  # type: ignore[attr-defined] # the executor of this world
    root.sh("kill -KILL $(cat /var/lib/patchtide/*/began/pid)")
    assert port.poll(work) == []
    world.act("ok")
    result = suite.result_of(world, port, work)
    assert (result["status"], world.runs()) == ("succeeded", 1)
