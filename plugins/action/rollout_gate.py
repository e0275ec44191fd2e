# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges a wave; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock, is_rehearsal
from ..module_utils._core.gates import GateDecision, GateRules, Verdict, WaveTally, decide
from ..module_utils._core.journal import from_time, to_time
from ..module_utils._core.model import Status
from ..module_utils._core.rollout_state import DONE, final_results
from ..module_utils._core.stagerun import PROGRESS_SECONDS
from ..module_utils._core.verdict import lost_record
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.rollout_dir import RolloutDir

DIRECT = ("linux", "windows")


class ActionModule(ControllerAction):
    """Waits for the soak time, decides once, and says why."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "wave": {"type": "str", "required": True},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        rollout, name = RolloutDir(options["dir"], find_clock()), options["wave"]
        wave = rollout.state_of_wave(name)
        if rollout.state.status == "aborted":
            reasons = [] if wave.gate else ["The rollout was aborted."]
            data = {"numbers": {}, "reasons": reasons, **dict(wave.gate or {}), "verdict": Verdict.ABORT.value}
        elif wave.status in ("running", "paused") and not self.check_mode:
            self._settle(rollout, name)
            data = self._decide(rollout, name).to_dict()
            rollout.record("gate", {"wave": name, **data})
        elif wave.status == "promoted" or wave.status == "finished":
            data = {"numbers": {}, "reasons": [], **dict(wave.gate or {}), "verdict": Verdict.PROMOTE.value}
        else:
            data = {"verdict": Verdict.PROMOTE.value, "numbers": {}, "reasons": [f"The wave is {wave.status}."]}
        if rollout.state.waves[name].status == "promoted" and not self.check_mode:
            rollout.record("wave_finished", {"wave": name})
        self._show(name, data)
        shown = {key: data[key] for key in ("verdict", "numbers", "reasons")}
        return {"changed": rollout.events > 0, **shown}

    def _settle(self, rollout: RolloutDir, name: str) -> None:
        """Give a final record to hosts that dropped out of the play: they are lost, and they consume budget."""
        at = to_time(rollout.clock.now())
        lost = [
            lost_record(rollout.nodes[node], Status.UNREACHABLE, "no_record", "the host was lost during its wave", at)
            for node in rollout.state.waves[name].nodes
            if rollout.state.nodes[node].stage != DONE and rollout.nodes[node]["executor"] in DIRECT
        ]
        if lost:
            results = [record.to_dict() for record in lost]
            rollout.record("outcome", {"wave": name, "stage": "verify", "results": results})

    def _decide(self, rollout: RolloutDir, name: str) -> GateDecision:
        plan, rules = rollout.wave(name), GateRules.from_dict(rollout.wave(name)["gate"])
        names = [wave["name"] for wave in rollout.plan["waves"]]
        earlier = final_results(rollout.state, names[: names.index(name)])
        tally = WaveTally.from_statuses(
            len(plan["nodes"]),
            [str(item["status"]) for item in final_results(rollout.state, [name])],
            earlier_failed=sum(Status(item["status"]).is_failure for item in earlier),
            rollout_total=len(rollout.nodes),
        )
        worked_at = rollout.state.waves[name].worked_at
        soak = from_time(worked_at) + timedelta(minutes=plan["soak_minutes"]) if worked_at else None
        decision = decide(rules, tally, soak_until=soak, now=rollout.clock.now())
        while decision.verdict is Verdict.WAIT and decision.wait_until:
            self._wait(rollout, name, decision.wait_until)
            decision = decide(rules, tally, soak_until=soak, now=rollout.clock.now())
        return decision

    def _wait(self, rollout: RolloutDir, name: str, until: datetime) -> None:
        left = (until - rollout.clock.now()).total_seconds()
        self.say(f"{name} soak: {max(left, 0) / 60:.0f} minutes left, until {until:%H:%M} UTC")
        rollout.clock.sleep(max(1.0, left if is_rehearsal() else min(left, PROGRESS_SECONDS)))

    def _show(self, name: str, data: Mapping[str, Any]) -> None:
        numbers = data["numbers"]
        counts = ", ".join(
            f"{numbers[key]} {key}" for key in ("good", "failed", "skipped", "missing") if key in numbers
        )
        self.say(
            f"{name} gate: {str(data['verdict']).upper()}" + (f" ({counts} of {numbers['total']})" if counts else "")
        )
        for reason in data["reasons"]:
            self.say(f"  {reason}")
