# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The groups every node is in without anybody asking: plain values, no templates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .records import source_of

#: Member of a node → beginning of the group's name.
BUILT_IN: Mapping[str, str] = {
    "platform": "platform",
    "executor": "executor",
    "patch_group": "patch_group",
    "account": "account",
    "region": "region",
    "ping_status": "ping",
    "state": "state",
}

#: Groups of findings and of what Systems Manager manages.
NAMED = frozenset(
    {
        "managed",
        "unmanaged",
        "no_instance_profile",
        "no_patch_group",
        "no_maintenance_window",
        "stale_ping",
        "old_agent",
        "exception_in_force",
        "bad_exception_tag",
        "merged",
    }
)

_BAD = re.compile(r"[^\w]")


def group_names(node: Mapping[str, Any], known: dict[tuple[str, str], str]) -> Iterator[str]:
    """Yield the built-in groups of a node, such as ``platform_linux`` and ``patch_group_web_prod``.

    Findings of the coverage (``unmanaged``, ``no_patch_group``, …) are groups of that name.

    :param known: names already made, by member and value; kept by the caller for all nodes.
    """
    for member in BUILT_IN:
        value = node[member]
        if value:
            name = known.get((member, value))
            if name is None:
                name = known[member, value] = safe_name(f"{BUILT_IN[member]}_{value}")
            yield name
    yield f"source_{source_of(node)}"
    if node["managed"]:
        yield "managed"
    if node["merged_ids"]:
        yield "merged"
    yield from node["coverage"]


def is_built_in(name: str) -> bool:
    """Whether a name is, or could be, that of a built-in group."""
    return name in NAMED or name.startswith(("source_", *(f"{prefix}_" for prefix in BUILT_IN.values())))


def safe_name(name: str) -> str:
    """A group name Ansible takes as it is: whatever is not a letter, digit or underscore becomes an underscore."""
    return _BAD.sub("_", name).lower() if name.isascii() else _BAD.sub("_", name)
