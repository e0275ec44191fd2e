# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of preparation: a tag, load balancer targets, power, patch servers, and users' own tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils._core.nodes import PLANNED
from ...module_utils._core.policy.values import to_policy
from ...module_utils._core.prepare.ports import Target
from ...module_utils._core.rollout.servers import to_promote
from ...module_utils._core.rollout.state import DONE, WHOLE_WAVE
from ..rollout.folder import RolloutDir
from .places import PlacePorts, is_in_cloud, is_instance
from .power import PowerPreparer
from .preparation import Details, Preparer, Reasons, at_work, merged

#: Kinds that a playbook's task files restore; rollout_restore itself restores the others.
HOOKS = ("nodes_hook", "wave_hook")
_TOLD = (*PLANNED, "cluster", "tags")


class PatchNowPreparer(Preparer):
    """The tag of a node while it is patched. A node that cannot be tagged is patched anyway."""

    what = "patch_now"

    def wanted(self) -> list[str]:
        return [node for node in at_work(self.rollout, self.wave) if is_in_cloud(self.rollout.nodes[node])]

    def look(self, nodes: Sequence[str]) -> dict[str, Details]:
        return {node: {"tag": self.options["tag"]} for node in nodes}

    def prepare(self, nodes: Mapping[str, Details]) -> Reasons:
        key, value = self.options["tag"], str(self.rollout.plan["rollout"])
        return self.on_each(nodes, lambda ports, ids: ports.tags.put(ids, key, value))

    def restore(self, nodes: Mapping[str, Details]) -> tuple[Reasons, Reasons]:
        left: Reasons = {}
        for key in sorted({details["tag"] for details in nodes.values()}):
            mine = [node for node, details in nodes.items() if details["tag"] == key]

            def drop(ports: PlacePorts, ids: list[str], key: str = key) -> Reasons:
                return ports.tags.drop(ids, key)

            left |= self.on_each(mine, drop)
        return {}, left


class DrainPreparer(Preparer):
    """Targets of load balancers: deregistered and drained before the install, registered and healthy after."""

    what = "drained"
    missed = "not_drained"

    def wanted(self) -> list[str]:
        return [node for node in at_work(self.rollout, self.wave) if is_instance(self.rollout.nodes[node])]

    def look(self, nodes: Sequence[str]) -> dict[str, Details]:
        """Return the nodes that receive requests; others are not drained. A place that can't be read is reported."""
        answers, failed = self.at_places(nodes, lambda ports, ids: ports.drain.targets(ids))
        found = {node: {"targets": [item.to_dict() for item in targets]} for node, targets in merged(answers).items()}
        return {**found, **{node: {"targets": [], "unknown": why} for node, why in failed.items()}}

    def prepare(self, nodes: Mapping[str, Details]) -> Reasons:
        targets = _targets(nodes)
        refused = {node: details["unknown"] for node, details in nodes.items() if details.get("unknown")}
        refused |= self.on_each(targets, lambda ports, ids: ports.drain.drain(_of(targets, ids)))
        waiting = {node: items for node, items in targets.items() if node not in refused}
        late = self.until(self._minutes, lambda: self._not_in(waiting, ("unused",)), "draining", waiting)
        return {**refused, **late}

    def restore(self, nodes: Mapping[str, Details]) -> tuple[Reasons, Reasons]:
        targets = _targets(nodes)
        left = self.on_each(targets, lambda ports, ids: ports.drain.restore(_of(targets, ids)))
        healthy = {
            node: were
            for node, items in targets.items()
            if node not in left and (were := [item for item in items if item.state == "healthy"])
        }
        late = self.until(self._minutes, lambda: self._not_in(healthy, ("healthy",)), "back into service")
        return late, left

    @property
    def _minutes(self) -> float:
        return float(self.options["timeout_minutes"])

    def _not_in(self, targets: Mapping[str, Sequence[Target]], states: Sequence[str]) -> Reasons:
        """Return the nodes with a target in another state; a target that is gone matches every state."""
        answers, failed = self.at_places(targets, lambda ports, ids: ports.drain.health(_of(targets, ids)))
        health = merged(answers)
        found = dict(failed)
        for node, items in targets.items():
            if bad := [f"{item.group}: {health[item]}" for item in items if health.get(item, states[0]) not in states]:
                found.setdefault(node, "; ".join(bad))
        return found


class NodesHook(Preparer):
    """The users' own task files before and after the nodes of a turn: they prepare and restore, the journal records."""

    what = "nodes_hook"

    def wanted(self) -> list[str]:
        return at_work(self.rollout, self.wave)


class WaveHook(Preparer):
    """The users' own task files before and after a wave."""

    what = "wave_hook"

    def wanted(self) -> list[str]:
        states = self.rollout.state.nodes
        open_nodes = any(states[node].stage != DONE for node in self.rollout.state.waves[self.wave].nodes)
        return [WHOLE_WAVE] if open_nodes else []


class ServersPreparer(WaveHook):
    """What patch servers give to a wave: recorded before the playbook does it, and never undone.

    A wave without nodes in the plan gets it as well: they find in the next scan what is promoted now.
    """

    what = "promoted"

    def wanted(self) -> list[str]:
        wave = self.rollout.state.waves[self.wave]
        found = super().wanted() if wave.nodes else [WHOLE_WAVE] * (wave.status == "running")
        return found if self._steps() else []

    def look(self, nodes: Sequence[str]) -> dict[str, Details]:
        return {WHOLE_WAVE: {"servers": self._steps()}}

    def _steps(self) -> list[dict[str, Any]]:
        policy = to_policy(self.options["policy"])
        names = [wave.name for wave in policy.waves]
        return to_promote(policy.repositories.servers, names, self.rollout.state, self.wave)


PREPARERS: dict[str, type[Preparer]] = {
    item.what: item for item in (DrainPreparer, NodesHook, PatchNowPreparer, WaveHook, ServersPreparer, PowerPreparer)
}


def hook_nodes(rollout: RolloutDir, wave: str, nodes: Sequence[str]) -> list[dict[str, Any]]:
    """Return the data about nodes for task files; a wave as a whole represents all of its nodes."""
    nodes = rollout.state.waves[wave].nodes if WHOLE_WAVE in nodes else nodes
    return [{key: rollout.nodes[node].get(key, "") for key in _TOLD} for node in nodes if node in rollout.nodes]


def _targets(nodes: Mapping[str, Details]) -> dict[str, list[Target]]:
    return {node: [Target.from_dict(item) for item in details["targets"]] for node, details in nodes.items()}


def _of(targets: Mapping[str, Sequence[Target]], ids: Sequence[str]) -> list[Target]:
    return [item for node in ids for item in targets[node]]
