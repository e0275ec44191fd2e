# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is special about Windows hosts: other people's installs, updates that only mention a KB, rollbacks, reboots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import PackageRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.expected import RepositoryRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.selection import UpdateRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.state_script import to_state_script
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors import windows as executor
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import Unknown
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.windows import WindowsExecutor

from lab.windows.machine import Machine
from lab.windows.offers import Offer
from lab.windows.server import WindowsLab, windows_lab
from lab.windows.world import LCU, NET, OTHERS, new_world
from tests.contract import test_executors as suite
from tests.contract.executor_worlds import ExecutorWorld, windows_world
from tests.contract.test_executor_mutants import (
    FAILURE,
    WithoutInstallGuard,
    WithoutMemory,
    WithoutRebootGuard,
    mutated,
)

OPTIONS = {"category_names": ["*"], "state": "installed", "accept_list": ["KB59901021"]}


@pytest.fixture
def lab() -> Iterator[WindowsLab]:
    with windows_lab(new_world(["win-a"])) as running:
        yield running
        assert not running.world.trouble


@pytest.fixture
def world(lab: WindowsLab, tmp_path: Path) -> ExecutorWorld:
    return windows_world(tmp_path, lab)


@pytest.fixture
def machine(lab: WindowsLab, world: ExecutorWorld) -> Machine:
    return lab.world.machines["win-a"]


def ended(world: ExecutorWorld, port: Any, stage: str, number: int = 1) -> Any:
    work = suite.announced(world, port, stage, number)
    work.handle = port.begin(work)
    return suite.result_of(world, port, work)


def plan(world: ExecutorWorld, *offers: Offer) -> None:
    """Have the plan list these updates instead."""
    assert world.rollout is not None
    rows = [{"id": item.kb, "title": item.title} for item in offers]
    world.rollout.plan["waves"][0]["nodes"][0]["patches"] = rows


def test_only_what_the_plan_lists_is_installed(world: ExecutorWorld, machine: Machine) -> None:
    """Offered as well: a KB that begins with the planned one's digits, and one whose title mentions it."""
    assert ended(world, world.fresh(), "patch")["status"] == "succeeded"
    assert machine.installed == [NET.kb]


def test_an_update_that_mentions_a_failed_one_does_not_answer_for_it(world: ExecutorWorld, machine: Machine) -> None:
    mentions = OTHERS[1]
    assert NET.kb in mentions.title and mentions.kb != NET.kb
    plan(world, NET, mentions)
    machine.faults.fail = {NET.kb: 0x80070005}
    result = ended(world, world.fresh(), "patch")
    assert (result["status"], result["installed"], result["failed"]) == ("failed", [mentions.kb], [NET.kb])


def test_what_would_be_selected_beside_the_plan_keeps_all_from_being_installed(
    world: ExecutorWorld, machine: Machine
) -> None:
    """An update without a KB can't be rejected."""
    machine.offers.append(Offer(kb="", title=f"Helper of {NET.kb} for setups"))
    port = world.fresh()
    with pytest.raises(
        PatchtideError, match=r"nothing was installed: Helper of KB5990102 for setups would be selected"
    ):
        port.begin(suite.announced(world, port, "patch"))
    assert not world.runs()


def test_what_the_policy_excludes_since_the_plan_is_not_installed(world: ExecutorWorld) -> None:
    port = world.fresh()
    assert isinstance(port, WindowsExecutor)
    port.rules = replace(port.rules, packages=PackageRules(exclude=(NET.kb,)))
    assert (ended(world, port, "patch")["status"], world.runs()) == ("no_op", 0)


@pytest.mark.parametrize("stage", suite.CHANGING)
def test_nothing_begins_beside_an_install_of_somebody_else(world: ExecutorWorld, machine: Machine, stage: str) -> None:
    """Sources: wuerror.h, WU_E_INSTALL_NOT_ALLOWED; a reboot would end that install without a trace."""
    machine.start(OPTIONS, world.clock.now())
    machine.catch_up(world.clock.now())
    port = world.fresh()
    with pytest.raises(PatchtideError, match=r"an install of Windows Update is running") as refused:
        port.begin(suite.announced(world, port, stage))
    assert not isinstance(refused.value, Unknown) and machine.registry == {}


