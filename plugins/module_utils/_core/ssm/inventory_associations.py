# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Associations that gather inventory on nodes: AWS-GatherSoftwareInventory with its parameters. Pure.

Parameters: user guide, "Configuring inventory collection".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from ..change import Change
from ..errors import Conflict
from .associations import ALL_NODES, Association, AssociationNoun, AssociationPort

DOCUMENT = "AWS-GatherSoftwareInventory"
#: Schedule of a new association without one.
USUAL = "rate(12 hours)"
#: Options of the module -> parameters of the document.
PARAMETERS: Mapping[str, str] = {
    "applications": "applications",
    "aws_components": "awsComponents",
    "custom": "customInventory",
    "instance_details": "instanceDetailedInformation",
    "network": "networkConfig",
    "services": "services",
    "windows_roles": "windowsRoles",
    "windows_updates": "windowsUpdates",
}


def to_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of an association; all managed nodes, unless tags or IDs select some.

    :param options: with ``off``, the names of what is not gathered; ``None`` leaves that as it is.
    """
    selected = any(options.get(name) for name in ("instance_ids", "instance_tags", "tag_keys", "resource_group"))
    off = options["off"]
    values = {name: "Disabled" if key in (off or ()) else "Enabled" for key, name in PARAMETERS.items()}
    parameters = None if off is None else values
    return {**options, "document": DOCUMENT, "parameters": parameters, "all_nodes": not selected}


class InventoryAssociationPort(AssociationPort, Protocol):
    """Associations of one account-Region, and which of them gather inventory on all nodes."""

    def for_all_nodes(self, document: str) -> Sequence[str]:
        """Return the names of the associations that run this document on all nodes; the ID of one without a name."""


class InventoryAssociationNoun(AssociationNoun):
    """Declared gathering of inventory in one account-Region, found by its name."""

    def __init__(self, port: InventoryAssociationPort, options: Mapping[str, Any]) -> None:
        super().__init__(port, to_options(options))
        self._all = port

    def plan(self) -> Change[Association]:
        """:raises Conflict: another association gathers inventory on all nodes. The service accepts one (user guide,
        "Troubleshooting problems with Systems Manager Inventory").
        """
        change = super().plan()
        wanted = change.after
        if change.before or not wanted:
            return change
        if wanted.targets == ALL_NODES:
            for name in self._all.for_all_nodes(DOCUMENT):
                raise Conflict(
                    f"Association {name} gathers inventory on all nodes already, and Systems Manager accepts one. "
                    "Declare that one, or delete it."
                )
        return replace(change, after=replace(wanted, schedule=wanted.schedule or USUAL))
