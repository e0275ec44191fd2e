# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks up the lists of a plan for the nodes that install from them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import PatchtideError
from .override_list import is_whole
from .pins import LIST

#: The pin of a node that needs a list.
_BY_LIST = (LIST, "kb")


class ListTrouble(PatchtideError):
    """A list can't be used as it is: nothing is sent to its nodes."""

    code = "ListTrouble"


def is_pinned(node: Mapping[str, Any]) -> bool:
    """Return whether a planned node installs only from a list."""
    return node.get("pin") in _BY_LIST


def needs_list(node: Mapping[str, Any]) -> bool:
    """Return whether a planned node is pinned and has something to install."""
    return is_pinned(node) and bool(node.get("patches"))


def list_of(plan: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the plan's list of a node that needs one.

    :raises ListTrouble: the plan has no such list, or its content does not match.
    """
    found: Mapping[str, Any] | None = next((item for item in plan["lists"] if item["name"] == node.get("list")), None)
    if found is None or not found["address"] or not is_whole(found):
        raise ListTrouble(f"The plan has no usable list {node.get('list')!r} for {node['node_id']}. Make a new plan.")
    return found
