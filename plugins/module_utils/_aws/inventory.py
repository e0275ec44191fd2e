# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom inventory and custom compliance through the SSM API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .._core.errors import ServiceError
from .._core.ssm.inventory import Captured, ComplianceItem, check_query
from .convert import to_plain
from .errors import aws_errors
from .paging import read_all

_AT_ONCE = 8
#: what the service says of an inventory type of a node beside its entries
_CAPTURED = ("CaptureTime", "SchemaVersion", "ContentHash")


def read_entries(client: Any, node_id: str, type_name: str) -> tuple[dict[str, str], ...]:
    """Return a node's entries of an inventory type."""
    return tuple(dict(entry) for entry in read_captured(client, node_id, type_name).entries)


def read_captured(client: Any, node_id: str, type_name: str) -> Captured:
    """Return a node's entries of an inventory type, and when they were captured.

    Paginated here, because botocore has no paginator for it.
    """
    entries: list[dict[str, str]] = []
    token: dict[str, str] = {}
    while True:
        with aws_errors(f"read the inventory {type_name} of {node_id}"):
            reply = client.list_inventory_entries(InstanceId=node_id, TypeName=type_name, MaxResults=50, **token)
        entries += reply.get("Entries", [])
        if not reply.get("NextToken"):
            version = reply.get("SchemaVersion", "")
            return Captured(entries=tuple(entries), at=reply.get("CaptureTime", ""), schema_version=version)
        token = {"NextToken": reply["NextToken"]}


class SsmInventory:
    """The ``InventoryPort`` of one type in one account-Region.

    :param now: capture time of the content, ISO 8601 in UTC to the second.
    """

    def __init__(self, client: Any, type_name: str, schema_version: str, now: str) -> None:
        self._client = client
        self._type = type_name
        self._version = schema_version
        self._now = now

    def read(self, node_ids: Sequence[str]) -> dict[str, Captured]:
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            found = pool.map(lambda node_id: read_captured(self._client, node_id, self._type), node_ids)
            return dict(zip(node_ids, found, strict=True))

    def put(self, node_id: str, entries: Sequence[Mapping[str, str]]) -> None:
        item = {
            "TypeName": self._type,
            "SchemaVersion": self._version,
            "CaptureTime": self._now,
            "Content": [dict(entry) for entry in entries],
        }
        with aws_errors(f"put the inventory {self._type} of {node_id}"):
            self._client.put_inventory(InstanceId=node_id, Items=[item])

    def exists(self) -> bool:
        with aws_errors(f"read the inventory schema {self._type}"):
            reply = self._client.get_inventory_schema(TypeName=self._type)
        return any(row["TypeName"] == self._type for row in reply["Schemas"])

    def delete_type(self) -> None:
        try:
            with aws_errors(f"delete the inventory type {self._type}"):
                self._client.delete_inventory(TypeName=self._type, SchemaDeleteOption="DeleteSchema")
        except ServiceError as error:
            if error.code != "InvalidTypeNameException" or self.exists():
                raise


def read_inventory(client: Any, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return nodes with the types that the options of ``ssm_inventory_info`` select. Keys are kept."""
    check_query(options["types"], options["filters"] or [])
    filters = [{"Key": row["key"], "Values": row["values"], "Type": row["type"]} for row in options["filters"] or []]
    nodes: dict[str, dict[str, Any]] = {}
    for type_name in options["types"]:  # the service accepts one type per call
        request = {"ResultAttributes": [{"TypeName": type_name}], **({"Filters": filters} if filters else {})}
        for row in read_all(client, f"read the inventory {type_name}", "get_inventory", "Entities", 50, **request):
            node = nodes.setdefault(row["Id"], {"instance_id": row["Id"], "inventory": {}, "captured": {}})
            for name, data in row.get("Data", {}).items():
                node["inventory"][name] = data["Content"]
                node["captured"][name] = to_plain({key: data.get(key, "") for key in _CAPTURED})
    return list(nodes.values())


class SsmComplianceItems:
    """The ``ComplianceItemPort`` of one type in one account-Region.

    :param execution: ExecutionSummary of the items.
    """

    def __init__(self, client: Any, compliance_type: str, execution: Mapping[str, str]) -> None:
        self._client = client
        self._type = compliance_type
        self._execution = execution

    def items(self, node_ids: Sequence[str]) -> dict[str, tuple[ComplianceItem, ...]]:
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            return dict(zip(node_ids, pool.map(self._items, node_ids), strict=True))

    def _items(self, node_id: str) -> tuple[ComplianceItem, ...]:
        rows = read_all(
            self._client,
            f"read the compliance {self._type} of {node_id}",
            "list_compliance_items",
            "ComplianceItems",
            50,
            ResourceIds=[node_id],
            ResourceTypes=["ManagedInstance"],
            Filters=[{"Key": "ComplianceType", "Values": [self._type], "Type": "EQUAL"}],
        )
        found = [
            ComplianceItem(
                id=row["Id"],
                status=row["Status"],
                severity=row.get("Severity", "UNSPECIFIED"),
                title=row.get("Title", ""),
                details=row.get("Details", {}),
            )
            for row in rows
        ]
        return tuple(sorted(found, key=lambda item: item.id))

    def put(self, node_id: str, items: Sequence[ComplianceItem]) -> None:
        with aws_errors(f"put the compliance {self._type} of {node_id}"):
            self._client.put_compliance_items(
                ResourceId=node_id,
                ResourceType="ManagedInstance",
                ComplianceType=self._type,
                ExecutionSummary=dict(self._execution),
                UploadType="COMPLETE",
                Items=[to_api_item(item) for item in items],
            )


def to_api_item(item: ComplianceItem) -> dict[str, Any]:
    data = {"Id": item.id, "Status": item.status, "Severity": item.severity, "Details": dict(item.details)}
    return {**data, "Title": item.title} if item.title else data
