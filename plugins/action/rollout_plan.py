# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Freezes a plan from policy, inventory and scan; see the module of the same name for the documentation."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock, is_rehearsal
from ..module_utils._core.canonical import to_lines
from ..module_utils._core.errors import BadInput
from ..module_utils._core.lists.override_list import text_of
from ..module_utils._core.nodes import Candidate, Risk
from ..module_utils._core.plan.emergency import Urgent, choose
from ..module_utils._core.plan.pinning import check_lists
from ..module_utils._core.plan.plan import build_plan
from ..module_utils._core.plan.timeline import Timeline, valid_until
from ..module_utils._core.plan.warnings import check_strict
from ..module_utils._core.policy.emergency import in_emergency
from ..module_utils._core.policy.values import Policy, to_policy
from ..module_utils._core.report.next_words import after_plan
from ..module_utils._core.report.text import plan_to_text
from ..module_utils._core.rollout.catch_up import SCHEMA as CATCH_UP_SCHEMA
from ..module_utils._core.shape import NAME, Each, Object, check_shape
from ..module_utils._core.stamp import from_time, to_time
from ..module_utils._core.text import plain
from ..module_utils._core.trust.responsibilities import check_operator
from ..module_utils._core.vulnerability.risk import risks
from ..plugin_utils.approvals.page import approvals_shown
from ..plugin_utils.approvals.trust import find_trust
from ..plugin_utils.aws_options import aws_spec
from ..plugin_utils.controller_action import NO_NODES, ControllerAction, EmptyInventory
from ..plugin_utils.files import read_json, write_pieces, write_text
from ..plugin_utils.inventory.nodes import candidates
from ..plugin_utils.large_json import collector_paused
from ..plugin_utils.operator import find_operator
from ..plugin_utils.report.html import render_plan_html
from ..plugin_utils.rollout.folder import CATCH_UP, LISTS, read_plan
from ..plugin_utils.rollout.guards import read_calendars, read_guard
from ..plugin_utils.rollout.next_commands import to_commands
from ..plugin_utils.scan_file import read_scan
from ..plugin_utils.vulnerability.findings_file import NAME as FINDINGS
from ..plugin_utils.vulnerability.findings_file import stored_findings

_CATCH_UP_SHAPE = Object({"nodes": Each(Object({"node_id": NAME}))})


@dataclass(frozen=True, slots=True)
class _Planning:
    """Makes plans of one estate and scan. ``facts``: what all of them have in common."""

    nodes: Sequence[Candidate]
    scan: Mapping[str, Any]
    facts: Mapping[str, Any]
    options: Mapping[str, Any]

    def plan(self, policy: Policy, now: datetime, urgent: Urgent | None = None) -> dict[str, Any]:
        """Return a plan by a policy, of which the calendars are read."""
        spans = Timeline(policy, now).spans(self.nodes)
        calendars = read_calendars(policy.freeze, spans, self.options, policy.estate.regions)
        return build_plan(self.nodes, policy, self.scan, calendars=calendars, urgent=urgent, **self.facts)


