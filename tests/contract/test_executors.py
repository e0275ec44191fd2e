# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the driver relies on, of every executor: begun once, found again, an outcome that is the node's own."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work import detached
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import PackageRules
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import ExecutorPort, Result, Unknown, Work
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.connection_errors import HostError
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.linux import LinuxExecutor

from lab.azure.launch import AzureLab, azure_lab
from lab.windows.server import WindowsLab, windows_lab
from lab.windows.world import new_world
from tests.contract.executor_worlds import (
    PLANNED,
    UNPLANNED,
    ExecutorWorld,
    azure_world,
    fake_world,
    lab_world,
    linux_world,
    ssm_world,
    windows_world,
)
from tests.fakes.stub_host import FAMILIES

#: Machines of the lab's Azure.
AZURE_MACHINES = {"azure": "az-web-01", "arc": "arc-db-01"}
CHANGING = ["patch", "reboot"]
READING = ["precheck", "scan", "verify"]
#: What a rollout holds of a node whose install and scan went well.
GONE_WELL = {
    "precheck": {"outcome": "pass", "facts": {"boot_id": "b1"}},
    "patch": {"status": "succeeded", "installed": [PLANNED]},
    "reboot": {"status": "no_op", "rebooted": False},
    "scan": {"status": "succeeded", "missing_after": [], "pending_reboot": False},
}


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureLab]:
    with azure_lab(tmp_path_factory.mktemp("azure")) as running:
        yield running


@pytest.fixture
def windows() -> Iterator[WindowsLab]:
    with windows_lab(new_world(["win-a"])) as running:
        yield running
        assert not running.world.trouble


@pytest.fixture(params=["fake", "ssm", "lab", "azure", "arc", "windows", *FAMILIES])
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExecutorWorld:
    if request.param == "lab":
        return lab_world(tmp_path, request.getfixturevalue("aws"))
    if request.param in AZURE_MACHINES:
        return azure_world(tmp_path, request.getfixturevalue("azure"), AZURE_MACHINES[request.param])
    if request.param == "windows":
        return windows_world(tmp_path, request.getfixturevalue("windows"))
    monkeypatch.setattr(detached, "FOLDER", str(tmp_path / "work"))
    if request.param in FAMILIES:
        return linux_world(tmp_path, request.param)
    return {"fake": fake_world, "ssm": ssm_world}[request.param](tmp_path)


def announced(world: ExecutorWorld, port: ExecutorPort, stage: str, number: int = 1) -> Work:
    ((place, nodes),) = port.batches(stage, [world.node])
    now = world.clock.now()
    token = f"r w/{stage}/1.{number}"
    deadline = port.deadline(stage, now)
    snapshot = str(uuid.uuid4())
    return Work(
        stage=stage,
        attempt=1,
        token=token,
        place=place,
        nodes=tuple(nodes),
        at=now,
        deadline=deadline,
        snapshot_id=snapshot,
    )


def again(work: Work) -> Work:
    """The work as a controller reads it from the journal that died before it could record the handle."""
    return Work(
        stage=work.stage,
        attempt=work.attempt,
        token=work.token,
        place=work.place,
        nodes=work.nodes,
        at=work.at,
        deadline=work.deadline,
        snapshot_id=work.snapshot_id,
    )


def result_of(world: ExecutorWorld, port: ExecutorPort, work: Work, looks: int = 100) -> Result:
    for _number in range(looks):
        if found := port.poll(work):
            (result,) = found
            assert result["node_id"] == world.node
            return result
        world.pass_time(15)
    raise AssertionError("no result")


def looked_up(world: ExecutorWorld, port: ExecutorPort, work: Work, *, final: bool) -> str | None:
    """Look work up until the answer is clear, as the driver does."""
    for _number in range(100):
        try:
            return port.look_up(work, final=final)
        except PatchtideError:
            world.pass_time(15)
    raise AssertionError("no clear answer")


def expect_nothing(world: ExecutorWorld, port: ExecutorPort, work: Work) -> None:
    """Until the deadline nobody knows a result."""
    for _number in range(4):
        with suppress(PatchtideError):
            assert port.poll(work) == []
        world.pass_time(5)


@pytest.mark.parametrize("taken_up", [False, True])
@pytest.mark.parametrize("stage", READING)
def test_what_a_reading_stage_finds(world: ExecutorWorld, stage: str, taken_up: bool) -> None:
    """What the node says is the result, also for a controller that begins where another one died."""
    world.act("scanned" if stage == "scan" else "ok")
    if world.rollout:
        world.rollout.state.nodes[world.node].results = GONE_WELL
    port = world.fresh()
    work = announced(world, port, stage)
    work.handle = port.begin(work)
    if taken_up:
        port, work = world.fresh(), again(work)
        world.pass_time(5)
        work.handle = str(looked_up(world, port, work, final=False))
    result = result_of(world, port, work)
    if stage == "precheck":
        assert (result["outcome"], result.get("status")) == ("pass", None)
    elif stage == "scan":
        assert result["status"] == "succeeded" and isinstance(result["missing_after"], list)
    else:
        # a machine that lists what changed on it shows that nothing did
        assert result["status"] in ("succeeded", "reboot_pending", "no_op"), result


