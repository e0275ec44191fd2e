# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enrolls the nodes of the estate; see the module of the same name for the documentation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.enrollment.judge import Judge
from ..module_utils._core.enrollment.machine import ONBOARD, Judgement
from ..module_utils._core.enrollment.words import finding, lines
from ..module_utils._core.policy.values import Policy, to_policy
from ..module_utils._core.stamp import to_time
from ..module_utils._core.text import plain
from ..plugin_utils.agent_update import AgentUpdate
from ..plugin_utils.aws_options import aws_spec, own_region, to_sessions
from ..plugin_utils.azure_login import env_tenants
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.enrollment.azure_tags import judge_again
from ..plugin_utils.enrollment.look import look, select
from ..plugin_utils.enrollment.repair import Repairs
from ..plugin_utils.prepare.places import Clouds


class ActionModule(ControllerAction):
    """Reads the whole estate, judges each machine, and carries out the repairs that the policy allows."""

    SPEC: ClassVar[dict[str, Any]] = {
        "policy": {"type": "dict", "required": True},
        "nodes": {"type": "list", "elements": "str", "default": []},
        "poll_interval": {"type": "int", "default": 15},
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        policy, clock, sessions = to_policy(options["policy"]), find_clock(), to_sessions(options)
        now = clock.now()
        estate = look(sessions, policy, task_vars, own_region(options, sessions), now)
        machines, unknown = select(estate.machines, options["nodes"])
        judge = Judge(policy, now)
        clouds = Clouds(cache(lambda: sessions), cache(env_tenants))
        planned = judge_again([judge.judge(machine) for machine in machines], clouds, judge.judge)
        judged = planned
        if not self.check_mode:
            repairs = Repairs(
                clouds=clouds,
                accounts=policy.estate.accounts,
                policy_arn=policy.enrollment.role_policy_arn,
                agents=AgentUpdate(
                    sessions=sessions,
                    accounts=policy.estate.accounts,
                    clock=clock,
                    say=self.say,
                    poll_seconds=float(options["poll_interval"]),
                ),
                token=f"enroll {to_time(now)}",
            )
            judged = repairs.carry_out(planned)
        return self._result(policy, judged, estate.failed, unknown)

    def _result(
        self, policy: Policy, judged: Sequence[Judgement], failed: list[dict[str, Any]], unknown: Sequence[str]
    ) -> dict[str, Any]:
        rows = [_row(item, policy) for item in judged if item.repairs or item.findings or item.waiting]
        rows += [_unknown(name) for name in unknown]
        counts = Counter(item.state for item in judged)
        verb = "Would" if self.check_mode else "Did"
        onboarding = _onboarding(policy, judged)
        for row in rows:
            for text in row["repairs"]:
                self.say(plain(f"{verb} {text}: {row['name']}"))
            if row["waiting"]:
                self.say(plain(f"Waits: {row['name']} {row['waiting']}"))
        for line in lines(rows):
            self.say(line)
        for place in failed:
            self.say(plain(f"No answer from {place['place']}: {place['error']['message']}"))
        for host in onboarding["hosts"]:
            self.say(plain(f"{'Would register' if self.check_mode else 'Registers'} by onboard_node: {host['host']}"))
        changed = any(repair.kind != ONBOARD for item in judged for repair in item.repairs)
        return {
            "changed": changed,
            "summary": {state: counts[state] for state in STATES},
            "nodes": rows,
            "findings": sum(len(row["findings"]) for row in rows),
            "failed_places": failed,
            "onboarding": onboarding,
            **self._diff(rows),
        }

    def _diff(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        if not self.diff_mode or not any(row["repairs"] for row in rows):
            return {}
        after = {row["name"]: row["repairs"] for row in rows if row["repairs"]}
        return {"diff": [{"before": {}, "after": after, "before_header": "repairs", "after_header": "repairs"}]}


#: In the order in which the summary has them.
STATES = ("enrolled", "registering", "repairable", "open", "excluded")


def _row(item: Judgement, policy: Policy) -> dict[str, Any]:
    node, record = item.machine.candidate, item.machine.node
    return {
        "node_id": node.node_id,
        "name": plain(record["name"] or node.host),
        "account": node.account,
        "region": node.region,
        "owner": plain(node.tags.get(policy.tags.owner, "")),
        "state": item.state,
        "waiting": item.waiting,
        "repairs": [plain(repair.text()) for repair in item.repairs if repair.kind != ONBOARD],
        "findings": [found.to_dict() for found in item.findings],
    }


def _onboarding(policy: Policy, judged: Sequence[Judgement]) -> dict[str, Any]:
    """Return what the role onboard_node is to register: with what tags, and where."""
    rules = policy.enrollment.onboarding
    account = next((row for row in policy.estate.accounts if rules.account in (row.id, row.name)), None)
    role = {"role_arn": account.role_arn, "external_id": account.external_id} if account and account.role_arn else {}
    return {
        "region": rules.region,
        "iam_role": rules.iam_role,
        "accounts": [{key: value for key, value in role.items() if value}] if role else [],
        "hosts": [
            {"host": item.machine.candidate.host, "tags": dict(repair.tags)}
            for item in judged
            for repair in item.repair(ONBOARD)
        ],
    }


def _unknown(name: str) -> dict[str, Any]:
    row = dict.fromkeys(("node_id", "account", "region", "owner", "waiting"), "")
    return {**row, "name": plain(name), "state": "open", "repairs": [], "findings": [finding("not_found").to_dict()]}
