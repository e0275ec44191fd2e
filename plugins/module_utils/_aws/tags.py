# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of SSM resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.tags import tag_steps
from .convert import from_tag_list, to_tag_list
from .errors import aws_errors


def describe_tags(client: Any, resource_type: str, resource_id: str) -> dict[str, str]:
    """Return the tags of one SSM resource (``PatchBaseline``, ``MaintenanceWindow``, ``ManagedInstance``, …)."""
    with aws_errors(f"list tags of {resource_id}"):
        reply = client.list_tags_for_resource(ResourceType=resource_type, ResourceId=resource_id)
    return from_tag_list(reply["TagList"])


def ensure_tags(
    client: Any, resource_type: str, resource_id: str, before: Mapping[str, str], after: Mapping[str, str]
) -> None:
    """Change the tags of the resource from ``before`` to ``after``."""
    to_set, to_remove = tag_steps(before, after)
    kind = {"ResourceType": resource_type, "ResourceId": resource_id}
    if to_set:
        with aws_errors(f"tag {resource_id}"):
            client.add_tags_to_resource(Tags=to_tag_list(to_set), **kind)
    if to_remove:
        with aws_errors(f"untag {resource_id}"):
            client.remove_tags_from_resource(TagKeys=to_remove, **kind)
