# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The suite of executors finds executors that are wrong: each mutant lacks one guard, and its test has to fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work import detached
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.ports import sure
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors import linux
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import ExecutorPort, Result, Work
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.linux import LinuxExecutor

from tests.contract import test_executors as suite
from tests.contract.executor_worlds import PLANNED, UNPLANNED, ExecutorWorld, linux_world, ssm_world

#: What a test that fails raises; ``pytest.raises`` that saw nothing is no AssertionError.
FAILURE = (AssertionError, pytest.fail.Exception)


@pytest.fixture(params=["ssm", "apt"])
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExecutorWorld:
    if request.param == "ssm":
        return ssm_world(tmp_path)
    monkeypatch.setattr(detached, "FOLDER", str(tmp_path / "work"))
    return linux_world(tmp_path, request.param)


@dataclass
class Mutant:
    """An executor, but for what a subclass does otherwise."""

    port: ExecutorPort

    def __getattr__(self, name: str) -> Any:
        return getattr(self.port, name)


class WithoutInstallGuard(Mutant):
    """It does not ask right before the work reaches the node whether it is still to begin."""

    def begin(self, work: Work) -> str:
        return self.port.begin(replace(work, confirm=sure))


class WithoutMemory(Mutant):
    """It takes work that it can't see for work that never began, and begins it again."""

    def look_up(self, work: Work, *, final: bool) -> str | None:
        return None if final else self.port.begin(replace(work, token=f"{work.token}9"))


class WithoutRebootGuard(Mutant):
    """It takes the end of its time for the end of the reboot."""

    def give_up(self, work: Work, why: Any) -> list[Result]:
        done = {"status": "succeeded", "rebooted": True, "error": None}
        return [{**item, **done} for item in self.port.give_up(work, why)]

    def poll(self, work: Work) -> list[Result]:
        return [{**item, "status": "succeeded", "rebooted": True} for item in self.port.poll(work)]


def mutated(world: ExecutorWorld, mutant: type[Mutant]) -> ExecutorWorld:
    return replace(world, fresh=lambda: mutant(world.fresh()))


@pytest.mark.parametrize(
    "test", [suite.test_what_is_not_confirmed_never_begins, suite.test_a_new_controller_takes_it_up, suite.test_success]
)
def test_one_that_lacks_nothing_lives(world: ExecutorWorld, test: Callable[[ExecutorWorld, str], None]) -> None:
    """So the others die of what they do."""
    test(mutated(world, Mutant), "patch")


@pytest.mark.parametrize("stage", suite.CHANGING)
def test_one_that_does_not_ask_before_it_begins_dies(world: ExecutorWorld, stage: str) -> None:
    with pytest.raises(FAILURE):
        suite.test_what_is_not_confirmed_never_begins(mutated(world, WithoutInstallGuard), stage)


@pytest.mark.parametrize("stage", suite.CHANGING)
def test_one_that_begins_again_what_it_can_not_see_dies(world: ExecutorWorld, stage: str) -> None:
    with pytest.raises(FAILURE):
        suite.test_a_new_controller_takes_it_up(mutated(world, WithoutMemory), stage)


def test_one_that_takes_its_time_for_a_reboot_dies(world: ExecutorWorld) -> None:
    with pytest.raises(FAILURE):
        suite.test_what_never_ends_is_stopped_and_never_taken_for_done(
            mutated(world, WithoutRebootGuard), "reboot", "no reboot"
        )


@pytest.mark.parametrize("world", ["apt"], indirect=True)
def test_one_that_installs_more_than_the_plan_dies(
    world: ExecutorWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LinuxExecutor, "_planned", lambda self, node: [PLANNED, UNPLANNED])
    with pytest.raises(FAILURE):
        suite.test_only_what_the_plan_lists_is_installed(world, tmp_path)


@pytest.mark.parametrize("world", ["apt"], indirect=True)
def test_one_that_installs_what_the_policy_excludes_dies(world: ExecutorWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LinuxExecutor, "_planned", lambda self, node: [PLANNED])
    with pytest.raises(FAILURE):
        suite.test_what_the_policy_excludes_since_the_plan_is_not_installed(world)


@pytest.mark.parametrize("world", ["apt"], indirect=True)
@pytest.mark.parametrize("stage", suite.CHANGING)
def test_a_host_that_runs_a_token_twice_dies(world: ExecutorWorld, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    begin_script, tokens = linux.begin_script, iter(range(100))

    def another(token: str, *rest: Any, **more: Any) -> str:
        return begin_script(f"{token}{next(tokens)}", *rest, **more)

    monkeypatch.setattr(linux, "begin_script", another)
    word = {"patch": "hangs", "reboot": "no reboot"}[stage]
    with pytest.raises(FAILURE):
        suite.test_work_that_is_begun_again_under_its_token_runs_once(world, stage, word)