@pytest.mark.parametrize("stage", READING)
def test_a_node_that_cannot_be_read_is_never_taken_for_clean(world: ExecutorWorld, stage: str) -> None:
    if world.rollout:
        world.rollout.state.nodes[world.node].results = GONE_WELL
    port = world.fresh()
    work = announced(world, port, stage)
    work.handle = port.begin(work)
    world.act("away")
    expect_nothing(world, port, work)
    world.pass_time((work.deadline - world.clock.now()).total_seconds())
    (result,) = port.give_up(work, None)
    assert result["node_id"] == world.node
    assert stage != "precheck" or result["outcome"] == "skip"
    assert stage != "scan" or "missing_after" not in result
    assert result.get("status") in ("unknown", "unreachable", "failed", *((None,) if stage == "precheck" else ())), (
        result
    )


@pytest.mark.parametrize("stage", READING)
def test_a_refused_reading_says_why(world: ExecutorWorld, stage: str) -> None:
    if world.rollout:
        world.rollout.state.nodes[world.node].results = GONE_WELL
    port = world.fresh()
    work = announced(world, port, stage)
    (result,) = port.give_up(work, PatchtideError("no such document"))
    texts = [str((result.get("error") or {}).get("text")), *(str(row["text"]) for row in result.get("findings", []))]
    assert any("no such document" in text for text in texts) or stage == "verify"
    assert result.get("status") != "succeeded" and not world.runs()


@pytest.mark.parametrize("stage", CHANGING)
def test_success(world: ExecutorWorld, stage: str) -> None:
    port = world.fresh()
    work = announced(world, port, stage)
    work.handle = port.begin(work)
    assert work.handle and result_of(world, port, work)["status"] == "succeeded"
    assert world.runs() == 1


class Succeeded(PatchtideError):
    """Another controller has continued the rollout."""


@pytest.mark.parametrize("stage", CHANGING)
def test_what_is_not_confirmed_never_begins(world: ExecutorWorld, stage: str) -> None:
    def confirm() -> None:
        raise Succeeded("another controller has continued the rollout")

    port = world.fresh()
    work = replace(announced(world, port, stage), confirm=confirm)
    with pytest.raises(Succeeded):
        port.begin(work)
    assert world.runs() == 0 and looked_up(world, port, again(work), final=True) is None


def test_nothing_to_do(world: ExecutorWorld) -> None:
    world.act("nothing")
    port = world.fresh()
    work = announced(world, port, "patch")
    work.handle = port.begin(work)
    assert result_of(world, port, work)["status"] in ("no_op", "succeeded")


def test_a_failed_install(world: ExecutorWorld) -> None:
    world.act("failed")
    port = world.fresh()
    work = announced(world, port, "patch")
    work.handle = port.begin(work)
    result = result_of(world, port, work)
    assert result["status"] == "failed" and result["error"]["text"]


@pytest.mark.parametrize(("stage", "word"), [("patch", "hangs"), ("reboot", "no reboot")])
def test_what_never_ends_is_stopped_and_never_taken_for_done(world: ExecutorWorld, stage: str, word: str) -> None:
    world.act(word)
    port = world.fresh()
    work = announced(world, port, stage)
    work.handle = port.begin(work)
    found: list[Any] = []
    while not found and world.clock.now() < work.deadline:
        found = port.poll(work)
        world.pass_time(300)
    (result,) = found or port.poll(work) or port.give_up(work, None)
    assert result["node_id"] == world.node and result["status"] in ("unknown", "failed")
    assert result["error"]["code"] and not result.get("rebooted")
    assert stage == "reboot" or world.stopped()


def test_refused_before_anything_ran(world: ExecutorWorld) -> None:
    world.act("refused")
    port = world.fresh()
    work = announced(world, port, "patch")
    with pytest.raises(PatchtideError) as refused:
        port.begin(work)
    assert not isinstance(refused.value, Unknown) and world.runs() == 0
    (result,) = port.give_up(work, refused.value)
    assert result["status"] in ("unreachable", "failed") and str(refused.value) in result["error"]["text"]


def test_away_while_it_runs_loses_nothing(world: ExecutorWorld) -> None:
    port = world.fresh()
    work = announced(world, port, "patch")
    work.handle = port.begin(work)
    world.act("away")
    expect_nothing(world, port, work)
    world.act("ok")
    world.pass_time(600)
    assert result_of(world, port, work)["status"] == "succeeded" and world.runs() == 1


@pytest.mark.parametrize("stage", CHANGING)
def test_a_lost_answer_to_the_beginning(world: ExecutorWorld, stage: str) -> None:
    world.act("lost")
    port = world.fresh()
    work = announced(world, port, stage)
    try:
        work.handle = port.begin(work)
    except Unknown:
        world.act("ok")
        world.pass_time(5)
        work.handle = str(looked_up(world, port, work, final=False))
    assert work.handle not in ("", "None")
    assert result_of(world, port, work)["status"] == "succeeded" and world.runs() == 1


