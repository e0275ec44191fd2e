# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds waves and nodes back for freezes and exceptions; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._ansible.spec import PLACES
from ..module_utils._core.errors import PatchtideError
from ..module_utils._core.exceptions.records import ExceptionRules
from ..module_utils._core.model import Status
from ..module_utils._core.nodes import PLANNED, Candidate, texts
from ..module_utils._core.policy.run_rules import QuorumRule
from ..module_utils._core.policy.values import FreezeCalendars
from ..module_utils._core.read import read
from ..module_utils._core.rollout.budgets_left import over_budget
from ..module_utils._core.rollout.reboot_rule import reboot_is_due
from ..module_utils._core.rollout.state import due_nodes
from ..module_utils._core.tags import TagKeys
from ..module_utils._core.text import plain
from ..module_utils._core.times.calendars import Calendar, freeze_at, freeze_during
from ..module_utils._core.work.final_record import error
from ..plugin_utils.aws_options import aws_spec
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.health.checks import ask_quorum
from ..plugin_utils.inventory.nodes import candidates
from ..plugin_utils.rollout.folder import RolloutDir
from ..plugin_utils.rollout.guards import fresh_tags, read_calendars, read_guard

LISTED = 8


class Frozen(PatchtideError):
    """Nothing starts during a freeze."""

    code = "Frozen"


