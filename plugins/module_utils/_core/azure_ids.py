# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource IDs of Azure. They have no case: those in the collection are in lower case."""

from __future__ import annotations


def parts(machine: str) -> tuple[str, str, str]:
    """Return subscription, resource group and name of a machine's resource ID."""
    pieces = machine.strip("/").split("/")
    return pieces[1], pieces[3], pieces[-1]


def is_arc(machine: str) -> bool:
    """Tell whether a resource ID is that of a server of Azure Arc."""
    return "/providers/microsoft.hybridcompute/machines/" in machine.lower()


def is_vm(machine: str) -> bool:
    """Tell whether a resource ID is that of a virtual machine."""
    return "/providers/microsoft.compute/virtualmachines/" in machine.lower()
