# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hybrid nodes as SSM keeps them: their role, and their registration. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..change import Change
from ..errors import BadInput
from . import limits

#: Node id to its role; a node that is not registered is missing.
RolesOfNodes = Mapping[str, str]


class ManagedNodePort(Protocol):
    """Hybrid nodes of one place."""

    def roles(self, node_ids: Sequence[str]) -> RolesOfNodes:
        """Return the role of each node that is registered."""

    def set_role(self, node_id: str, iam_role: str) -> None:
        """Give the node another role."""

    def deregister(self, node_id: str) -> None:
        """Take it out of SSM; a node that is already gone is no error."""


def plan_managed_nodes(
    before: RolesOfNodes, node_ids: Sequence[str], iam_role: str | None, *, present: bool
) -> Change[RolesOfNodes]:
    """Say which nodes would get another role, or leave.

    :raises BadInput: a node that shall have a role is not registered.
    """
    if not present:
        return Change(before, {})
    for node_id in node_ids:
        if node_id not in before:
            raise BadInput("instance_ids", node_id, "a hybrid node that is registered here")
    return Change(before, {node_id: iam_role or role for node_id, role in before.items()})


class ManagedNodesNoun:
    """The declared hybrid nodes at one place."""

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
