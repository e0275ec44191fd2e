# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compliance items of many nodes: one call for 50 nodes to see what is there, one for each node that differs.

The service does not return ItemContentHash, so that the content is identified by the execution's ID as well, which the
summaries of nodes have (SSM API, ListResourceComplianceSummaries).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from .._core.ssm.inventory import ComplianceItem
from .errors import aws_errors
from .inventory import to_api_item
from .paging import read_all


class SsmNodeItems:
    """The ``NodeItemsPort`` of one account-Region. :param at: when the nodes were scanned."""

    def __init__(self, client: Any, compliance_type: str, at: datetime) -> None:
        self._client, self._type, self._at = client, compliance_type, at

    def known(self) -> dict[str, str]:
        rows = read_all(
            self._client,
            f"read the compliance {self._type}",
            "list_resource_compliance_summaries",
            "ResourceComplianceSummaryItems",
            50,
            Filters=[{"Key": "ComplianceType", "Values": [self._type], "Type": "EQUAL"}],
        )
        return {
            row["ResourceId"]: str((row.get("ExecutionSummary") or {}).get("ExecutionId") or "")
            for row in rows
            if row.get("ComplianceType") == self._type
        }

    def put(self, node_id: str, items: Sequence[ComplianceItem], content: str) -> None:
        with aws_errors(f"put the compliance {self._type} of {node_id}"):
            self._client.put_compliance_items(
                ResourceId=node_id,
                ResourceType="ManagedInstance",
                ComplianceType=self._type,
                ExecutionSummary={"ExecutionTime": self._at, "ExecutionId": content, "ExecutionType": "patchtide"},
                ItemContentHash=content,
                UploadType="COMPLETE",
                Items=[to_api_item(item) for item in items],
            )
