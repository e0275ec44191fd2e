# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes nodes by Run Command; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..module_utils._core.rollout.catch_up import lost_after
from ..module_utils._core.rollout.state import LOST, due_nodes
from ..module_utils._core.stamp import to_time
from ..module_utils._core.work.final_record import held_record
from ..module_utils._core.work.precheck import PrecheckRules, services_mode
from ..module_utils._core.work.ssm.stagerun import Stage
from ..module_utils._core.work.ssm.stages import PrecheckStage, VerifyStage, probe_request
from ..plugin_utils.executors.ssm import SsmAction
from ..plugin_utils.rollout.folder import RolloutDir


class ActionModule(SsmAction):
    """Before the work it decides who is held back, after the work it gives every node its final record."""

    SPEC: ClassVar[dict[str, Any]] = {
        **SsmAction.SPEC,
        "purpose": {"type": "str", "choices": ["precheck", "verify"], "default": "precheck"},
        "thresholds": {"type": "dict", "default": {}},
    }

    #: whose list of services is remembered on the nodes: the rollout's
    _key = ""

    def stage(self, options: Mapping[str, Any], rollout: RolloutDir | None) -> Stage:
        self._key = str(rollout.plan["rollout"]) if rollout else ""
        if options["purpose"] == "precheck" or rollout is None:
            return PrecheckStage(_rules(options))
        results = {node_id: state.results for node_id, state in rollout.state.nodes.items()}
        rule = rollout.wave(options["wave"])["reboot_rule"]
        return VerifyStage(rollout.nodes, results, rule, lambda: to_time(rollout.clock.now()))

    def request(self, options: Mapping[str, Any], platform: str, token: str) -> tuple[str, dict[str, list[str]]]:
        services = services_mode(options["purpose"], _rules(options)) if self._key else ""
        return probe_request(platform, 300, services, self._key)

    def settle(self, rollout: RolloutDir, wave: str, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        if options["purpose"] == "precheck":
            return []
        due = due_nodes(rollout.state, wave, "verify")
        return [record for node_id in due if (record := final_without_probe(rollout, node_id))]


def _rules(options: Mapping[str, Any]) -> PrecheckRules:
    return PrecheckRules.from_dict(options["thresholds"], "thresholds.")


def final_without_probe(rollout: RolloutDir, node_id: str) -> dict[str, Any] | None:
    """Return the final record of a node that was held or lost; ``None`` if it has to be looked at."""
    node, done = rollout.nodes[node_id], rollout.state.nodes[node_id].results
    if node["executor"] != "ssm":
        return None
    at = to_time(rollout.clock.now())
    if done.get("precheck", {}).get("outcome") == "skip" and not done["precheck"].get("status"):
        return held_record(node, done["precheck"], at).to_dict()
    for stage in ("precheck", "patch", "reboot", "scan"):
        if done.get(stage, {}).get("status") in LOST:
            return lost_after(node, stage, done[stage], at).to_dict()
    return None