@pytest.mark.parametrize("stage", CHANGING)
def test_a_new_controller_takes_it_up(world: ExecutorWorld, stage: str) -> None:
    first = world.fresh()
    work = announced(world, first, stage)
    first.begin(work)
    port, found = world.fresh(), again(work)
    world.pass_time(5)
    found.handle = str(looked_up(world, port, found, final=False))
    assert result_of(world, port, found)["status"] == "succeeded" and world.runs() == 1


@pytest.mark.parametrize("stage", CHANGING)
def test_what_never_began_is_told_so_and_begins_under_another_token(world: ExecutorWorld, stage: str) -> None:
    port = world.fresh()
    assert looked_up(world, port, announced(world, port, stage), final=True) is None and world.runs() == 0
    work = announced(world, port, stage, 2)
    work.handle = port.begin(work)
    assert result_of(world, port, work)["status"] == "succeeded" and world.runs() == 1


@pytest.mark.parametrize("stage", CHANGING)
def test_what_has_not_begun_may_begin_under_its_token(world: ExecutorWorld, stage: str) -> None:
    port = world.fresh()
    work = announced(world, port, stage)
    assert looked_up(world, port, work, final=False) == "" and world.runs() == 0
    work.handle = port.begin(work)
    assert result_of(world, port, work)["status"] == "succeeded" and world.runs() == 1


@pytest.mark.parametrize("world", FAMILIES, indirect=True)
def test_only_what_the_plan_lists_is_installed(world: ExecutorWorld, tmp_path: Path) -> None:
    port = world.fresh()
    work = announced(world, port, "patch")
    work.handle = port.begin(work)
    result_of(world, port, work)
    asked = (tmp_path / "installs").read_text()
    name, other = (patch.partition(".")[0] for patch in (PLANNED, UNPLANNED))
    assert name in asked and "3.0.17" in asked and other not in asked


def unreachable_scan(world: ExecutorWorld, port: ExecutorPort) -> Result | None:
    """The result of a scan for which the node can't be reached; ``None`` if there is none."""
    world.act("away")
    with suppress(HostError):
        return result_of(world, port, announced(world, port, "scan"), looks=1)
    return None


def end_of(world: ExecutorWorld, port: ExecutorPort, stage: str) -> None:
    work = announced(world, port, stage)
    work.handle = port.begin(work)
    assert result_of(world, port, work)["status"] == "succeeded"


@pytest.mark.parametrize("world", [*FAMILIES], indirect=True)
@pytest.mark.parametrize("stage", CHANGING)
def test_a_host_lists_and_probes_itself_with_the_end_of_its_work(world: ExecutorWorld, stage: str) -> None:
    port = world.fresh()
    end_of(world, port, stage)
    scanned = unreachable_scan(world, port)
    assert scanned and world.rollout and scanned["status"] == "succeeded"
    world.rollout.state.nodes[world.node].results = GONE_WELL
    (record,) = port.poll(announced(world, port, "verify"))
    assert record["status"] == "succeeded"


@pytest.mark.parametrize("world", [*FAMILIES], indirect=True)
@pytest.mark.parametrize(("stage", "word"), [("patch", "hangs"), ("reboot", "no reboot")])
def test_work_that_is_begun_again_under_its_token_runs_once(world: ExecutorWorld, stage: str, word: str) -> None:
    world.act(word)
    port = world.fresh()
    work = announced(world, port, stage)
    work.handle = port.begin(work)
    for _number in range(3):
        world.pass_time(5)
        assert port.begin(work) == work.handle
    assert port.poll(work) == [] and unreachable_scan(world, port) is None
    assert world.runs() == 1
    world.act("ok")
    port.give_up(work, None)


@pytest.mark.parametrize("world", [*FAMILIES], indirect=True)
@pytest.mark.parametrize("why", ["rule", "pending", "begun again", "old"])
def test_what_a_host_said_before_its_last_change_is_no_scan(world: ExecutorWorld, why: str, tmp_path: Path) -> None:
    port, rollout = world.fresh(), world.rollout
    assert rollout is not None
    if why == "rule":
        rollout.plan["waves"][0]["reboot_rule"] = "always"
    if why == "pending":
        (tmp_path / "boot").mkdir()
        (tmp_path / f"boot/vmlinuz-9999{re.sub('^[^a-z]*', '', os.uname().release)}").touch()
    end_of(world, port, "patch")
    if why == "begun again":
        port.begin(announced(world, port, "reboot"))
    if why == "old":
        world.clock.sleep(61)
    assert unreachable_scan(world, port) is None


@pytest.mark.parametrize("world", [*FAMILIES], indirect=True)
def test_what_the_policy_excludes_since_the_plan_is_not_installed(world: ExecutorWorld) -> None:
    port = world.fresh()
    assert isinstance(port, LinuxExecutor)
    port.rules = replace(port.rules, packages=PackageRules(exclude=("open*",)))
    work = announced(world, port, "patch")
    work.handle = port.begin(work)
    result = result_of(world, port, work)
    assert (result["status"], result["installed"], world.runs()) == ("no_op", [], 0)
