# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of SSM resources. Those of EC2 instances are EC2's business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .operations import Answer, NotOurs, Request, SsmError, operation

if TYPE_CHECKING:
    from .backend import Place

#: "50 tags" a resource (AddTagsToResource, TooManyTagsError)
MOST = 50


def tags_of(place: Place, kind: str, resource_id: str) -> dict[str, str]:
    """Return the tags of an existing resource, to be read or changed."""
    if kind == "ManagedInstance":
        node = place.managed_node(resource_id)
        if node is None or node.spec.source == "ec2":
            # "For the ManagedInstance type, the ID value must be prefixed with mi-" (AddTagsToResource)
            raise SsmError("InvalidResourceId", f"{resource_id} is no hybrid managed node of this account and Region.")
        return node.tags
    known = {
        "PatchBaseline": place.baselines,
        "MaintenanceWindow": place.windows,
        "Association": place.kept["associations"],
    }
    if kind == "Document" and resource_id in place.kept["documents"]:
        found: dict[str, str] = place.kept["documents"][resource_id]["tags"]
        return found
    if kind not in known and kind != "Document":
        raise NotOurs
    if resource_id not in known.get(kind, {}):
        raise SsmError("InvalidResourceId", f"{resource_id} does not exist.")
    return place.tags.setdefault((kind, resource_id), {})


def check_tags(rows: list[dict[str, str]]) -> None:
    """Refuse what no resource may carry; a Create calls this before it creates anything."""
    if any(row["Key"].lower().startswith("aws:") for row in rows):
        raise SsmError("ValidationException", "Tag keys that begin with aws: are reserved for system use.")
    if len({row["Key"] for row in rows}) > MOST:
        raise SsmError("ValidationException", f"A resource can have {MOST} tags.")


def set_tags(place: Place, kind: str, resource_id: str, rows: list[dict[str, str]]) -> None:
    """Add or change tags, as AddTagsToResource and the Tags of a Create do."""
    check_tags(rows)
    tags = tags_of(place, kind, resource_id)
    if len(set(tags) | {row["Key"] for row in rows}) > MOST:
        raise SsmError("TooManyTagsError", f"A resource can have {MOST} tags.")
    for row in rows:
        _put(place, kind, resource_id, row["Key"], row["Value"])


def _put(place: Place, kind: str, resource_id: str, key: str, value: str | None) -> None:
    """Set or remove one tag; a node notes it."""
    tags = tags_of(place, kind, resource_id)
    if kind == "ManagedInstance":
        place.nodes[resource_id].tag(key, value)
    elif value is None:
        tags.pop(key, None)
    else:
        tags[key] = value


@operation("AddTagsToResource")
def add_tags_to_resource(place: Place, request: Request) -> Answer:
    set_tags(place, request["ResourceType"], request["ResourceId"], request["Tags"])
    return {}


@operation("RemoveTagsFromResource")
def remove_tags_from_resource(place: Place, request: Request) -> Answer:
    tags_of(place, request["ResourceType"], request["ResourceId"])
    for key in request["TagKeys"]:
        _put(place, request["ResourceType"], request["ResourceId"], key, None)
    return {}


@operation("ListTagsForResource")
def list_tags_for_resource(place: Place, request: Request) -> Answer:
    tags = tags_of(place, request["ResourceType"], request["ResourceId"])
    return {"TagList": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}
