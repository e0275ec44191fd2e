# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Current state of EC2 instances, many per call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .paging import read_all

#: Values of one filter of DescribeInstances (EC2 API reference).
_CHUNK = 200
#: A terminated instance stays visible for about an hour ("Instance lifecycle", EC2 user guide).
_GONE = frozenset({"shutting-down", "terminated"})


def read_instances(ec2: Any, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the rows of DescribeInstances by ID, 200 per call, without instances that do not exist.

    Uses a filter, because InstanceIds fails the whole call for one ID that does not exist.
    """
    wanted = [item for item in dict.fromkeys(ids) if item.startswith("i-")]
    found: dict[str, dict[str, Any]] = {}
    for at in range(0, len(wanted), _CHUNK):
        filters = [{"Name": "instance-id", "Values": wanted[at : at + _CHUNK]}]
        rows = read_all(ec2, "describe instances", "describe_instances", "Reservations", 1000, Filters=filters)
        found.update({row["InstanceId"]: row for item in rows for row in item["Instances"]})
    return {item: row for item, row in found.items() if row["State"]["Name"] not in _GONE}
