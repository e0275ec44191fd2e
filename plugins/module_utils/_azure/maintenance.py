# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads which maintenance configurations of guest patching are assigned to machines, with Resource Graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .._core.work.azure.maintenance import Machine, assigned, to_record
from . import graph
from .arm import Arm
from .zones import to_iana

#: Microsoft Learn, "Sample Azure Resource Graph queries for Azure Update Manager": configurations and assignments.
CONFIGURATIONS = (
    "resources | where type =~ 'microsoft.maintenance/maintenanceconfigurations' "
    "| where properties.maintenanceScope =~ 'InGuestPatch' "
    "| project id, name, window = properties.maintenanceWindow | order by id asc"
)
ASSIGNMENTS = (
    "maintenanceresources | where type =~ 'microsoft.maintenance/configurationassignments' "
    "| project id, properties | order by id asc"
)


def schedules(arm: Arm, subscription: str, machines: Sequence[Machine]) -> Mapping[str, list[dict[str, str]]]:
    """Return the maintenance configurations of each machine of a subscription, by its ID.

    A configuration of another subscription has a name only: its schedule is unknown.
    """
    assignments = list(graph.rows(arm, ASSIGNMENTS, [subscription], "query the maintenance assignments"))
    wanted = {machine.node_id: assigned(machine, assignments) for machine in machines}
    if not any(wanted.values()):
        return {node_id: [] for node_id in wanted}
    places = sorted({configuration.split("/")[2] for found in wanted.values() for configuration in found})
    rows = graph.rows(arm, CONFIGURATIONS, places, "query the maintenance configurations")
    known = {
        str(row.get("id") or "").lower(): to_record(
            str(row.get("name") or ""), row.get("window") or {}, to_iana(str((row.get("window") or {}).get("timeZone")))
        )
        for row in rows
    }
    return {
        node_id: [known.get(item, to_record(item.rpartition("/")[2], {}, "")) for item in found]
        for node_id, found in wanted.items()
    }
