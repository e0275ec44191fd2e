# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens, continues and closes a rollout's journal; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock, is_rehearsal
from ..module_utils._core.events import (
    Event,
    Resumed,
    RolloutFinished,
    RolloutStarted,
    TakenUp,
)
from ..module_utils._core.plan.approval import find_approval, read_approval
from ..module_utils._core.plan.drift import check_accepted_policy, check_planned_policy
from ..module_utils._core.rollout.catch_up import refused_places
from ..module_utils._core.rollout.play_order import overview
from ..module_utils._core.rollout.state import Rollout
from ..module_utils._core.trust.operator import Operator
from ..module_utils._core.trust.responsibilities import check_operator
from ..plugin_utils.approvals.plan_check import NOT_VERIFIED, PlanCheck, check_plan_trust
from ..plugin_utils.approvals.trust import find_trust
from ..plugin_utils.approvals.wave_check import check_wave
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.files import read_document
from ..plugin_utils.operator import find_operator
from ..plugin_utils.rollout.claims import give_up
from ..plugin_utils.rollout.controller_lock import at_work, controller_name, taking_over
from ..plugin_utils.rollout.folder import CATCH_UP, RolloutDir
from ..plugin_utils.rollout.left_over import has_time_now
from ..plugin_utils.rollout.next_commands import next_of
from ..plugin_utils.rollout.parent import check_not_split, to_approve
from ..plugin_utils.rollout.sharing import open_sharing
from ..plugin_utils.rollout.stores import choose_stores

#: Said in advance: after Ctrl-C, Ansible shows only "User interrupted execution", and a worker can show nothing more.
CAN_BE_INTERRUPTED = "Ctrl-C interrupts it: what nodes were told to do goes on, and the same command continues here."


