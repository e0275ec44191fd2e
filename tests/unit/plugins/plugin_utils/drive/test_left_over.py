# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the end of a night leaves over goes on in the next one by running again; a reboot that was put off is first."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock, patch

import pytest
from ansible_collections.patchtide.hybrid.plugins.action import rollout_journal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import JournalError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import GateJudged, Outcome, Resumed, TakenUp
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import to_time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.left_over import has_time_now

from tests.fakes.driving import WAVE, Driving, night
from tests.fakes.fleet_port import START


def first_night(folder: Path, *nodes: str, drain: bool = False) -> Driving:
    """The reboots of these nodes are put off, and the gate pauses."""
    driving = Driving(folder, dict.fromkeys(nodes, 1), drain=drain)
    # the executor verifies by a look of its own, so its verdict stands for the node's state
    driving.executor.script = {("verify", node): ["put off", "ok"] for node in nodes}
    driving.watch.freezes_at = START + timedelta(minutes=2)
    driving.run()
    assert driving.statuses() == dict.fromkeys(nodes, "reboot_pending")
    driving.watch.freezes_at = None
    driving.record(GateJudged(wave=WAVE, verdict="pause"))
    return driving


def next_night(driving: Driving) -> None:
    driving.clock.sleep(20 * 3600)
    driving.record(Resumed(operator="dana", controller="c"))
    nodes = tuple(node for node in driving.turns if has_time_now(driving.fresh(), node))
    driving.record(TakenUp(wave=WAVE, nodes=nodes))
    driving.run()


def test_the_reboot_is_made_good_without_a_second_install(tmp_path: Path) -> None:
    driving = first_night(tmp_path, "a", "b")
    next_night(driving)
    assert driving.begun("patch") == 1 and driving.begun("reboot") == 1
    assert driving.statuses() == {"a": "succeeded", "b": "succeeded"}
    final = driving.rollout.state.nodes["a"].final
    assert final and final["evidence"]["earlier"]["status"] == "reboot_pending"


def test_it_is_drained_for_the_reboot_and_restored(tmp_path: Path) -> None:
    driving = first_night(tmp_path, "web-a", drain=True)
    done = len(driving.executor.calls)
    next_night(driving)
    second = [(what, stage) for what, stage, _nodes in driving.executor.calls[done:]]
    assert second.index(("drain", "")) < second.index(("begin", "reboot")) < second.index(("restore", ""))
    assert driving.rollout.state.prepared == {}


def test_running_the_playbook_again_takes_it_up(tmp_path: Path) -> None:
    driving = first_night(tmp_path, "a")
    task = Mock(
        args={"dir": str(tmp_path), "state": "opened"}, check_mode=False, diff=False, async_val=0, environment=[]
    )
    result = rollout_journal.ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars={})
    assert not result.get("failed"), result
    assert [row["kind"] for row in driving.journal()[-2:]] == ["resumed", "taken_up"]
    assert driving.fresh().state.nodes["a"].stage == "reboot"
    assert [host["wave"] for host in result["play_hosts"]] == [WAVE]


@pytest.mark.parametrize(("wait", "taken_up"), [(30, True), (15, False)])
def test_what_a_night_left_over_is_first_in_the_next_one_of_the_same_wave(
    tmp_path: Path, wait: int, taken_up: bool
) -> None:
    """run_due begins before the window opens; the left-over node would have missed it otherwise."""
    driving = Driving(
        tmp_path,
        {"a": 1, "b": 2},
        nights={"a": 1, "b": 2},
        occurrences=[night(1, 0, 30), night(2, 24 * 60, 30)],
    )
    late = {"node_id": "a", "status": "skipped", "error": {"code": "missed_out_of_time", "text": "too late"}}
    driving.record(Outcome(wave=WAVE, stage="verify", results=(late,)))
    driving.clock.sleep((24 * 60 - 20) * 60)
    arguments = {"dir": str(tmp_path), "state": "opened", "window_wait_minutes": wait}
    task = Mock(args=arguments, check_mode=False, diff=False, async_val=0, environment=[])
    opened = rollout_journal.ActionModule(task, Mock(), Mock(), Mock(), Mock(), None)
    with patch.object(rollout_journal, "find_clock", lambda: driving.clock):
        result = opened.run(task_vars={})
    assert not result.get("failed"), result
    turns = [host["turn"] for host in result["play_hosts"]]
    assert turns == ([1, 2] if taken_up else [2])
    for turn in turns:
        driving.run(turn=turn)
    assert driving.begun_at("patch") == ([("a",), ("b",)] if taken_up else [("b",)])
    opens = driving.rollout.wave(WAVE)["nights"][1]["start"]
    assert min(to_time(at) for at in driving.executor.begun.values()) >= opens


@pytest.mark.parametrize(("hours", "fits"), [(0, True), (2.9, False), (3.5, False), (9, False)])
def test_only_what_fits_into_the_window_now_is_taken_up(tmp_path: Path, hours: float, fits: bool) -> None:
    """Nodes of which nothing was begun are left over as well; each takes 10 minutes here."""
    times = {name: to_time(START + timedelta(hours=at)) for name, at in (("start", 0), ("cutoff_at", 3), ("end", 3))}
    driving = Driving(tmp_path, {"a": 1}, window={"name": "night", **times}, is_begun=True)
    late = {"node_id": "a", "status": "skipped", "error": {"code": "missed_out_of_time", "text": "too late"}}
    driving.record(Outcome(wave=WAVE, stage="verify", results=(late,)))
    driving.clock.sleep(hours * 3600)
    assert has_time_now(driving.fresh(), "a") is fits


def test_what_no_window_left_over_is_not_taken_up(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1}, {("patch", "a"): ["failed"]})
    driving.executor.script[("verify", "a")] = ["failed"]
    driving.run()
    assert not has_time_now(driving.fresh(), "a")
    with pytest.raises(JournalError, match="was not left over"):
        driving.record(TakenUp(wave=WAVE, nodes=("a",)))