class ActionModule(ControllerAction):
    """One task for a whole wave, its direct hosts included."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "wave": {"type": "str", "required": True},
        "step": {"type": "str", "required": True, "choices": ["start", "install", "reboot"]},
        "exceptions": {"type": "dict", "default": {}},
        "freeze": {"type": "dict", "default": {}},
        "quorum": {"type": "list", "elements": "dict", "default": []},
        "application_tag": {"type": "str", "default": TagKeys().application},
        "accounts": PLACES["accounts"],
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        rollout, wave = RolloutDir(options["dir"], find_clock()), options["wave"]
        rollout.state_of_wave(wave)
        if rollout.state.status == "aborted" or rollout.state.finished:
            return {"changed": False, "held": []}
        if options["step"] == "start":
            if due_nodes(rollout.state, wave, "patch") or due_nodes(rollout.state, wave, "precheck"):
                self._check_start(rollout, options)
            return {"changed": False, "held": []}
        held = self._hold(rollout, options, task_vars)
        if options["step"] == "install" and not self.check_mode:
            held += self._hold_for_service(rollout, options)
        return {"changed": bool(held), "held": held}

    def _hold(
        self, rollout: RolloutDir, options: Mapping[str, Any], task_vars: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Hold back nodes that are due for the step and that a freeze or an exception keeps from it."""
        wave, stage = options["wave"], "patch" if options["step"] == "install" else "reboot"
        due = [rollout.nodes[item] for item in due_nodes(rollout.state, wave, stage)]
        if stage == "reboot":
            due = [node for node in due if reboot_is_due(rollout.state, node["node_id"])]
        held = self._held(rollout, due, options, task_vars) if due else []
        if stage == "reboot":  # it was patched: the final look says that its reboot is pending
            held = [{**item, "status": Status.FAILED.value, "rebooted": False} for item in held]
        self._record(rollout, wave, stage, held)
        return held

    def _hold_for_service(self, rollout: RolloutDir, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Hold back nodes that must stay in service: a cluster has no quorum, or a budget is used up."""
        wave, nodes = options["wave"], rollout.nodes
        due = due_nodes(rollout.state, wave, "patch")
        clusters = sorted({cluster for node in due if (cluster := nodes[node].get("cluster") or "")})
        rules = [read(QuorumRule, rule) for rule in options["quorum"]]
        without = ask_quorum(rules, clusters, clock=rollout.clock, options=options, say=self.say) if clusters else {}
        held = [
            _skipped(nodes[node], "missed_quorum", why)
            for node in due
            if (why := without.get(nodes[node].get("cluster") or ""))
        ]
        self._record(rollout, wave, "patch", held)
        over = [_skipped(nodes[node], "missed_budget", why) for node, why in over_budget(rollout.state, wave).items()]
        self._record(rollout, wave, "patch", over)
        return held + over

    def _record(self, rollout: RolloutDir, wave: str, stage: str, held: Sequence[Mapping[str, Any]]) -> None:
        """Write who is held; a node that was worked on before keeps that result, and is not tried again."""
        before = {item["node_id"]: rollout.state.nodes[item["node_id"]].results.get(stage) for item in held}
        results = [
            {**tried, "no_retry": item["error"]["text"]} if (tried := before[item["node_id"]]) else item
            for item in held
        ]
        if held and not self.check_mode:
            rollout.record("outcome", {"wave": wave, "stage": stage, "results": results})
        self._tell(rollout, held)

    def _check_start(self, rollout: RolloutDir, options: Mapping[str, Any]) -> None:
        """:raises Frozen: a calendar is closed when the wave would begin."""
        window, now = rollout.window(options["wave"]), rollout.clock.now()
        begin = max(now, window.start) if window else now
        freeze = freeze_at(
            read_calendars(read(FreezeCalendars, options["freeze"]), [(begin, begin)], options, _regions(rollout)),
            begin,
        )
        if freeze.frozen:
            until = f" until {freeze.next_transition:%Y-%m-%d %H:%M} UTC" if freeze.next_transition else ""
            why = "; ".join(freeze.reasons)
            raise Frozen(
                f"Wave {options['wave']} can't begin at {begin:%Y-%m-%d %H:%M} UTC: frozen{until} ({why}). "
                "Run it again after that, or make a new plan."
            )

    def _held(
        self,
        rollout: RolloutDir,
        due: Sequence[Mapping[str, Any]],
        options: Mapping[str, Any],
        task_vars: Mapping[str, Any],
    ) -> list[dict[str, Any]]:
        now = rollout.clock.now()
        spans = {node["expected_minutes"]: (now, _end(now, node)) for node in due}
        calendars = read_calendars(
            read(FreezeCalendars, options["freeze"]), list(spans.values()), options, _regions(rollout)
        )
        guard = read_guard(read(ExceptionRules, options["exceptions"]), options)
        questions = {minutes: guard.during(*span) for minutes, span in spans.items()}
        found = []
        for node, candidate in zip(due, self._candidates(due, guard.tag, options, task_vars), strict=True):
            if frozen := _frozen(calendars, now, _end(now, node)):
                found.append(_skipped(node, "freeze", frozen))
            elif why := questions[node["expected_minutes"]](candidate):
                found.append(_skipped(node, "exception", why))
        return found

    def _candidates(
        self,
        due: Sequence[Mapping[str, Any]],
        tag: str,
        options: Mapping[str, Any],
        task_vars: Mapping[str, Any],
    ) -> list[Candidate]:
        """Return the nodes as the inventory knows them now, else as the plan did, with their tags as they are now."""
        key = options["application_tag"]
        known = {item.node_id: item for item in candidates(task_vars, key)} if task_vars.get("hostvars") else {}
        nodes = [known.get(node["node_id"]) or _planned(node, key) for node in due]
        fresh, failed = fresh_tags(nodes, tag, options)
        for place, why in sorted(failed.items()):
            self.say(f"the exception tags of {place} are those of the inventory: {plain(why)}")
        return fresh

    def _tell(self, rollout: RolloutDir, held: Sequence[Mapping[str, Any]]) -> None:
        for item in held[:LISTED]:
            name = rollout.nodes[item["node_id"]]["name"] or item["node_id"]
            self.say(f"  {plain(name)}: held back: {plain(item['error']['text'])}")
        if len(held) > LISTED:
            self.say(f"  and {len(held) - LISTED} more; all are in the journal and in the report")


def _regions(rollout: RolloutDir) -> list[str]:
    return sorted({node["region"] for node in rollout.nodes.values() if node["region"]})


def _end(now: datetime, node: Mapping[str, Any]) -> datetime:
    return now + timedelta(minutes=max(1, int(node["expected_minutes"])))


def _frozen(calendars: Sequence[Calendar], start: datetime, end: datetime) -> str:
    freeze = freeze_during(calendars, start, end) if calendars else None
    return f"frozen: {'; '.join(freeze.reasons)}" if freeze and freeze.frozen else ""


def _skipped(node: Mapping[str, Any], code: str, text: str) -> dict[str, Any]:
    return {"node_id": node["node_id"], "status": Status.SKIPPED.value, "error": error(code, text)}


def _planned(node: Mapping[str, Any], application_key: str) -> Candidate:
    tags = dict(node["tags"])
    members: dict[str, Any] = texts(node, PLANNED)
    return Candidate(**members, tags=tags, application=tags.get(application_key, ""))
