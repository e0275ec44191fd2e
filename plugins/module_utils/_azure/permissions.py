# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions of Azure that the collection needs beside the role Reader, by purpose: the source of role and table.

Names of operations: https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

VM, ARC = "Microsoft.Compute/virtualMachines", "Microsoft.HybridCompute/machines"
_MAINTENANCE, _NETWORK = "Microsoft.Maintenance", "Microsoft.Network"
#: Users put the IDs of their subscriptions in place of this.
SUBSCRIPTION = "YOUR-SUBSCRIPTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """``needed``: when, as Markdown. ``actions``: operations of resource providers, in the order of the alphabet."""

    needed: str
    actions: tuple[str, ...]


ROLLOUT = (
    Purpose(needed="scan", actions=(f"{VM}/assessPatches/action", f"{ARC}/assessPatches/action")),
    Purpose(needed="install", actions=(f"{VM}/installPatches/action", f"{ARC}/installPatches/action")),
    Purpose(
        needed="probe",
        actions=tuple(f"{kind}/runCommands/{act}" for kind in (VM, ARC) for act in ("delete", "read", "write")),
    ),
    Purpose(needed="reboot", actions=(f"{VM}/restart/action",)),
    Purpose(
        needed="`stopped_nodes`",
        actions=(f"{VM}/deallocate/action", f"{VM}/start/action", "Microsoft.Resources/tags/write"),
    ),
    Purpose(
        needed="`hooks.load_balancer`",
        actions=(
            f"{_NETWORK}/applicationGateways/backendAddressPools/join/action",
            f"{_NETWORK}/loadBalancers/backendAddressPools/join/action",
            f"{_NETWORK}/networkInterfaces/write",
            f"{_NETWORK}/virtualNetworks/subnets/join/action",
        ),
    ),
    Purpose(
        needed="`tags.patch_now`, `tags.last_patched`, `choose_window`, `check_azure_tags` with `ensure`",
        actions=("Microsoft.Resources/tags/read", "Microsoft.Resources/tags/write"),
    ),
    Purpose(
        needed="long-running operations",
        actions=(
            "Microsoft.Compute/locations/operations/read",
            "Microsoft.HybridCompute/locations/updateCenterOperationResults/read",
        ),
    ),
)
#: Modules that rollouts do not need. Who may write a machine may change more of it than its patch settings.
MODULES = (
    Purpose(needed="`azure_patch_settings`", actions=(f"{VM}/write", f"{ARC}/write")),
    Purpose(
        needed="`azure_maintenance_configuration`",
        actions=tuple(f"{_MAINTENANCE}/maintenanceConfigurations/{act}" for act in ("delete", "read", "write")),
    ),
    Purpose(
        needed="`azure_maintenance_assignment`, beside write on the machine",
        actions=tuple(f"{_MAINTENANCE}/configurationAssignments/{act}" for act in ("delete", "read", "write")),
    ),
)


def to_role(purposes: Iterable[Purpose]) -> dict[str, Any]:
    """Return a custom role as ``az role definition create`` reads it."""
    return {
        "Name": "patchtide rollout",
        "IsCustom": True,
        "Description": "Scan, install, probe, reboot and prepare machines. Beside the role Reader.",
        "Actions": sorted({action for purpose in purposes for action in purpose.actions}),
        "NotActions": [],
        "DataActions": [],
        "NotDataActions": [],
        "AssignableScopes": [f"/subscriptions/{SUBSCRIPTION}"],
    }
