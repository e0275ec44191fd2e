# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and registration of hybrid nodes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..change import Change
from ..errors import BadInput
from . import limits

#: Role by node ID, without nodes that are not registered.
RolesOfNodes = Mapping[str, str]


class ManagedNodePort(Protocol):
    """Hybrid nodes of one account-Region."""

    def roles(self, node_ids: Sequence[str]) -> RolesOfNodes:
        """Return the role of each node that is registered."""

    def set_role(self, node_id: str, iam_role: str) -> None:
        """Change the node's role."""

    def deregister(self, node_id: str) -> None:
        """Deregister it; does nothing if it is not registered."""


def plan_managed_nodes(
    before: RolesOfNodes, node_ids: Sequence[str], iam_role: str | None, *, present: bool
) -> Change[RolesOfNodes]:
    """Return the nodes whose role changes or that are deregistered.

    :raises BadInput: a node to which a role is assigned is not registered.
    """
    if not present:
        return Change(before, {})
    for node_id in node_ids:
        if node_id not in before:
            raise BadInput("instance_ids", node_id, "a hybrid node that is registered in this account-Region")
    return Change(before, {node_id: iam_role or role for node_id, role in before.items()})


class ManagedNodesNoun:
    """Declared hybrid nodes in one account-Region."""

    def __init__(self, port: ManagedNodePort, options: Mapping[str, Any]) -> None:
        self._port = port
        self._options = options

    def plan(self) -> Change[RolesOfNodes]:
        options = self._options
        for node_id in options["instance_ids"]:
            limits.matches("instance_ids", node_id, r"mi-[0-9a-f]{17}", "a hybrid node, mi- and 17 digits")
        limits.shorter("iam_role", options["iam_role"], 64)
        before = self._port.roles(options["instance_ids"])
        present = options["state"] == "present"
        return plan_managed_nodes(before, options["instance_ids"], options["iam_role"], present=present)

    def apply(self, change: Change[RolesOfNodes]) -> RolesOfNodes | None:
        before, after = change.before or {}, change.after or {}
        for node_id, role in before.items():
            if node_id not in after:
                self._port.deregister(node_id)
            elif after[node_id] != role:
                self._port.set_role(node_id, after[node_id])
        return after
