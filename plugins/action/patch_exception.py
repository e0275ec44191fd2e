# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests, approves, rejects and revokes exceptions; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.change import Change
from ..module_utils._core.errors import BadInput
from ..module_utils._core.exceptions.ledger import declare, name_of
from ..module_utils._core.exceptions.records import ExceptionRecord, ExceptionRules
from ..module_utils._core.exceptions.severity import check_length, open_severities
from ..module_utils._core.owners.window_choices import owned
from ..module_utils._core.policy.values import Policy
from ..module_utils._core.stamp import to_time
from ..module_utils._core.times.schedule import to_zone
from ..module_utils._core.trust.operator import Operator
from ..plugin_utils.approvals.signed_exception import STEPS, check_step, prove_step
from ..plugin_utils.approvals.trust import Trust, find_trust
from ..plugin_utils.aws_options import aws_spec
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.exceptions.open_ledger import open_ledger
from ..plugin_utils.inventory.nodes import candidates
from ..plugin_utils.operator import find_operator
from ..plugin_utils.owner import requester
from ..plugin_utils.policy.file import load_policy
from ..plugin_utils.scan_file import read_scan


class ActionModule(ControllerAction):
    """One record of the ledger; the ledger lies with the controller, as a rollout's journal does."""

    SPEC: ClassVar[dict[str, Any]] = {
        "ledger": {"type": "str", "required": True},
        "state": {
            "type": "str",
            "choices": ["requested", "approved", "rejected", "revoked", "absent"],
            "default": "requested",
        },
        "exception_id": {"type": "str"},
        "node": {"type": "str"},
        "select": {"type": "dict"},
        "from": {"type": "str"},
        "to": {"type": "str"},
        "reason": {"type": "str"},
        "requested_by": {"type": "str"},
        "decided_by": {"type": "str", "aliases": ["approver"]},
        "note": {"type": "str", "default": ""},
        "policy_file": {"type": "path"},
        "scan_file": {"type": "path"},
        "statements": {"type": "path", "default": "exceptions"},
        "timezone": {"type": "str", "default": "UTC"},
        "create_table": {"type": "bool", "default": False},
        "own_nodes": {"type": "bool", "default": False},
    }
    RULES: ClassVar[dict[str, Any]] = {
        "mutually_exclusive": [("node", "select")],
        "required_together": [("from", "to")],
        "required_if": [("own_nodes", True, ["policy_file"])],
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        now = find_clock().now()
        today = now.astimezone(to_zone(options["timezone"])).date()
        policy = load_policy(options["policy_file"]) if options["policy_file"] else None
        rules = policy.exceptions if policy else ExceptionRules()
        if policy and options["own_nodes"]:
            _check_own(options, policy, task_vars)
        trust = find_trust(now)
        ledger = open_ledger(options["ledger"], options, create=options["create_table"] and not self.check_mode)
        name, operator = name_of(options), find_operator(task_vars)

        def decide(before: ExceptionRecord | None) -> ExceptionRecord | None:
            after = declare(before, options, rules, who=_name(operator, trust), today=today, at=to_time(now))
            if trust and after and after != before:
                self._prove(trust, after, options, operator, now)
            return after

        before, after = ledger.change(name, decide, write=not self.check_mode)
        change = Change(_shown(before), _shown(after))
        result: dict[str, Any] = {"changed": change.changed, "patch_exception": change.after or {}}
        if self.diff_mode and change.changed:
            result["diff"] = change.to_diff(f"exception {name}")
        return result

    def _prove(
        self, trust: Trust, after: ExceptionRecord, options: Mapping[str, Any], operator: Operator, now: datetime
    ) -> None:
        """Hold the step against the trust bundle, which the caller's options and the policy can't loosen."""
        state = after.status.value
        scan = read_scan(Path(options["scan_file"]), "scan_file") if options["scan_file"] else None
        severities = open_severities(after.select, scan, now)
        if state in ("requested", "approved"):
            check_length(after, severities, trust.bundle.exceptions.max_days)
        principal = after.requested_by if state == "requested" else after.decided_by
        check_step(trust.bundle, state, principal, operator)
        if STEPS[state] in trust.bundle.exceptions.steps:
            prove_step(
                after,
                state,
                severities,
                principal=principal,
                folder=Path(options["statements"]),
                trust=trust,
                now=now,
                write=not self.check_mode,
            )


def _check_own(options: Mapping[str, Any], policy: Policy, task_vars: Mapping[str, Any]) -> None:
    """Let an owner request, for nodes that are theirs by the policy, and in their own name.

    :raises NotOwner: not every node exists and is theirs. :raises BadInput: it is something else.
    """
    if options["state"] != "requested":
        raise BadInput("state", options["state"], "requested, because own_nodes is set: owners ask, others decide")
    select = {"nodes": [options["node"]]} if options["node"] else options["select"] or {}
    if set(select) != {"nodes"} or not select["nodes"]:
        raise BadInput("select", options["select"], "nodes by ID or inventory name alone, because own_nodes is set")
    by, named = requester(task_vars), options["requested_by"]
    if named not in (None, "", by):
        raise BadInput("requested_by", named, f"{by}, who runs this, because own_nodes is set")
    owned(by, [str(item) for item in select["nodes"]], policy, candidates(task_vars, policy.tags.application))


def _name(operator: Operator, trust: Trust | None) -> str:
    """Return the operator's name in the ledger: as the bundle knows them, if it does."""
    people = sorted(trust.bundle.people_of(operator)) if trust else []
    return people[0] if len(people) == 1 else operator.name


def _shown(record: ExceptionRecord | None) -> dict[str, Any] | None:
    return record.to_dict() if record else None
