# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets of window targets, tasks, commands and associations: keys with values, as in the API. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import BadInput
from . import limits

#: Values by key, each list sorted, because the service ignores their order.
Targets = Mapping[str, tuple[str, ...]]
MAX_TARGETS, MAX_VALUES = 5, 50
NODE_ID = r"i-(\w{8}|\w{17})|mi-\w{17}"
_KEY = r"[\w\s.:/=\-@]{1,163}"
_KEYS = {"instance_ids": "InstanceIds", "tag_keys": "tag-key", "resource_types": "resource-groups:ResourceTypeFilters"}


def to_targets(options: Mapping[str, Any]) -> dict[str, tuple[str, ...]] | None:
    """Read ``instance_ids``, ``instance_tags``, ``tag_keys``, ``resource_group`` and ``resource_types``.

    Returns ``None`` if none of them is set.
    """
    found = {key: options[name] for name, key in _KEYS.items() if options.get(name) is not None}
    if options.get("resource_group"):
        found["resource-groups:Name"] = [options["resource_group"]]
    for key, values in (options.get("instance_tags") or {}).items():
        found[f"tag:{key}"] = [values] if isinstance(values, str) else values
    if not found and options.get("instance_tags") is None:
        return None
    return {key: tuple(sorted({str(value) for value in values})) for key, values in found.items() if values}


def check_targets(targets: Targets) -> None:
    """Validate the values against the limits of the service.

    :raises BadInput: names the option that the key comes from.
    """
    limits.at_most("targets", targets, MAX_TARGETS)
    groups = [key for key in targets if key.startswith("resource-groups:")]
    if groups and len(groups) < len(targets):
        raise BadInput("resource_group", targets[groups[0]][0], "either a resource group, or nodes and tags")
    if groups and "resource-groups:Name" not in groups:
        raise BadInput("resource_types", list(targets[groups[0]]), "a resource_group as well")
    for key, values in targets.items():
        option = to_option(key)
        limits.matches(option, key, _KEY, "letters, digits, spaces and _.:/=-@, at most 163 with 'tag:'")
        limits.at_most(option, values, MAX_TARGETS if key.endswith("ResourceTypeFilters") else MAX_VALUES)
    for node_id in targets.get("InstanceIds", ()):
        limits.matches(
            "instance_ids", node_id, NODE_ID, "a node ID such as i-0123456789abcdef0 or mi-0123456789abcdef0"
        )


def to_option(key: str) -> str:
    """Return the option that a key comes from."""
    named = {api: option for option, api in _KEYS.items()}
    return named.get(key, "resource_group" if key.startswith("resource-groups:") else f"instance_tags.{key[4:]}")
