# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Managed nodes through the SSM API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .._core.errors import ServiceError
from .convert import to_plain
from .errors import aws_errors
from .inventory import read_captured
from .paging import read_all

_AT_ONCE = 8
#: Values of one filter (botocore's model: 100).
_CHUNK = 100


class SsmManagedNodes:
    """The ``ManagedNodePort`` of one account-Region, also for the info module; ``client`` is its SSM client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def roles(self, node_ids: Sequence[str]) -> dict[str, str]:
        rows = self.rows({"InstanceIds": list(node_ids)})
        return {row["InstanceId"]: row.get("IamRole", "") for row in rows}

    def rows(self, filters: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
        """Return the nodes that match all filters, 100 IDs per call."""
        ids = list(filters.get("InstanceIds", []))
        chunks = [ids[at : at + _CHUNK] for at in range(0, len(ids), _CHUNK)] or [[]]
        return [row for chunk in chunks for row in self._rows({**filters, **({"InstanceIds": chunk} if chunk else {})})]

    def _rows(self, filters: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
        request = {"Filters": [{"Key": key, "Values": list(values)} for key, values in filters.items()]}
        return read_all(
            self._client,
            "list managed nodes",
            "describe_instance_information",
            "InstanceInformationList",
            50,
            **(request if filters else {}),
        )

    def set_role(self, node_id: str, iam_role: str) -> None:
        with aws_errors(f"assign role {iam_role} to {node_id}"):
            self._client.update_managed_instance_role(InstanceId=node_id, IamRole=iam_role)

    def deregister(self, node_id: str) -> None:
        try:
            with aws_errors(f"deregister {node_id}"):
                self._client.deregister_managed_instance(InstanceId=node_id)
        except ServiceError as error:
            if error.code != "InvalidInstanceId":
                raise

    def read(self, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the nodes that the options of ``ssm_managed_node_info`` select, as plain data."""
        filters = dict(options["filters"] or {})
        if options["instance_ids"] is not None:
            filters["InstanceIds"] = options["instance_ids"]
        if filters.get("InstanceIds") == []:
            return []
        rows = self.rows({key: [value] if isinstance(value, str) else value for key, value in filters.items()})
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            return list(pool.map(lambda row: self._whole(row, options), rows))

    def _whole(self, row: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = to_plain(row)
        node_id = row["InstanceId"]
        if options["connection_status"]:
            with aws_errors(f"read the connection status of {node_id}"):
                found["connection_status"] = self._client.get_connection_status(Target=node_id)["Status"]
        if options["associations"]:
            found["associations"] = to_plain(self._associations(node_id))
        if options["inventory"]:
            read = {kind: read_captured(self._client, node_id, kind) for kind in options["inventory"]}
            found["inventory"] = {kind: [dict(entry) for entry in row.entries] for kind, row in read.items()}
            found["captured"] = {
                kind: {"capture_time": row.at, "schema_version": row.schema_version} for kind, row in read.items()
            }
        return found

    def _associations(self, node_id: str) -> list[dict[str, Any]]:
        action, operation = f"list the associations of {node_id}", "describe_instance_associations_status"
        return read_all(self._client, action, operation, "InstanceAssociationStatusInfos", 50, InstanceId=node_id)
