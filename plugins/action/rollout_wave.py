# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Works through one turn of a wave; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock, is_rehearsal
from ..module_utils._ansible.spec import PLACES
from ..module_utils._core.executors import is_direct
from ..module_utils._core.model import Status
from ..module_utils._core.nodes import Candidate
from ..module_utils._core.policy.emergency import policy_of
from ..module_utils._core.policy.values import Policy, to_policy
from ..module_utils._core.rollout.due import Preparations
from ..module_utils._core.rollout.state import DONE
from ..plugin_utils.approvals.wave_check import WaveCheck
from ..plugin_utils.aws_options import aws_spec, to_sessions
from ..plugin_utils.azure_login import env_tenants
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.drive.courses import Courses
from ..plugin_utils.drive.driver import CHECKED, STARTED, WORKED, Driver
from ..plugin_utils.drive.forecast import wave_forecast
from ..plugin_utils.drive.notes import Notes
from ..plugin_utils.drive.opening import Opening
from ..plugin_utils.drive.permits import Permits
from ..plugin_utils.drive.pins import Pins, to_store
from ..plugin_utils.drive.progress_line import WaveProgress
from ..plugin_utils.drive.service_clock import ServiceClock
from ..plugin_utils.drive.tempo import Tempo
from ..plugin_utils.drive.watch import Watch
from ..plugin_utils.executors.open import WaveContext, open_executors
from ..plugin_utils.executors.rules import to_rules
from ..plugin_utils.inventory.nodes import candidate_of
from ..plugin_utils.operator import find_operator
from ..plugin_utils.prepare.last_patched import mark_patched
from ..plugin_utils.prepare.places import Clouds
from ..plugin_utils.prepare.preparation import Preparer
from ..plugin_utils.prepare.preparers import PREPARERS
from ..plugin_utils.rollout.controller_lock import at_work
from ..plugin_utils.rollout.folder import RolloutDir
from ..plugin_utils.rollout.sharing import open_sharing


class ActionModule(ControllerAction):
    """One task for all nodes of a turn, whoever patches them."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "wave": {"type": "str", "required": True},
        "turn": {"type": "int", "default": 1},
        "until": {"type": "str", "choices": [STARTED, CHECKED, WORKED], "default": WORKED},
        "policy": {"type": "dict", "required": True},
        "window_wait_minutes": {"type": "int", "default": 60},
        "poll_interval": {"type": "int", "default": 15},
        "accounts": PLACES["accounts"],
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        rollout, wave = RolloutDir(options["dir"], find_clock()), options["wave"]
        rollout.state_of_wave(wave)
        policy = policy_of(rollout.plan, to_policy(options["policy"]))
        if self.check_mode:
            return self._forecast(rollout, wave, options, drain=policy.hooks.load_balancer.drain)
        with at_work(rollout):
            self._driver(rollout, options, policy, task_vars).run(options["until"])
            rollout.keep_checkpoint()
            if options["until"] == WORKED and policy.tags.last_patched:
                mark_patched(rollout, wave, self._preparer_options(options, policy, "last_patched"), self.say)
        return {"changed": rollout.events > 0, **self._result(rollout, wave, options["turn"])}

    def _driver(
        self, rollout: RolloutDir, options: Mapping[str, Any], policy: Policy, task_vars: Mapping[str, Any]
    ) -> Driver:
        wave = options["wave"]
        sessions = to_sessions(options, rollout.plan["rollout"])
        balancer = policy.hooks.load_balancer
        wanted = [what for what, on in (("drained", balancer.drain), ("patch_now", bool(policy.tags.patch_now))) if on]

        tempo, notes = Tempo(rollout.clock, rehearsal=is_rehearsal()), Notes(rollout, self.say)

        def known(nodes: Sequence[Mapping[str, Any]]) -> list[Candidate | None]:
            return tempo.in_loop(lambda: [candidate_of(task_vars, node, policy.tags.application) for node in nodes])

        pins = Pins(rollout, wave, to_store(policy, options, sessions, rollout.path))
        executors = open_executors(WaveContext(self, rollout, options, to_rules(policy), sessions, task_vars))
        check_clock = ServiceClock(rollout.clock, tuple(executors.values())).check
        watch = Watch(rollout, policy, options, self.say, known)
        sharing = open_sharing(rollout)
        permits = Permits(rollout, wave, watch, pins, tempo, notes, check_clock, sharing=sharing)
        people = WaveCheck(rollout, find_operator(task_vars), task_vars)

        def approve(name: str) -> None:
            if sharing:
                sharing.check_start(name)
            people(name)

        return Driver(
            rollout=rollout,
            wave=wave,
            courses=Courses(rollout, wave, executors, permits, tempo, notes),
            permits=permits,
            preparer=self._preparers(rollout, options, policy, Clouds(lambda: sessions, cache(env_tenants))),
            opening=Opening(
                rollout,
                self.say,
                check_clock,
                options["window_wait_minutes"],
                policy.stopped_nodes.minutes_ahead,
                pins,
                approve,
            ),
            tempo=tempo,
            notes=notes,
            preparations=Preparations(wanted),
            progress=WaveProgress(wave, self.say),
            turn=options["turn"],
        )

    def _preparers(
        self, rollout: RolloutDir, options: Mapping[str, Any], policy: Policy, clouds: Clouds
    ) -> Callable[[str], Preparer]:
        def make(what: str) -> Preparer:
            more = self._preparer_options(options, policy, what)
            return PREPARERS[what](rollout, options["wave"], more, self.say, clouds)

        return make

    def _preparer_options(self, options: Mapping[str, Any], policy: Policy, what: str) -> dict[str, Any]:
        stopped, balancer = policy.stopped_nodes, policy.hooks.load_balancer
        minutes = stopped.minutes_ahead if what == "started" else balancer.timeout_minutes
        return {
            **options,
            "timeout_minutes": minutes,
            "update_agent": stopped.update_agent,
            "tag": policy.tags.patch_now,
            "last_patched": policy.tags.last_patched,
        }

    def _forecast(self, rollout: RolloutDir, wave: str, options: Mapping[str, Any], *, drain: bool) -> dict[str, Any]:
        """Say what would be done; nothing is sent, asked or written."""
        line, nodes = wave_forecast(rollout, wave, options["turn"], drain=drain)
        if options["until"] == WORKED:
            self.say(line)
        return {"changed": bool(nodes), **self._result(rollout, wave, options["turn"]), "hosts": []}

    def _result(self, rollout: RolloutDir, wave: str, turn: int) -> dict[str, Any]:
        """Return the final records of the turn's nodes as counts, and those of hosts that are reached directly."""
        counts: dict[str, int] = {}
        hosts = []
        for node_id in rollout.state.waves[wave].nodes:
            node, state = rollout.nodes[node_id], rollout.state.nodes[node_id]
            if state.turn != turn:
                continue
            final = state.final
            word = str(final["status"]) if final else "open"
            counts[word] = counts.get(word, 0) + 1
            if is_direct(str(node["executor"])):
                why = str(((final or {}).get("error") or {}).get("text") or "")
                bad = Status(final["status"]).is_failure if final else state.stage == DONE
                hosts.append({"host": node["host"], "node_id": node_id, "status": word, "failed": bad, "reason": why})
        return {"counts": counts, "hosts": hosts}
