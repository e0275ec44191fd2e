# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory: custom types that users put, what the agent reports by itself, and what it gathers if an association asks.

Types of AWS beside AWS:InstanceInformation and AWS:Tag come from AWS-GatherSoftwareInventory alone (AWS blog
"Understanding AWS Systems Manager Inventory Metadata", table of plug-ins).
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..clock import from_iso
from ..node import Node
from .nodes import information
from .operations import Answer, Request, SsmError, operation, page

if TYPE_CHECKING:
    from .backend import Place

#: "Custom inventory types" a Region, and the size of one (service quotas; PutInventory).
MOST_TYPES, MOST_BYTES = 20, 200 * 1024
#: "Maximum number of days Systems Manager keeps inventory data: 30" (service quotas)
KEPT = timedelta(days=30)
_CUSTOM = re.compile(r"Custom:[A-Za-z0-9_\-]\w+")


def _put(place: Place) -> dict[str, dict[str, dict[str, Any]]]:
    """Node id -> type name -> item."""
    return place.kept["inventory"]


def _known_node(place: Place, node_id: str) -> Node:
    node = place.managed_node(node_id)
    if node is None:
        raise SsmError("InvalidInstanceId", f"{node_id} is no managed node of this account and Region.")
    return node


def _gathered(place: Place, node: Node) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = place.kept["gathered"].get(node.node_id, {})
    return found


def items_of(place: Place, node: Node) -> dict[str, dict[str, Any]]:
    """Return the items that a node put or gathered, by type, the older ones left out."""
    names = [*_put(place).get(node.node_id, {}), *_gathered(place, node)]
    return {name: item for name in names if (item := _item(place, node, name))}


def _types(place: Place) -> set[str]:
    return {name for items in _put(place).values() for name in items}


@operation("PutInventory")
def put_inventory(place: Place, request: Request) -> Answer:
    node = _known_node(place, request["InstanceId"])
    for item in request["Items"]:
        name = item["TypeName"]
        if not _CUSTOM.fullmatch(name):
            raise SsmError("InvalidTypeNameException", f"{name} is no type that can be put: Custom:… is.")
        if len(json.dumps(item)) > MOST_BYTES:
            raise SsmError("ItemSizeLimitExceededException", f"{name} is larger than {MOST_BYTES} bytes.")
        if len(_types(place) | {name}) > MOST_TYPES:
            raise SsmError("CustomSchemaCountLimitExceededException", f"{MOST_TYPES} custom types a Region.")
        _put(place).setdefault(node.node_id, {})[name] = {**item, "Content": item.get("Content", [])}
    return {}


def _item(place: Place, node: Node, name: str) -> dict[str, Any] | None:
    if name == "AWS:InstanceInformation":
        info = information(place, node)
        members = ("AgentVersion", "ComputerName", "InstanceId", "PlatformName", "PlatformType", "PlatformVersion")
        entry = {key: str(info[key]) for key in members}
    else:
        kept = {**_put(place).get(node.node_id, {}), **_gathered(place, node)}.get(name)
        return kept if kept and place.sim.now - from_iso(kept["CaptureTime"]) <= KEPT else None
    return {
        "TypeName": name,
        "SchemaVersion": "1.0",
        "CaptureTime": f"{place.sim.now:%Y-%m-%dT%H:%M:%SZ}",
        "Content": [entry],
    }


@operation("ListInventoryEntries")
def list_inventory_entries(place: Place, request: Request) -> Answer:
    item = _item(place, _known_node(place, request["InstanceId"]), request["TypeName"])
    answer = page("Entries", item["Content"] if item else [], request, 50)
    if item:
        answer |= {key: item[key] for key in ("SchemaVersion", "CaptureTime")}
    return {**answer, "InstanceId": request["InstanceId"], "TypeName": request["TypeName"]}


@operation("GetInventory")
def get_inventory(place: Place, request: Request) -> Answer:
    if request.get("Aggregators"):
        raise SsmError("InvalidAggregatorException", "The lab has no aggregators.")
    wanted = [row["TypeName"] for row in request.get("ResultAttributes", [])] or ["AWS:InstanceInformation"]
    rows = []
    for node in place.managed():
        items = {name: item for name in wanted if (item := _item(place, node, name))}
        if all(_passes(place, node, row) for row in request.get("Filters", [])):
            data = {name: {k: v for k, v in item.items() if k != "Context"} for name, item in items.items()}
            rows.append({"Id": node.node_id, "Data": data})
    return page("Entities", rows, request, 50)


def _passes(place: Place, node: Node, row: dict[str, Any]) -> bool:
    """Filters are Type.Attribute, such as AWS:InstanceInformation.PlatformType."""
    name, _, attribute = row["Key"].partition(".")
    if not attribute:
        raise SsmError("InvalidFilter", f"{row['Key']} is no Type.Attribute.")
    item = _item(place, node, name)
    values = [entry.get(attribute, "") for entry in item["Content"]] if item else []
    found = any(
        value.startswith(wanted) if row.get("Type") == "BeginWith" else value == wanted
        for value in values
        for wanted in row["Values"]
    )
    return not found if row.get("Type") == "NotEqual" else found


@operation("GetInventorySchema")
def get_inventory_schema(place: Place, request: Request) -> Answer:
    rows, gathered = [], {name for items in place.kept["gathered"].values() for name in items}
    for name in sorted({*_types(place), *gathered, "AWS:InstanceInformation"}):
        if name.startswith(request.get("TypeName", "")):
            attributes = {
                key for node in place.managed() if (i := _item(place, node, name)) for e in i["Content"] for key in e
            }
            listed = [{"Name": key, "DataType": "string"} for key in sorted(attributes or {"InstanceId"})]
            rows.append({"TypeName": name, "Version": "1.0", "Attributes": listed})
    return page("Schemas", rows, request, 50)


@operation("DeleteInventory")
def delete_inventory(place: Place, request: Request) -> Answer:
    return place.tokens.once("DeleteInventory", request, lambda: _delete(place, request))


def _delete(place: Place, request: Request) -> Answer:
    name = request["TypeName"]
    if name not in _types(place):
        raise SsmError("InvalidTypeNameException", f"{name} is no custom inventory type here.")
    nodes = [items for items in _put(place).values() if name in items]
    if not request.get("DryRun"):
        for items in nodes:
            del items[name]
    return {"DeletionId": f"{place.chance.getrandbits(64):016x}-0000-4000-8000-000000000000"[-36:], "TypeName": name}
