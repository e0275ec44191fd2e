# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of CloudWatch alarms: the ``AlarmPort``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._core.gate.ports import Alarm
from .._core.model import Place
from .errors import aws_errors
from .places import OwnClients
from .session import Sessions

#: "AlarmNames: Array Members: Maximum number of 100 items." (DescribeAlarms)
_NAMED = 100
#: "If you omit this parameter, only metric alarms are returned, even if composite alarms exist in the account."
_TYPES = ["MetricAlarm", "CompositeAlarm"]


class AwsAlarms:
    """The ``AlarmPort`` of one account-Region. One call per 100 names. Requires ``cloudwatch:DescribeAlarms``."""

    def __init__(self, place: Place, sessions: Sessions) -> None:
        self.place = place
        self._clients = OwnClients(place, sessions)

    def states(self, names: Sequence[str]) -> list[Alarm]:
        wanted = list(dict.fromkeys(names))
        client = self._clients("cloudwatch")
        rows: list[dict[str, Any]] = []
        for at in range(0, len(wanted), _NAMED):
            rows += self._described(client, wanted[at : at + _NAMED])
        found = [Alarm(row["AlarmName"], row["StateValue"], row.get("StateReason", "")) for row in rows]
        return sorted(found, key=lambda item: wanted.index(item.name))

    def _described(self, client: Any, names: list[str]) -> list[dict[str, Any]]:
        """Read all pages of one request, 100 alarms per page instead of the default of 50."""
        rows: list[dict[str, Any]] = []
        request = {"AlarmNames": names, "AlarmTypes": _TYPES, "MaxRecords": _NAMED}
        while True:
            with aws_errors(f"read alarms in {self.place.label}"):
                page = client.describe_alarms(**request)
            rows += page.get("MetricAlarms", []) + page.get("CompositeAlarms", [])
            if not page.get("NextToken"):
                return rows
            request["NextToken"] = page["NextToken"]
