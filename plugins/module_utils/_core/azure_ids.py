# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource IDs of Azure, which have no case: those in the collection are in lower case. IDs of firmware."""

from __future__ import annotations

import re

_UUID = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4}-[0-9a-f]{12})")


def in_azure(node_id: str) -> bool:
    """Return whether a node is a resource of Azure, where its tags are kept; its ID is in any case."""
    return node_id[:15].lower() == "/subscriptions/"


def node_key(node: str) -> str:
    """Return the ID by which the collection knows a node: a resource ID of Azure in lower case, any other as it is.

    Services of Azure write the ID of one machine in different case (azure-rest-api-specs issue 8653). Under two
    spellings, two rollouts could claim it at the same time.
    """
    return node.lower() if in_azure(node) else node


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


def machine_key(text: str) -> str:
    """Return what identifies a machine by its ID in lower case, one key for both orders of the bytes of a UUID.

    The vmId of a virtual machine is the UUID of its firmware. Programs that read the firmware, such as the agent of
    Azure Arc, show the first three groups in the order of SMBIOS 2.6 (little endian) or in that of RFC 4122.
    """
    found = _UUID.fullmatch(text.lower())
    if not found:
        return text.lower()
    swapped = "-".join(bytes.fromhex(part)[::-1].hex() for part in found.groups()[:3])
    return min(text.lower(), f"{swapped}-{found[4]}")
