# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The executor from the install to the final record, on the real package managers of three families."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.executors import LINUX
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import PackageRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.precheck import PrecheckRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.expected import (
    RepositoryRules,
    to_expected,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import Work
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.linux import LinuxExecutor
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.rules import WaveRules

from tests.contract.executor_worlds import begun_rollout
from tests.fakes.fleet_port import FakeClock
from tests.fakes.stub_host import Answer
from tests.hosts.chroot.roots import Root
from tests.hosts.chroot.toys import Deb, Rpm, Signer, archive, has, installed, repository

PACKAGES = PackageRules(lock_seconds=20)
NOT_BEFORE = {"disk": {"/": 1}, "repositories": "allow", "lock": "allow", "time_sync": "allow", "failed_units": "allow"}
RULES = WaveRules(thresholds=PrecheckRules.from_dict(NOT_BEFORE), install_seconds=120, packages=PACKAGES)


@dataclass
class Shell:
    """Runs the executor's scripts in a root."""

    root: Root

    def run(self, host: str, script: str, *, timeout: float) -> Answer:
        done: subprocess.CompletedProcess[str] = self.root._run(["sh", "-s"], stdin=script)
        return Answer(done.returncode, done.stdout, done.stderr)


@dataclass
class World:
    """A root with ``toy`` 1.0 and ``bad`` 1, for which a good and a bad update are published."""

    executor: LinuxExecutor
    clock: FakeClock
    good: str
    bad: str
    family: str

    def work(self, stage: str, number: int = 1) -> Work:
        now = self.clock.now()
        work = Work(
            stage=stage,
            attempt=1,
            token=f"{stage} {number}",
            place="h",
            nodes=("h",),
            at=now,
            deadline=self.executor.deadline(stage, now),
        )
        work.handle = self.executor.begin(work)
        return work

    def result(self, stage: str, number: int = 1) -> dict[str, Any]:
        return self.follow(self.work(stage, number))

    def follow(self, work: Work) -> dict[str, Any]:
        for _number in range(240):
            if found := self.executor.poll(work):
                return dict(found[0])
            time.sleep(0.5)
        raise AssertionError("no result")


@pytest.fixture(params=["apt", "dnf", "zypper"])
def world(request: pytest.FixtureRequest, up: Callable[..., Root], tmp_path: Path) -> World:
    root = up(request.param)
    good: Deb | Rpm
    bad: Deb | Rpm
    if request.param == "apt":
        good, bad = Deb(name="toy", version="1.2"), Deb(name="bad", version="2", scripts={"postinst": "exit 1"})
        has(root, Deb(name="toy", version="1.0"), Deb(name="bad", version="1"))
        archive(root, "updates", [good, bad])
    else:
        good, bad = Rpm(name="toy", version="1.2"), Rpm(name="bad", version="2", scripts={"post": "exit 1"})
        installed(root, Rpm(name="toy", version="1.0"), Rpm(name="bad", version="1"))
        repository(root, "base", [good, bad], [])
    clock = FakeClock()
    plan = {"patches": [{"id": good.id}, {"id": bad.id}], "host": "h", "account": "", "region": ""}
    rollout = begun_rollout(tmp_path, clock, "h", LINUX.name, **plan)
    executor = LinuxExecutor(rollout=rollout, wave="w", rules=RULES, clock=clock, shell=Shell(root))
    return World(executor=executor, clock=clock, good=good.id, bad=bad.id, family=request.param)


def test_a_node_with_one_failed_update_fails_by_its_name_and_keeps_the_other(world: World) -> None:
    """A package whose script fails looks installed to the next run (ansible/ansible#3421)."""
    assert world.result("precheck")["outcome"] == "pass"
    patch = world.result("patch")
    assert (patch["status"], patch["installed"], patch["failed"]) == ("failed", [world.good], [world.bad])
    assert world.bad in patch["error"]["text"] and "script" in patch["error"]["text"]
    arch = "all" if world.family == "apt" else "noarch"
    assert {item["id"]: item["old"][:1] for item in patch["changes"]} == {f"toy.{arch}": "1", f"bad.{arch}": "1"}

    scan = world.result("scan")
    assert scan["status"] == "succeeded" and scan["missing_after"] == []
    world.executor.rollout.state.nodes["h"].results = {"patch": patch, "scan": scan}
    record = world.result("verify")
    assert record["status"] == "failed" and world.bad in record["failed"] and world.bad not in record["installed"]


def test_a_host_without_an_expected_repository_is_held_by_the_pre_check(world: World) -> None:
    """A wrong repository is found before the work, not by a failed install (TM-14)."""
    item = {"name": "toys", "manager": world.family, "urls": ["http://mirror.invalid/toys"], "suites": ["./"]}
    world.executor.expected = lambda node: to_expected([item], "x")
    assert world.result("precheck")["outcome"] == "pass"  # the policy allows it here
    world.executor.rules = replace(
        RULES, thresholds=PrecheckRules.from_dict({**NOT_BEFORE, "repositories": "skip_node"})
    )
    held = world.result("precheck", 2)
    texts = [row["text"] for row in held["findings"] if row["check"] == "repositories" and not row["ok"]]
    assert held["outcome"] == "skip"
    assert any("repository toys: http://mirror.invalid/toys" in text and "not configured" in text for text in texts)


def test_a_wave_gets_its_own_date_before_the_work_and_never_that_of_an_earlier_wave(
    world: World, tmp_path: Path
) -> None:
    """The host's sources are at the date that an earlier wave tries: this wave's is older, and is what it installs."""
    root: Root = world.executor.shell.root  # type: ignore[attr-defined] # this world's shell runs in a root
    signer = Signer.make(tmp_path / "signer")
    date = {"dev": "20260601", "prod": "20260501"}
    for wave, version in (("dev", "1.2"), ("prod", "1.1")):
        if world.family == "apt":
            archive(root, date[wave], [Deb(name="toy", version=version)])
            signer.sign_archive(root.folder / date[wave])
        else:
            repository(root, date[wave], [Rpm(name="toy", version=version)], [])
            signer.sign_metadata(root.folder / date[wave])
    root.sh("rm -f /etc/apt/sources.list.d/* /etc/yum.repos.d/* /etc/zypp/repos.d/*")
    scheme = "file:" if world.family == "apt" else "file://"
    item = {"name": "toys", "manager": world.family, "urls": [f"{scheme}/srv/{{snapshot}}"], "key": signer.public}
    item |= {"snapshots": date, **({"suites": ["./"]} if world.family == "apt" else {})}
    rules = RepositoryRules(expected=to_expected([item], "x"), repair="once")
    thresholds = PrecheckRules.from_dict({**NOT_BEFORE, "repositories": "skip_node"})
    world.executor.rules = replace(RULES, thresholds=thresholds, repositories=rules)
    node = Candidate(node_id="h", host="h")
    for number, (wave, said) in enumerate((("dev", "not configured"), ("prod", "it is at snapshot 20260601")), 1):
        world.executor.expected = lambda _node, wave=wave: rules.of(node, wave)
        found = world.result("precheck", number)
        corrected = [row["text"] for row in found["findings"] if row["text"].startswith("corrected: ")]
        assert found["outcome"] == "pass" and said in " ".join(corrected), found
    (offered,) = root.listing().patches
    assert ":1.1" in offered.id or offered.id.endswith(":0:1.1-1"), offered.id
    subprocess.run(["gpgconf", "--homedir", str(signer.home), "--kill", "all"], check=False)


def test_beginning_again_and_a_new_controller_install_once(world: World) -> None:
    work = world.work("patch")
    assert world.executor.begin(work) == work.handle
    found = world.follow(work)
    again = world.executor.poll(work)[0]
    assert {key: again[key] for key in ("status", "installed", "failed")} == {
        key: found[key] for key in ("status", "installed", "failed")
    }
    assert world.executor.look_up(work, final=True) == "detached"
    second = world.result("patch", 2)
    assert second["changes"] == [] and world.good in second["installed"]
