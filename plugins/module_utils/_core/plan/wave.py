# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One wave of a plan: its nodes, their missing patches, whether they will reboot, and when the wave runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from ..azure_ids import is_vm
from ..executors import find
from ..lists.per_object import PerObject
from ..nodes import PLANNED, Candidate, matches
from ..policy.values import Policy, Reboot, Wave
from ..read import to_document
from .covered import Coverage, is_by_baseline
from .timeline import Timeline, WaveTime

#: Packages whose update takes effect only after a reboot; Windows updates nearly always need one.
_REBOOT = re.compile(
    r"^(kernel|linux-(image|modules|azure|aws|generic)|glibc|libc6|systemd|dbus|openssl-libs|microcode)"
)
_planned = attrgetter(*PLANNED)
_PATCH = ("id", "title", "severity", "classification")
_NONE: Sequence[Any] = ()


def reboot_forecast(platform: str, patch_names: Sequence[str], rule: str) -> str:
    """Return whether the node will reboot: ``yes``, ``no`` or ``unknown`` (the executor decides later)."""
    if rule == "never":
        return "no"
    if rule in ("always", "if_patched"):
        return "yes"
    if not patch_names:
        return "unknown"
    if platform == "windows" or any(_REBOOT.match(name.lower()) for name in patch_names):
        return "yes"
    return "unknown"


def plan_wave(
    wave: Wave,
    members: Sequence[Candidate],
    policy: Policy,
    records: Mapping[str, Any],
    time: WaveTime,
    timeline: Timeline,
    cluster: Callable[[Candidate], str],
    coverage: Coverage,
) -> dict[str, Any]:
    """Return the plan's wave: its nodes with their nights and turns, its windows, gate and rules, and its capacity.

    :param records: the scan's records by node ID; a node that will be started has none.
    :param cluster: returns the name of a node's cluster. :param coverage: the policy's baselines.
    """
    rule = wave.reboot or policy.reboot.rule
    patches = _Patches()
    nights = {node: number for number, night in enumerate(time.nights, 1) for node in night.turns}
    nodes = [
        {
            **_node(node, records.get(node.node_id), _override(node, policy.reboot), rule, patches),
            "expected_minutes": policy.patching.expected_minutes.of(node.platform),
            "turn": time.turns[node.node_id],
            **({"night": nights[node.node_id]} if node.node_id in nights else {}),
            "cluster": cluster(node),
            **_baseline(node, records.get(node.node_id), coverage),
        }
        for node in members
    ]
    return {
        "name": wave.name,
        "order": time.order,
        "window": timeline.window_data(wave, time),
        **timeline.wave_data(time),
        "gate": to_document(wave.gate),
        "soak_minutes": wave.soak_minutes,
        **({"promote_from": wave.promote_from} if wave.promote_from else {}),
        "reboot_rule": rule,
        "turns": max(time.turns.values(), default=1),
        "capacity": timeline.capacity_data(wave, time),
        "nodes": nodes,
    }


def _override(node: Candidate, reboot: Reboot) -> str | None:
    """Return the policy's reboot rule for this node, which takes precedence over its wave's."""
    return next((item.rule for item in reboot.overrides if matches(node, item.select)), None)


def _baseline(node: Candidate, record: Mapping[str, Any] | None, coverage: Coverage) -> dict[str, str]:
    """Return the policy's baseline that covers the node ("" if none does), and the ID of the scan's baseline."""
    if not is_by_baseline(node):
        return {}
    used = ((record or {}).get("evidence") or {}).get("baseline_id")
    return {"baseline": coverage.baseline(node), "baseline_id": str(used or "")}


def _node(
    node: Candidate,
    record: Mapping[str, Any] | None,
    own_rule: str | None,
    wave_rule: str,
    shared: _Patches,
) -> dict[str, Any]:
    scan = record or {}
    patches = shared.listed(scan.get("missing") or _NONE)
    return {
        **dict(zip(PLANNED, _planned(node), strict=True)),
        "tags": dict(node.tags),
        "patch_count": patch_count(scan),
        "patches": patches,
        "counts_before": dict(scan.get("counts") or {}),
        **({"start": True} if is_stopped(node) else {}),
        **({"assessed_at": at} if (at := scan.get("assessed_at")) else {}),
        **({"deferred": deferred} if (deferred := scan.get("deferred")) else {}),
        **({"forecast": forecast} if (forecast := _forecast(scan)) else {}),
        **({"reboot_rule": own_rule} if own_rule else {}),
        "reboot": shared.reboot(patches, node.platform, own_rule or wave_rule),
    }


def _forecast(scan: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the scan says about removals, downgrades, new packages and sizes, and which updates are kept back
    because they would remove packages."""
    kept_back = [str(item.get("id")) for item in scan.get("held") or () if item.get("why") == "removes"]
    return {**(scan.get("forecast") or {}), **({"kept_back": kept_back} if kept_back else {})}


def patch_count(scan: Mapping[str, Any]) -> int:
    """Return how many patches a scan found missing or failed."""
    listed = len(scan.get("missing") or ())
    counts = scan.get("counts") or {}
    return listed or int(counts.get("missing_count", 0)) + int(counts.get("failed_count", 0))


def is_stopped(node: Candidate) -> bool:
    """Return whether it is a stopped EC2 instance or a deallocated virtual machine of Azure, which could be started.

    One that was shut down in its operating system is ``stopped`` in Azure, still has its host and is left alone.
    """
    row = find(node.executor)
    is_off = (node.state == "stopped" and node.node_id.startswith("i-")) or (
        node.state == "deallocated" and is_vm(node.node_id)
    )
    return is_off and row is not None and row.can_start


class _Patches:
    """A plan's form of patches: equal ones are one object on all nodes, and a list that nodes of a scan share is one.

    The scan must not change meanwhile.
    """

    def __init__(self) -> None:
        self._by_value: dict[tuple[str, ...], dict[str, Any]] = {}
        self._one = PerObject(self._to_plan)
        self.listed = PerObject(lambda missing: [self._one(patch) for patch in missing])
        self.reboot = PerObject(_forecast_of)

    def _to_plan(self, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Return the plan's patch for the scan's."""
        values = tuple(patch.get(name, "") for name in _PATCH)
        return self._by_value.setdefault(values, dict(zip(_PATCH, values, strict=True)))


def _forecast_of(patches: Sequence[Mapping[str, Any]], platform: str, rule: str) -> str:
    return reboot_forecast(platform, [patch["title"] or patch["id"] for patch in patches], rule)
