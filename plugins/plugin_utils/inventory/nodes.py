# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory hosts as candidates of the core."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ...module_utils._core.azure_ids import node_key
from ...module_utils._core.executors import find
from ...module_utils._core.nodes import PREFIX, VARIABLES, Candidate, texts


def candidates(
    task_vars: Mapping[str, Any], application_key: str = "", missed: Collection[str] = ()
) -> Iterator[Candidate]:
    """Yield every inventory host with ``patchtide_executor`` or ``patchtide_node_id``.

    :param application_key: key of the application tag, for selectors.
    :param missed: IDs of missed nodes, for selectors.
    """
    hostvars = task_vars["hostvars"]
    groups: dict[str, set[str]] = {}
    for group, hosts in task_vars["groups"].items():
        for host in hosts:
            groups.setdefault(host, set()).add(group)
    for host in task_vars["groups"]["all"]:
        found = variables_of(hostvars, host)
        members: dict[str, Any] = texts(found, VARIABLES, PREFIX)
        if not members["executor"] and not members["node_id"]:
            continue
        yield _candidate(str(host), found, frozenset(groups[host]), application_key, missed)


def variables_of(hostvars: Any, host: str) -> Mapping[str, Any]:
    """Return a host's variables. Ansible templates each one that is read, which takes longer than to merge them all;
    so it is asked to only where one of ours may be a template."""
    raw = getattr(hostvars, "raw_get", None)
    found: Mapping[str, Any] = raw(host) if raw else hostvars[host]
    ours = (str(value) for name, value in found.items() if raw and str(name).startswith(PREFIX))
    return hostvars[host] if any(sign in text for text in ours for sign in ("{{", "{%", "{#")) else found


def _candidate(
    host: str, found: Mapping[str, Any], groups: frozenset[str], application_key: str, missed: Collection[str]
) -> Candidate:
    members: dict[str, Any] = texts(found, VARIABLES, PREFIX)
    members["node_id"] = node_key(members["node_id"]) or host
    row = find(members["executor"])
    if row is not None and len(row.platforms) == 1:
        members["platform"] = row.platforms[0]  # it works on no other
    tags = {str(key): str(value) for key, value in (found.get(f"{PREFIX}tags") or {}).items()}
    return Candidate(
        host=host,
        managed=bool(found.get(f"{PREFIX}managed", True)),
        tags=tags,
        application=tags.get(application_key, ""),
        groups=groups,
        merged_ids=tuple(map(str, found.get(f"{PREFIX}merged_ids") or ())),
        missed=members["node_id"] in missed,
        **members,
    )


def planned_candidate(node: Mapping[str, Any], application_key: str) -> Candidate:
    """Return a node from the plan, for hosts that are no longer in the inventory."""
    tags = dict(node.get("tags") or {})
    members: dict[str, Any] = {**texts(node, VARIABLES), "host": str(node["host"])}
    return Candidate(**members, tags=tags, application=tags.get(application_key, ""))


def candidate_of(task_vars: Mapping[str, Any], node: Mapping[str, Any], application_key: str) -> Candidate | None:
    """Return a planned node from the current inventory; ``None`` if it no longer exists."""
    hostvars = task_vars.get("hostvars") or {}
    if node["host"] not in hostvars:
        return None
    found = hostvars[node["host"]]
    if node_key(str(found.get(f"{PREFIX}node_id") or node["host"])) != node["node_id"]:
        return None
    return _candidate(str(node["host"]), found, frozenset(found.get("group_names") or ()), application_key, ())