class ActionModule(ControllerAction):
    """Every event goes through the rollout's state machine; what it refuses is an error and is not written."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "state": {
            "type": "str",
            "required": True,
            "choices": ["opened", "closed"],
        },
        "reason": {"type": "str", "default": ""},
        "approved_digest": {"type": "str"},
        "approval_required": {"type": "bool", "default": False},
        "approval_file": {"type": "path"},
        "policy_digest": {"type": "str"},
        "journal": {"type": "str"},
        "claims": {"type": "str"},
        "scheduled": {"type": "bool", "default": False},
        "window_wait_minutes": {"type": "int", "default": 0},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        stores = choose_stores(Path(options["dir"]), options["journal"], options["claims"], write=not self.check_mode)
        rollout = RolloutDir(options["dir"], find_clock(), stores)
        handler = getattr(self, f"_{options['state']}")
        handler(rollout, options, task_vars)
        if not self.check_mode:
            rollout.keep_checkpoint()
        return {
            "changed": rollout.events > 0,
            "refused_places": refused_places(rollout.state),
            **overview(rollout.state),
            **next_of(rollout, task_vars, self._templar.template),
        }

    def _write(self, rollout: RolloutDir, event: Event) -> None:
        rollout.write(event, check_mode=self.check_mode)

    def _opened(self, rollout: RolloutDir, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> None:
        state, who = rollout.state, find_operator(task_vars)
        if state.finished:
            return
        check_not_split(rollout.path)
        sharing = open_sharing(rollout)
        if sharing and not self.check_mode:
            sharing.check_free(controller_name())
        if not self.check_mode:
            self.say(CAN_BE_INTERRUPTED)
        if new := state.status == "new":
            event: Resumed | RolloutStarted = self._started(
                rollout, options, who, self._ask_people(rollout, who, task_vars)
            )
        else:
            event = self._resumed(rollout, options, who)
        with nullcontext("") if self.check_mode else taking_over(rollout.path) as controller:
            self._write(rollout, replace(event, controller=controller))
            if sharing and not self.check_mode:
                rollout.act_as(controller)
                sharing.follow()
                sharing.claim()
                sharing.adopt_abort()
            if not new:
                self._take_up_left_over(rollout, timedelta(minutes=options["window_wait_minutes"]))

    def _resumed(self, rollout: RolloutDir, options: Mapping[str, Any], who: Operator) -> Resumed:
        state = rollout.state
        self._approval(rollout, options, who, required=False)  # the journal holds it; a wrong one is still a mistake
        digest = options["policy_digest"] or state.policy_digest
        if state.status != "aborted":
            trust = find_trust(rollout.clock.now(), seen=state.bundle_version)
            if trust:  # each wave is asked for when it begins
                check_operator(trust.bundle, "run_rollout", who)
            check_accepted_policy(state.policy_digest, digest)
        return Resumed(
            operator=who.name,
            controller="",
            rehearsal=is_rehearsal(),
            policy_digest=digest,
            scheduled=options["scheduled"],
        )

    def _started(
        self, rollout: RolloutDir, options: Mapping[str, Any], who: Operator, people: PlanCheck | None
    ) -> RolloutStarted:
        plan, approved = rollout.plan, to_approve(rollout.path, rollout.plan).plan
        required = plan["approval"]["required"] or options["approval_required"]
        approval: Mapping[str, Any] | None
        if people is None:
            approval = self._approval(rollout, options, who, required=required)
        else:
            check_wave(people, approved, plan["waves"][0]["name"])
            check_planned_policy(plan, options["policy_digest"])
            approval = {"digest": approved["digest"], "source": "trust", **people.to_dict()}
        return RolloutStarted(
            rollout=plan["rollout"],
            plan_digest=plan["digest"],
            policy_digest=options["policy_digest"] or plan["policy"]["digest"],
            operator=who.name,
            controller="",
            approved_digest=approval["digest"] if approval else None,
            approval=approval,
            approval_required=required,
            rehearsal=is_rehearsal(),
            scheduled=options["scheduled"],
            waves=tuple(wave["name"] for wave in plan["waves"]),
            node_count=len(rollout.nodes),
        )

    def _ask_people(self, rollout: RolloutDir, who: Operator, task_vars: Mapping[str, Any]) -> PlanCheck | None:
        """Return who has approved the plan, by the trust bundle; ``None`` if this controller has none."""
        now, seen = rollout.clock.now(), rollout.state.bundle_version
        about = to_approve(rollout.path, rollout.plan)
        found = check_plan_trust(about.folder, about.plan, now, launcher=who, job=task_vars, seen=seen)
        if found is None:
            self.say(NOT_VERIFIED)
            return None
        check_operator(found.trust.bundle, "run_rollout", who)
        for line in found.lines():
            self.say(line)
        return found

    def _approval(
        self, rollout: RolloutDir, options: Mapping[str, Any], who: Operator, *, required: bool
    ) -> dict[str, str] | None:
        """Return the approval that was given by hand, which nothing verifies."""
        path = options["approval_file"]
        return find_approval(
            to_approve(rollout.path, rollout.plan).plan,
            required=required,
            digest=options["approved_digest"],
            document=read_approval(read_document(path, "approval_file"), "approval_file") if path else None,
            who=who.name,
        )

    def _take_up_left_over(self, rollout: RolloutDir, wait: timedelta) -> None:
        """Let nodes that the end of a window left over be due again, as far as this run has time for them."""
        for name, wave in rollout.state.waves.items():
            if wave.status == "running" and rollout.state.status == "running":
                nodes = tuple(node for node in wave.nodes if has_time_now(rollout, node, wait))
                sharing = None if self.check_mode else open_sharing(rollout)
                if nodes and sharing and sharing.read().is_promoted(name):
                    continue  # the next wave of other child plans may have begun
                if nodes:
                    if sharing:
                        sharing.reopen(name)
                    self._write(rollout, TakenUp(wave=name, nodes=nodes))
                    self.say(f"{name}: {len(nodes)} nodes that were left over are due again")

    def _closed(self, rollout: RolloutDir, options: Mapping[str, Any], _task_vars: Mapping[str, Any]) -> None:
        with nullcontext() if self.check_mode else at_work(rollout):
            self._close(rollout, options)
        if not self.check_mode:
            rollout.copy_journal()
            if missed := rollout.write_catch_up():
                self.say(f"{missed} nodes were missed; {rollout.path / CATCH_UP} lists them for the next plan")
            if rollout.state.finished:
                give_up(rollout)
            self._leave(rollout)

    def _leave(self, rollout: RolloutDir) -> None:
        """Give the claim on a child plan back, so that another controller may take it over at once."""
        state, sharing = rollout.state, open_sharing(rollout)
        if sharing and state.controller == controller_name():
            rollout.act_as(state.controller)
            sharing.follow()
            sharing.leave()

    def _close(self, rollout: RolloutDir, options: Mapping[str, Any]) -> None:
        state = rollout.state
        if state.finished or state.status == "new":
            return
        if state.prepared:
            kept = {what: len(nodes) for (_wave, what), nodes in state.prepared.items()}
            self.say(f"not finished, because something is not restored yet: {kept}. Run it again to try again.")
            return
        if state.status == "running" and all(wave.status == "finished" for wave in state.waves.values()):
            self._write(rollout, RolloutFinished(status="completed", reason="every wave was promoted"))
        elif state.status == "aborted" and not state.intents:
            self._write(rollout, RolloutFinished(status="aborted", reason=options["reason"] or _why(state)))


def _why(state: Rollout) -> str:
    gates = [wave for wave in state.waves.values() if wave.gate and wave.gate.verdict == "abort"]
    return f"the gate after {gates[0].name} closed" if gates else "aborted by decision"