class ActionModule(ControllerAction):
    """Sees the whole inventory, so it runs on the controller; one task whatever the number of nodes."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "policy": {"type": "dict", "required": True},
        "policy_digest": {"type": "str", "required": True},
        "at": {"type": "str"},
        "catch_up": {"type": "path"},
        "emergency": {"type": "bool", "default": False},
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        folder, policy = Path(options["dir"]), to_policy(options["policy"])
        planner = find_operator(task_vars)
        trust = find_trust(find_clock().now())
        if trust:
            check_operator(trust.bundle, "plan_rollout", planner)
        now = _time(options["at"]) if options["at"] else find_clock().now()
        scan = read_scan(folder / "scan.json")
        nodes = list(candidates(task_vars, policy.tags.application, _missed(options["catch_up"], folder)))
        if any(wave.select.by_risk or any(item.by_risk for item in wave.order) for wave in policy.waves):
            known = _risks(folder, now)
            nodes = [replace(node, risk=known[node.node_id]) if node.node_id in known else node for node in nodes]
        if not any(node.executor for node in nodes):
            raise EmptyInventory(NO_NODES)
        planning = _Planning(
            nodes,
            scan,
            {
                "policy_digest": options["policy_digest"],
                "created_at": to_time(now),
                "rollout": secrets.token_hex(16),
                "planner": planner,
                "rehearsal": is_rehearsal(),
                "guard": read_guard(policy.exceptions, options),
            },
            options,
        )
        with collector_paused():
            plan = planning.plan(policy, now)
            if options["emergency"]:
                urgent = _urgent(folder, scan, policy, plan, valid_until(policy, now))
                policy = in_emergency(policy)
                plan = planning.plan(policy, now, urgent)
        check_lists(plan["lists"])
        before = self._existing(folder / "plan.json")
        changed = before is None or before["content_digest"] != plan["content_digest"]
        if before is not None and not changed:
            plan = before
        text = plan_to_text(plan)
        for line in text.splitlines():
            self.say(line)
        if policy.plan.strict:
            check_strict(plan["warnings"])
        commands = to_commands(folder, task_vars, self._templar.template)
        self.say(plain(after_plan(plan, commands, signed=bool(trust))))
        if changed and not self.check_mode:
            unverified = None if trust else approvals_shown(None)
            write_text(folder / "plan.html", render_plan_html(plan, trust=unverified))
            for listed in plan["lists"]:
                write_text(folder / LISTS / listed["name"], text_of(listed))
            write_pieces(folder / "plan.json", to_lines(plan))
        result = {
            "changed": changed,
            **{key: plan.get(key) for key in ("rollout", "digest", "content_digest", "totals", "warnings")},
        }
        if self.diff_mode and changed:
            result["diff"] = {"before": plan_to_text(before) if before else "", "after": text}
        return {**result, "waves": [{"name": wave["name"], "nodes": len(wave["nodes"])} for wave in plan["waves"]]}

    def _existing(self, path: Path) -> dict[str, Any] | None:
        if not path.exists():
            return None
        return read_plan(path)


def _missed(path: str | None, folder: Path) -> frozenset[str]:
    """Return the nodes to catch up on: of the file that is named, else of an earlier rollout in the directory."""
    file = Path(path) if path else folder / CATCH_UP
    if not path and not file.exists():
        return frozenset()
    found = read_json(file, "catch_up")
    if not isinstance(found, dict) or found.get("schema") != CATCH_UP_SCHEMA:
        raise BadInput("catch_up", str(file), f"a list of missed nodes of the schema {CATCH_UP_SCHEMA}")
    check_shape(found, _CATCH_UP_SHAPE, str(file))
    return frozenset(node["node_id"] for node in found["nodes"])


def _risks(folder: Path, now: datetime) -> dict[str, Risk]:
    """Return the risks of nodes by the findings that were imported into the rollout's directory."""
    return risks(stored_findings(folder / FINDINGS, "dir", {}), now.astimezone(timezone.utc).date())


def _urgent(
    folder: Path, scan: Mapping[str, Any], policy: Policy, ordinary: Mapping[str, Any], end: datetime
) -> Urgent:
    """Return what can't wait, by the findings that were imported after this scan."""
    rules, last = policy.emergency, dict[str, Any]()
    if not (rules.severity_sla or rules.kev or rules.cves):
        raise BadInput("policy.emergency", None, "severity_sla, kev or cves; without a limit nothing is urgent")
    found = choose(stored_findings(folder / FINDINGS, "dir", last), rules, ordinary, end)
    if (last["scan"] or {}).get("digest") != scan["digest"]:
        expected = "findings of this scan.json; import them again with vulnerability_import, after the scan"
        raise BadInput("dir", str(folder / FINDINGS), expected)
    return found


def _time(text: str) -> datetime:
    try:
        moment = from_time(text)
    except ValueError:
        raise BadInput("at", text, "a time such as 2026-12-01T22:00:00Z") from None
    if moment.tzinfo is None:
        raise BadInput("at", text, "a time with its zone, such as 2026-12-01T22:00:00Z")
    return moment
