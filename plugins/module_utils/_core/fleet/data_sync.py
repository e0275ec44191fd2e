# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a Resource Data Sync: one per node and inventory type, one JSON document a line.

``<prefix>/AWS:InstanceInformation/accountid=…/region=…/resourcetype=ManagedInstanceInventory/<node id>.json``
(AWS blog "Understanding AWS Systems Manager Inventory Metadata").
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .records import Row, text

INFORMATION = "AWS:InstanceInformation"
TAGS = "AWS:Tag"
PATCH_SUMMARY = "AWS:PatchSummary"
PATCH_INFORMATION = "Custom:PatchInformation"

_KEY = re.compile(r"(?:.*/)?([^/]+)/accountid=(\d{12})/region=([^/]+)/resourcetype=[^/]+/(m?i-\w+)\.json")
#: InstanceStatus → (PingStatus, InstanceState). Terminated nodes are none.
_STATUS = {
    "Active": ("Online", ""),
    "ConnectionLost": ("ConnectionLost", ""),
    "Inactive": ("Inactive", ""),
    "Stopped": ("ConnectionLost", "stopped"),
}


def parse_key(key: str) -> tuple[str, str, str, str] | None:
    """Return (inventory type, account, Region, node id) of an object, or nothing if it is another kind of object."""
    found = _KEY.fullmatch(key)
    return (found[1], found[2], found[3], found[4]) if found else None


def key_prefixes(prefix: str, kind: str, accounts: Sequence[str], regions: Sequence[str]) -> list[str]:
    """Return the beginnings of all keys of one inventory type, as narrow as the accounts and Regions allow."""
    base = f"{prefix.strip('/')}/{kind}/" if prefix.strip("/") else f"{kind}/"
    if not accounts:
        return [base]
    if not regions:
        return [f"{base}accountid={account}/" for account in accounts]
    return [f"{base}accountid={account}/region={region}/" for account in accounts for region in regions]


def read_lines(body: bytes) -> list[Row]:
    """Return the documents of an object: one a line, or a JSON list."""
    content = body.decode("utf-8", "replace").strip()
    if content.startswith("["):
        found = json.loads(content)
    else:
        found = [json.loads(line) for line in content.splitlines() if line.strip()]
    return [row for row in found if isinstance(row, Mapping)]


def to_managed_row(rows: Iterable[Row], node_id: str) -> Row | None:
    """Return an AWS:InstanceInformation object as a row of DescribeInstanceProperties; nothing if the node is gone."""
    row = next(iter(rows), {})
    status = text(row.get("InstanceStatus")) or "Active"
    if status == "Terminated":
        return None
    ping, state = _STATUS.get(status, (status, ""))
    return {
        "InstanceId": node_id,
        "PingStatus": ping,
        "InstanceState": state,
        "IPAddress": row.get("IpAddress"),
        **{name: row.get(name) for name in ("AgentVersion", "ComputerName", "PlatformName", "PlatformType")},
        **{name: row.get(name) for name in ("PlatformVersion", "ResourceType", "SourceId", "SourceType")},
    }


def to_tags(rows: Iterable[Row]) -> dict[str, str]:
    """Return the tags of an AWS:Tag object."""
    return {text(row["Key"]): text(row.get("Value")) for row in rows if row.get("Key")}


def to_content(rows: Iterable[Row]) -> dict[str, Any]:
    """Return the first entry of an object without what the sync adds to it."""
    row = next(iter(rows), {})
    added = ("resourceId", "captureTime", "schemaVersion", "accountId", "region", "resourceType")
    return {name: value for name, value in row.items() if name not in added}
