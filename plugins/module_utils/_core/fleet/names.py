# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is called: the first name the user prefers that belongs to one node alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from ..errors import BadInput
from ..nodes import EMPTY
from .groups import is_built_in
from .records import Node

_BAD = re.compile(r"[^\w.@-]+")
#: Names with a meaning of their own for Ansible. A tag must not be able to become one of them.
RESERVED = frozenset({"localhost", "127.0.0.1", "::1", "all", "ungrouped"})
NAMES = tuple(name for name, value in EMPTY.items() if isinstance(value, str))


def check_names(preferences: Sequence[str]) -> Sequence[str]:
    """Return the option ``hostnames``, or say which entry is not one."""
    for item in preferences:
        if item not in NAMES and not (item.startswith("tag:") and len(item) > 4):
            raise BadInput("hostnames", item, f"tag:<key> or one of {', '.join(NAMES)}")
    return preferences


def host_names(nodes: Sequence[Node], preferences: Sequence[str], taken: Collection[str] = ()) -> list[str]:
    """Return one name per node, in the same order.

    A name that two nodes would have is given to neither, so that a new node never takes another's name; they fall
    back to the next preference, at last to the node id.

    :param taken: names of groups, and of hosts that are not ours; only a node id may be one of them.
    """
    names: list[str] = [""] * len(nodes)
    used = {*RESERVED, *taken}
    for preference in (*preferences, "node_id"):
        open_ = [at for at, name in enumerate(names) if not name]
        if not open_:
            break
        wanted = {at: to_host_name(_value(nodes[at], preference)) for at in open_}
        counts = Counter(wanted.values())
        for at, name in wanted.items():
            is_free = name not in used and not is_built_in(name)
            if name and counts[name] == 1 and (is_free or name == nodes[at]["node_id"]):
                names[at] = name
        used.update(names)
    return [name or _with_place(node) for name, node in zip(names, nodes, strict=True)]


def to_host_name(text: str) -> str:
    """A name that patterns and command lines take as it is; letters of every script stay."""
    return _BAD.sub("-", text).strip("-")


def _value(node: Node, preference: str) -> str:
    if preference.startswith("tag:"):
        return str(node["tags"].get(preference[4:], ""))
    return str(node[preference])


def _with_place(node: Node) -> str:
    return f"{node['node_id']}@{node['account']}.{node['region']}"
