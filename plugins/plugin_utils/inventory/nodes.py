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
        yield _candidate(str(host), found, frozenset(groups[host]), application_key, missed)


def _candidate(
    host: str, found: Mapping[str, Any], groups: frozenset[str], application_key: str, missed: Collection[str]
) -> Candidate:
    members: dict[str, Any] = texts(found, VARIABLES, PREFIX)
    members["node_id"] = members["node_id"] or host
    tags = {str(key): str(value) for key, value in (found.get(f"{PREFIX}tags") or {}).items()}
    return Candidate(
        host=host,
        managed=bool(found.get(f"{PREFIX}managed", True)),
        tags=tags,
        application=tags.get(application_key, ""),
        groups=groups,
        missed=members["node_id"] in missed,
        **members,
    )


def planned_candidate(node: Mapping[str, Any], application_key: str) -> Candidate:
    """Return a node as the plan knows it, for hosts that the inventory has no more."""
    tags = dict(node.get("tags") or {})
    members: dict[str, Any] = {**texts(node, VARIABLES), "host": str(node["host"])}
    return Candidate(**members, tags=tags, application=tags.get(application_key, ""))


def candidate_of(task_vars: Mapping[str, Any], node: Mapping[str, Any], application_key: str) -> Candidate | None:
    """Return one planned node as the inventory has it now, ``None`` where it has it no more."""
    hostvars = task_vars.get("hostvars") or {}
    if node["host"] not in hostvars:
        return None
    found = hostvars[node["host"]]
    if str(found.get(f"{PREFIX}node_id") or node["host"]) != node["node_id"]:
        return None
    return _candidate(str(node["host"]), found, frozenset(found.get("group_names") or ()), application_key, ())