def test_a_process_that_waits_for_its_reader_holds_the_host_at_the_precheck(
    world: ExecutorWorld, machine: Machine
) -> None:
    machine.start({**OPTIONS, "state": "searched"}, world.clock.now())
    result = ended(world, world.fresh(), "precheck")
    told = [row["text"] for row in result["findings"] if not row["ok"]]
    assert result["outcome"] == "skip" and told == [
        "a process of win_updates waits for its reader: stop it, or reboot the host"
    ]


def test_an_install_of_a_dead_controller_is_waited_for_and_its_process_ended(
    world: ExecutorWorld, machine: Machine, lab: WindowsLab
) -> None:
    """The process goes on, then waits for a reader that never comes (win_updates.ps1)."""
    first = world.fresh()
    work = suite.announced(world, first, "patch")
    first.begin(work)
    lab.world.clock.advance(1)
    assert isinstance(first, WindowsExecutor)
    first._jobs["win-a"].stop.set()
    port, found = world.fresh(), suite.again(work)
    found.handle = str(port.look_up(found, final=False))
    assert port.poll(found) == [] and machine.runs
    assert suite.result_of(world, port, found)["status"] == "succeeded" and not machine.runs and world.runs() == 1


def test_a_claim_without_a_trace_is_unknown_after_a_while(world: ExecutorWorld) -> None:
    """A controller died between its claim and the start: nobody else may start under this token."""
    port = world.fresh()
    work = suite.announced(world, port, "patch")
    assert isinstance(port, WindowsExecutor)
    port.hosts.run("win-a", to_state_script("claim", work.token, "other"), timeout=30)
    assert port.look_up(work, final=True) == "detached" and port.poll(work) == []
    assert port.begin(work) == "detached" and world.runs() == 0
    result = suite.result_of(world, port, work)
    assert (result["status"], result["error"]["code"]) == ("unknown", "no_end")


