# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares a plan with the world before it starts; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.plan.drift import Drift, check_drift, check_policy_digest, find_drift, to_words
from ..module_utils._core.plan.rescan import check_age, find_withdrawn, to_sentence
from ..module_utils._core.policy.values import to_policy
from ..plugin_utils.controller_action import NO_NODES, ControllerAction, EmptyInventory
from ..plugin_utils.inventory.nodes import candidates
from ..plugin_utils.rollout.folder import RolloutDir
from ..plugin_utils.rollout.stores import choose_stores
from ..plugin_utils.scan_file import read_scan

#: Planned patches that are named; the result has all.
LISTED = 8


class ActionModule(ControllerAction):
    """Sees the whole inventory, so it runs on the controller. A rollout that has begun goes on as it was planned."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "policy": {"type": "dict", "required": True},
        "policy_digest": {"type": "str", "required": True},
        "allow_changed_policy": {"type": "bool", "default": False},
        "journal": {"type": "str"},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        folder, policy = Path(options["dir"]), to_policy(options["policy"])
        rollout = RolloutDir(folder, find_clock(), choose_stores(folder, options["journal"], None, write=False))
        if rollout.state.status != "new":
            return {"changed": False, "checked": False, "withdrawn": [], **Drift().to_dict()}
        if not options["allow_changed_policy"]:
            check_policy_digest(rollout.plan, options["policy_digest"])
        watched = policy.drift.nodes is not None
        nodes = list(candidates(task_vars, policy.tags.application)) if watched else None
        if nodes is not None and not any(node.executor for node in nodes):
            raise EmptyInventory(NO_NODES)
        scan = read_scan(folder / "scan.json") if (folder / "scan.json").exists() else None
        check_age(scan, find_clock().now(), policy.patching.rescan_hours)
        withdrawn = find_withdrawn(rollout.plan, scan) if scan else []
        for item in withdrawn[:LISTED]:
            self.say(to_sentence(item))
        if len(withdrawn) > LISTED:
            self.say(f"and {len(withdrawn) - LISTED:,} more planned patches that are no longer missing")
        drift = find_drift(rollout.plan, nodes, policy, scan)
        check_drift(drift, policy.drift)
        self._tell(drift)
        return {"changed": False, "checked": True, "withdrawn": withdrawn, **drift.to_dict()}

    def _tell(self, drift: Drift) -> None:
        """Say what differs though it is within the tolerance."""
        if drift.nodes:
            self.say(f"{len(drift.nodes):,} of {drift.planned_nodes:,} planned nodes differ: {to_words(drift.nodes)}")
        if drift.patches:
            total = f"{drift.patches:,} of {drift.planned_patches:,}"
            self.say(f"{total} planned patches differ: {to_words(drift.patched)}")
        if drift.new:
            self.say(f"{drift.new:,} nodes of the inventory are newer than the plan and are not touched")
