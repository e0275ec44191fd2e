# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compliance of custom types: PutComplianceItems, ListComplianceItems."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .operations import Answer, Request, SsmError, operation, page

if TYPE_CHECKING:
    from .backend import Place


@operation("PutComplianceItems")
def put_compliance_items(place: Place, request: Request) -> Answer:
    if request["ResourceType"] != "ManagedInstance":
        raise SsmError("InvalidResourceType", f"{request['ResourceType']} is not ManagedInstance.")
    if place.managed_node(request["ResourceId"]) is None:
        raise SsmError("InvalidResourceId", f"{request['ResourceId']} is no managed node of this account and Region.")
    if not request["ComplianceType"].startswith("Custom:"):
        raise SsmError(
            "InvalidItemContentException", f"{request['ComplianceType']} is not yours to write: Custom:… is."
        )
    ids = [item.get("Id", "") for item in request["Items"]]
    if len(set(ids)) != len(ids) or "" in ids:
        raise SsmError("InvalidItemContentException", "Every item needs an Id of its own.")
    summary = {**request["ExecutionSummary"]}
    summary["ExecutionTime"] = _moment(summary["ExecutionTime"])
    key = (request["ResourceId"], request["ComplianceType"])
    kept = place.kept["compliance_items"].get(key, {}) if request.get("UploadType") == "PARTIAL" else {}
    rows = {item["Id"]: {**item, "ExecutionSummary": summary} for item in request["Items"]}
    place.kept["compliance_items"][key] = {**kept, **rows}
    return {}


def _moment(value: float | str | datetime) -> datetime:
    if isinstance(value, str):
        return datetime.fromisoformat(value.replace("Z", "+00:00"))
    return value if isinstance(value, datetime) else datetime.fromtimestamp(value, timezone.utc)


@operation("ListComplianceItems")
def list_compliance_items(place: Place, request: Request) -> Answer:
    ids = request.get("ResourceIds")
    rows: list[dict[str, Any]] = []
    kept: Any = place.kept["compliance_items"]
    for (resource_id, kind), items in sorted(kept.items()):
        if ids and resource_id not in ids:
            continue
        head = {"ComplianceType": kind, "ResourceType": "ManagedInstance", "ResourceId": resource_id}
        rows += [{**head, **item} for item in items.values()]
    for item in request.get("Filters", []):
        rows = [row for row in rows if _passes(row, item)]
    return page("ComplianceItems", rows, request, 50)


def _passes(row: dict[str, Any], item: dict[str, Any]) -> bool:
    key = item.get("Key", "")
    if key not in ("ComplianceType", "Severity", "Status", "Id"):
        raise SsmError("InvalidFilter", f"The filter key {key} is not valid.")
    hit = row.get(key) in item.get("Values", [])
    return not hit if item.get("Type") == "NOT_EQUAL" else hit
