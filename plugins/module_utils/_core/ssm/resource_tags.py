# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of several resources of one type. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..change import Change
from ..errors import BadInput
from ..tags import check_tag_count, check_tags, merge_tags

RESOURCE_TYPES = (
    "ManagedInstance",
    "MaintenanceWindow",
    "PatchBaseline",
    "Document",
    "Parameter",
    "OpsItem",
    "OpsMetadata",
    "Automation",
    "Association",
    "CloudConnector",
)
#: Tags by resource ID.
TagsOfResources = Mapping[str, Mapping[str, str]]


class ResourceTagPort(Protocol):
    """Tags of the resources of one type in one account-Region."""

    def resolve(self, references: Sequence[str]) -> list[str]:
        """Return the IDs of resources given by name or ID. :raises NotFound: one of them does not exist."""

    def read(self, ids: Sequence[str]) -> TagsOfResources:
        """Return the tags of each of them. :raises NotFound: one of them does not exist."""

    def write(self, before: TagsOfResources, after: TagsOfResources) -> None:
        """Change the tags of each resource to those in ``after``."""


def is_on_ec2(resource_type: str, resource_id: str) -> bool:
    """EC2 instances have their tags in EC2, all other resources in SSM."""
    return resource_type == "ManagedInstance" and resource_id.startswith("i-")


def plan_resource_tags(
    before: TagsOfResources, tags: Mapping[str, Any], *, present: bool, purge: bool, any_text: bool = False
) -> Change[TagsOfResources]:
    """Return the tags that change.

    ``any_text``: all of them are in EC2, which accepts any character.
    Absent removes tags by key, and by value unless the value is ``None``.

    :raises BadInput: a limit of the service is exceeded.
    """
    for key in tags:
        if key.lower().startswith("aws:"):
            raise BadInput("tags", key, "a key that does not begin with the reserved prefix aws:")
    if not present:
        return Change(before, {name: _without(own, tags) for name, own in before.items()})
    for key, value in tags.items():
        if value is None:
            raise BadInput(f"tags.{key}", None, "a value")
    check_tags({key: str(value) for key, value in tags.items()}, any_text=any_text)
    after = {name: merge_tags(own, tags, purge) for name, own in before.items()}
    for name, own in after.items():
        check_tag_count(own, f"tags of {name}")
    return Change(before, after)


def _without(own: Mapping[str, str], tags: Mapping[str, Any]) -> dict[str, str]:
    return {key: value for key, value in own.items() if key not in tags or tags[key] not in (None, "", value)}


class ResourceTagsNoun:
    """Declared tags of resources in one account-Region."""

    def __init__(self, port: ResourceTagPort, options: Mapping[str, Any]) -> None:
        self._port = port
        self._options = options

    def plan(self) -> Change[TagsOfResources]:
        options = self._options
        before = self._port.read(self._port.resolve(options["resource_ids"]))
        present = options["state"] == "present"
        on_ec2 = all(is_on_ec2(options["resource_type"], item) for item in before)
        return plan_resource_tags(
            before, options["tags"], present=present, purge=options["purge_tags"], any_text=on_ec2
        )

    def apply(self, change: Change[TagsOfResources]) -> TagsOfResources | None:
        self._port.write(change.before or {}, change.after or {})
        return change.after