def test_of_two_that_begin_at_once_one_starts(world: ExecutorWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    port = world.fresh()
    assert isinstance(port, WindowsExecutor)
    work, ask = suite.announced(world, port, "patch"), port.hosts.run

    def run(host: str, script: str, *, timeout: float) -> str:
        if "$mode = 'claim'" in script:
            ask(host, to_state_script("claim", work.token, "other"), timeout=timeout)
        return ask(host, script, timeout=timeout)

    monkeypatch.setattr(port.hosts, "run", run)
    assert port.begin(work) == "detached" and world.runs() == 0


def test_failures_are_explained(world: ExecutorWorld, machine: Machine) -> None:
    machine.faults.fail = {NET.kb: 0x80073712}
    result = ended(world, world.fresh(), "patch")
    assert result["failed"] == [NET.kb]
    assert result["error"]["text"].startswith(f"{NET.kb}: the component store is damaged (0x80073712): repair")


@pytest.mark.parametrize(
    ("code", "words"), [(0x8024402C, "DNS can't resolve"), (0x80072EE2, "did not answer in time"), (0x80240022, "none")]
)
def test_an_update_server_that_does_not_answer(world: ExecutorWorld, machine: Machine, code: int, words: str) -> None:
    machine.faults.search = code
    port = world.fresh()
    scanned = ended(world, port, "scan")
    assert scanned["status"] == "failed" and words in scanned["error"]["text"] and "missing_after" not in scanned
    with pytest.raises(PatchtideError, match="the search for updates failed"):
        port.begin(suite.announced(world, port, "patch"))
    assert not world.runs()


def test_an_update_that_waits_for_its_reboot_is_not_missing(world: ExecutorWorld, machine: Machine) -> None:
    plan(world, LCU)
    port = world.fresh()
    result = ended(world, port, "patch")
    assert (result["status"], result["pending_reboot"], result["installed"]) == ("succeeded", True, [LCU.kb])
    scanned = ended(world, port, "scan")
    assert scanned["pending_reboot"] and LCU.kb not in scanned["missing_after"]


@pytest.mark.parametrize("rolled_back", [False, True])
def test_a_rollback_at_the_reboot_is_no_success(world: ExecutorWorld, machine: Machine, rolled_back: bool) -> None:
    assert world.rollout is not None
    machine.faults.rollback = {LCU.kb} if rolled_back else set()
    plan(world, LCU)
    port, results = world.fresh(), {}
    for stage in ("precheck", "patch", "reboot", "scan"):
        world.clock.sleep(1)
        results[stage] = ended(world, port, stage)
        world.rollout.state.nodes["win-a"].results = results
    record = ended(world, port, "verify")
    assert record["status"] == ("failed" if rolled_back else "succeeded"), record
    assert (LCU.kb in record["missing_after"]) is rolled_back and record["rebooted"]


def test_all_stages_over_winrm(lab: WindowsLab, tmp_path: Path) -> None:
    world = windows_world(tmp_path, lab, "winrm")
    test_a_rollback_at_the_reboot_is_no_success(world, lab.world.machines["win-a"], rolled_back=False)


def test_a_reboot_is_over_when_the_host_stays_up(world: ExecutorWorld, machine: Machine) -> None:
    """Source: ansible.windows issue 898: a reboot may be taken for done between two of them."""
    machine.configuring_seconds, machine.faults.twice = 90, True
    result = ended(replace(world, pass_time=world.clock.sleep), world.fresh(), "reboot")
    world.clock.sleep(300)
    machine.catch_up(world.clock.now())
    assert result["rebooted"] and result["boot_id_after"] == machine.boot.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert machine.ready_at is None and machine.counts["reboots"] == 1


def test_a_refused_reboot_says_why(world: ExecutorWorld, machine: Machine) -> None:
    machine.faults.no_reboot = 5
    result = ended(world, world.fresh(), "reboot")
    assert (result["status"], result["rebooted"], result["error"]["code"]) == ("failed", False, "reboot_refused")


@pytest.mark.parametrize("stage", suite.CHANGING)
def test_one_that_does_not_ask_before_it_begins_dies(world: ExecutorWorld, stage: str) -> None:
    with pytest.raises(FAILURE):
        suite.test_what_is_not_confirmed_never_begins(mutated(world, WithoutInstallGuard), stage)


def test_one_that_begins_again_what_it_can_not_see_dies(world: ExecutorWorld) -> None:
    with pytest.raises((*FAILURE, PatchtideError)):
        suite.test_a_new_controller_takes_it_up(mutated(world, WithoutMemory), "patch")


def test_one_that_takes_its_time_for_a_reboot_dies(world: ExecutorWorld) -> None:
    with pytest.raises(FAILURE):
        suite.test_what_never_ends_is_stopped_and_never_taken_for_done(
            mutated(world, WithoutRebootGuard), "reboot", "no reboot"
        )


def test_one_that_does_not_check_what_is_selected_dies(
    world: ExecutorWorld, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "strangers", lambda selected, kbs, rules: [])
    with pytest.raises(FAILURE):
        test_only_what_the_plan_lists_is_installed(world, machine)


def test_what_waits_for_the_reboot_is_installed_in_a_further_round(world: ExecutorWorld, machine: Machine) -> None:
    plan(world, NET, LCU)
    machine.faults.after_reboot = {NET.kb}
    port = world.fresh()
    assert isinstance(port, WindowsExecutor) and world.rollout is not None
    port.rules = replace(port.rules, updates=UpdateRules(rounds=2))
    state = world.rollout.state.nodes["win-a"]

    def done(stage: str, number: int = 1) -> Any:
        state.attempts = {**state.attempts, stage: number}
        state.results = {**state.results, stage: ended(world, port, stage, number)}
        return state.results[stage]

    first = done("patch")
    assert (first["installed"], first["failed"], first["after_reboot"]) == ([LCU.kb], [NET.kb], [NET.kb])
    assert done("reboot")["rebooted"]
    assert done("scan")["next_round"] == [NET.kb]
    second = done("patch", 2)
    assert (second["status"], set(second["installed"]), second["failed"]) == ("succeeded", {LCU.kb, NET.kb}, [])
    machine.offers.append(replace(NET, title=f"{NET.title} again"))
    scan = done("scan")
    assert NET.kb in scan["missing_after"] and "next_round" not in scan


@pytest.mark.parametrize(("open_ones", "outcome"), [([], "pass"), (["https://fe2.update.microsoft.com/"], "skip")])
def test_a_host_that_reaches_other_sources_is_held(
    world: ExecutorWorld, machine: Machine, open_ones: list[str], outcome: str
) -> None:
    """Clients need no internet (TCS-21): the host itself tries what must not answer."""
    port = world.fresh()
    assert isinstance(port, WindowsExecutor)
    closed = ("https://fe2.update.microsoft.com/", "http://download.windowsupdate.com/")
    port.rules = replace(port.rules, repositories=RepositoryRules(closed=closed))
    machine.reaches = set(open_ones)
    result = ended(world, port, "precheck")
    told = [row["text"] for row in result["findings"] if row["check"] == "repositories" and not row["ok"]]
    assert result["outcome"] == outcome and [text.split(" ")[0] for text in told] == open_ones
