# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory's hosts as the core's candidates."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ...module_utils._core.nodes import PREFIX, VARIABLES, Candidate, texts


def candidates(
    task_vars: Mapping[str, Any], application_key: str = "", missed: Collection[str] = ()
) -> Iterator[Candidate]:
    """Yield every inventory host that says how it is patched (``patchtide_executor``), or at least who it is.

    :param application_key: the tag that names the application; selectors may ask for it.
    :param missed: ids of nodes to catch up on; selectors may ask for them.
    """
    hostvars = task_vars["hostvars"]
    groups: dict[str, set[str]] = {}
    for group, hosts in task_vars["groups"].items():
        for host in hosts:
            groups.setdefault(host, set()).add(group)
    for host in task_vars["groups"]["all"]:
        found = hostvars[host]
        members: dict[str, Any] = texts(found, VARIABLES, PREFIX)
        if not members["executor"] and not members["node_id"]:
            continue
        tags = {str(key): str(value) for key, value in (found.get(f"{PREFIX}tags") or {}).items()}
        members["node_id"] = members["node_id"] or str(host)
        yield Candidate(
            host=str(host),
            managed=bool(found.get(f"{PREFIX}managed", True)),
            tags=tags,
            application=tags.get(application_key, ""),
            groups=frozenset(groups[host]),
            missed=members["node_id"] in missed,
            **members,
        )
