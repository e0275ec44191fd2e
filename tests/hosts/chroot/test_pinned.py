# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is approved is what is installed, by the real package managers: repositories change between plan and night."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.executors import LINUX
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.decide import (
    GateDecision,
    GateRules,
    Verdict,
    WaveTally,
    decide,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.differences import count_differences
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.linux import LinuxExecutor

from tests.contract.executor_worlds import begun_rollout
from tests.fakes.fleet_port import FakeClock
from tests.hosts.chroot.roots import Root
from tests.hosts.chroot.test_executor import RULES, Shell, World
from tests.hosts.chroot.toys import Deb, Rpm, archive, has, installed, repository

Package = Deb | Rpm


@dataclass
class Host:
    """A root whose repository is published again between plan and night."""

    root: Root
    folder: Path

    def package(self, name: str, version: str, needs: str = "") -> Package:
        if self.root.family == "apt":
            return Deb(name=name, version=version, fields={"Depends": needs} if needs else {})
        return Rpm(name=name, version=version, tags=[f"Requires: {needs}"] if needs else [])

    def has(self, *packages: Package) -> None:
        (has if self.root.family == "apt" else installed)(self.root, *packages)  # type: ignore[operator]  # of its kind

    def publish(self, *packages: Package) -> None:
        if self.root.family == "apt":
            archive(self.root, "updates", [item for item in packages if isinstance(item, Deb)])
        else:
            repository(self.root, "updates", [item for item in packages if isinstance(item, Rpm)], [])

    def night(self, planned: Sequence[Package], **node: Any) -> dict[str, Any]:
        """Carry out all stages for a plan; returns the final record."""
        clock, folder = FakeClock(), self.folder / f"night{len(list(self.folder.glob('night*')))}"
        folder.mkdir()
        plan = {"patches": [{"id": item.id, "title": item.id} for item in planned], "pin": "versions", "host": "h"}
        plan |= {"account": "", "region": "", **node}
        rollout = begun_rollout(folder, clock, "h", LINUX.name, **plan)
        executor = LinuxExecutor(rollout=rollout, wave="w", rules=RULES, clock=clock, shell=Shell(self.root))
        world = World(executor=executor, clock=clock, good="", bad="", family=self.root.family)
        results = rollout.state.nodes["h"].results
        for stage in ("precheck", "patch", "scan"):
            results[stage] = world.result(stage)
        return world.result("verify")


@pytest.fixture(params=["apt", "dnf", "zypper"])
def host(request: pytest.FixtureRequest, up: Callable[..., Root], tmp_path: Path) -> Host:
    return Host(up(request.param), tmp_path)


def codes(record: dict[str, Any]) -> set[tuple[str, str]]:
    return {(item["code"], item["id"]) for item in record["differences"]}


def gate(record: dict[str, Any]) -> GateDecision:
    tally = WaveTally.from_statuses(1, [record["status"]])
    return decide(GateRules(), tally, differences=count_differences([record]))


def test_what_appears_after_the_plan_is_not_installed_and_makes_the_node_not_fail(host: Host) -> None:
    """The repository keeps the planned version beside a newer one, and gets an update of another package."""
    planned = host.package("toy", "1.2")
    newer, late = host.package("toy", "1.3"), host.package("late", "2")
    host.has(host.package("toy", "1.0"), host.package("late", "1"))
    host.publish(planned, newer, late)
    record = host.night([planned])
    assert record["status"] == "succeeded", record["error"]
    assert (record["proof"], record["installed"]) == ("node", [planned.id])
    assert codes(record) == {("newly_approved", newer.id), ("newly_approved", late.id)}
    (change,) = record["changes"]
    old, new = (change[name].removeprefix("0:")[:3] for name in ("old", "new"))
    assert (change["id"].partition(".")[0], old, new) == ("toy", "1.0", "1.2")
    assert gate(record).verdict is Verdict.PROMOTE


def test_a_version_that_repositories_dropped_pauses_by_name_and_is_no_failure(host: Host) -> None:
    """Archives keep the newest version of a suite alone."""
    planned, other = host.package("toy", "1.2"), host.package("other", "2")
    newer = host.package("toy", "1.3")
    host.has(host.package("toy", "1.0"), host.package("other", "1"))
    host.publish(newer, other)
    record = host.night([planned, other])
    assert record["status"] == "succeeded", record["error"]
    assert record["installed"] == [other.id]
    assert codes(record) == {("withdrawn", planned.id), ("newly_approved", newer.id)}
    decision = gate(record)
    assert decision.verdict is Verdict.PAUSE and planned.id in decision.reasons[0] and newer.id in decision.reasons[0]


def test_a_version_that_was_retracted_without_another_one_is_withdrawn_as_well(host: Host) -> None:
    planned, other = host.package("toy", "1.2"), host.package("other", "2")
    host.has(host.package("toy", "1.0"), host.package("other", "1"))
    host.publish(other)
    record = host.night([planned])
    assert (record["status"], codes(record)) == ("no_op", {("withdrawn", planned.id), ("newly_approved", other.id)})
    assert gate(record).verdict is Verdict.PAUSE


def test_what_others_installed_before_the_night_is_no_difference(host: Host) -> None:
    planned = host.package("toy", "1.2")
    host.has(planned)
    host.publish(planned)
    record = host.night([planned])
    assert (record["status"], record["differences"], record["installed"]) == ("succeeded", [], [planned.id])


def test_a_new_dependency_counts_unless_the_plan_has_forecast_it(host: Host) -> None:
    """apt-get --simulate names it before; dnf and zypper are not asked, so there the gate stops at it."""
    planned, needed = host.package("toy", "1.2", needs="needed"), host.package("needed", "1")
    host.has(host.package("toy", "1.0"))
    host.publish(planned, needed)
    forecast = host.root.listing(RULES.packages).forecast.to_dict()
    record = host.night([planned], forecast=forecast)
    assert (record["status"], len(record["changes"])) == ("succeeded", 2), record
    known = host.root.family == "apt"
    assert forecast.get("adds") == (["needed"] if known else None)
    assert [item["code"] for item in record["differences"]] == ([] if known else ["unplanned"])
    assert gate(record).verdict is (Verdict.PROMOTE if known else Verdict.PAUSE)


def test_lists_that_could_not_be_refreshed_withdraw_nothing(host: Host) -> None:
    """The version may be there: nobody could look, so the update has failed."""
    planned = host.package("toy", "1.2")
    host.has(host.package("toy", "1.0"))
    host.publish(host.package("other", "2"))
    host.root.listing(RULES.packages)
    where = {"apt": "/etc/apt/sources.list.d/updates.list", "dnf": "/etc/yum.repos.d/updates.repo"}
    file = where.get(host.root.family, "/etc/zypp/repos.d/updates.repo")
    host.root.sh(f"sed -i 's|file:/*srv|http://127.0.0.1:9|' {file}")
    proof = host.root.install(planned.id, rules=replace(RULES.packages, lock_seconds=1))
    assert proof.withdrawn == () and planned.id in (*proof.failed, *proof.unknown), proof
