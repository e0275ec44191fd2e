# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch compliance of nodes and its totals. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ..model import Patch

COMPLIANT, NON_COMPLIANT, UNKNOWN = "compliant", "non_compliant", "unknown"
#: State in options, in the service's filter, and the name of its count.
PATCH_STATES = {
    "missing": ("Missing", "missing_count"),
    "failed": ("Failed", "failed_count"),
    "installed": ("Installed", "installed_count"),
    "installed_other": ("InstalledOther", "installed_other_count"),
    "installed_pending_reboot": ("InstalledPendingReboot", "installed_pending_reboot_count"),
    "installed_rejected": ("InstalledRejected", "installed_rejected_count"),
    "available_security_update": ("AvailableSecurityUpdate", "available_security_update_count"),
}
#: A node is non-compliant if one of these is above zero (SSM user guide, "Understanding patch compliance state
#: values").
_BAD_COUNTS = (
    "missing_count",
    "failed_count",
    "installed_pending_reboot_count",
    "installed_rejected_count",
    "critical_non_compliant_count",
    "security_non_compliant_count",
    "other_non_compliant_count",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPatch(Patch):
    """A patch of a node with the time of its installation, "" if it is not installed; a date alone on Windows."""

    installed_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCompliance:
    """A node's patch state after its last Scan or Install. Times are ISO 8601 in UTC; ``""`` if SSM has none."""

    node_id: str
    status: str = UNKNOWN
    patch_group: str = ""
    baseline_id: str = ""
    operation: str = ""
    operation_started_at: str = ""
    operation_ended_at: str = ""
    last_no_reboot_install_at: str = ""
    reboot_option: str = ""
    snapshot_id: str = ""
    install_override_list: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    patches: tuple[ListedPatch, ...] = ()


class CompliancePort(Protocol):
    """Patch states of the nodes of one account-Region."""

    def node_ids(self) -> list[str]:
        """Return all nodes that SSM manages."""

    def of_nodes(self, node_ids: Sequence[str]) -> list[NodeCompliance]:
        """Return the states of these nodes, 50 per call, without nodes that were never scanned."""

    def of_group(self, patch_group: str) -> list[NodeCompliance]:
        """Return the states of the nodes that were in this patch group at their last scan."""

    def patches(self, wanted: Sequence[tuple[str, Sequence[str]]]) -> list[list[ListedPatch]]:
        """Return the patches of each node in the given states, which are named as in the API."""


def to_status(counts: Mapping[str, int]) -> str:
    """Return the compliance status that follows from a node's counts."""
    return NON_COMPLIANT if any(counts.get(name, 0) > 0 for name in _BAD_COUNTS) else COMPLIANT


def read_compliance(
    port: CompliancePort, node_ids: Sequence[str] | None, patch_groups: Sequence[str] | None, states: Sequence[str]
) -> list[NodeCompliance]:
    """Read the given nodes, the nodes of groups, or all nodes. A node that was never scanned has no counts.

    :param states: states of the patches to list, keys of ``PATCH_STATES``. Only nodes with such patches are queried.
    """
    asked = list(node_ids) if node_ids is not None else ([] if patch_groups is not None else port.node_ids())
    found = {item.node_id: item for item in port.of_nodes(asked)} if asked else {}
    for group in patch_groups or ():
        found.update({item.node_id: item for item in port.of_group(group)})
    nodes = [found.pop(node_id, NodeCompliance(node_id=node_id)) for node_id in dict.fromkeys(asked)]
    nodes += sorted(found.values(), key=lambda item: item.node_id)
    return _with_patches(port, nodes, states) if states else nodes


def _with_patches(port: CompliancePort, nodes: list[NodeCompliance], states: Sequence[str]) -> list[NodeCompliance]:
    wanted = []
    for node in nodes:
        present = [PATCH_STATES[name][0] for name in states if node.counts.get(PATCH_STATES[name][1], 0)]
        if present:
            wanted.append((node.node_id, present))
    listed = dict(zip((node_id for node_id, _unused in wanted), port.patches(wanted), strict=True)) if wanted else {}
    return [replace(node, patches=tuple(listed.get(node.node_id, ()))) for node in nodes]


def summarise(nodes: Iterable[NodeCompliance]) -> dict[str, Any]:
    """Return counts of nodes and patches, in total and by patch group, and of listed patches by severity."""
    rows = list(nodes)
    groups = sorted({node.patch_group for node in rows})
    severities = [patch.severity or "Unspecified" for node in rows for patch in node.patches]
    return {
        **_totals(rows),
        "patch_groups": {group: _totals([node for node in rows if node.patch_group == group]) for group in groups},
        "listed_severities": {name: severities.count(name) for name in sorted(set(severities))},
    }


def _totals(rows: Sequence[NodeCompliance]) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for node in rows:
        for name, number in node.counts.items():
            counts[name] = counts.get(name, 0) + number
    statuses = [node.status for node in rows]
    return {
        "nodes": len(rows),
        "counts": counts,
        **{name: statuses.count(name) for name in (COMPLIANT, NON_COMPLIANT, UNKNOWN)},
    }
