# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance configurations of Azure: which are assigned to a machine, and when they patch it. Pure.

Members are those of Microsoft.Maintenance 2023-04-01. A configuration in a scan is ``name``, ``start`` (a wall-clock
time ``2026-06-09 22:00``), ``duration`` (``03:00``), ``timezone`` (IANA), ``recur_every`` and ``expires``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ...azure_ids import is_arc, parts
from ...errors import BadInput
from ...times.recurrence import parse_recurrence
from ...times.schedule import localise, to_zone

_TIME = "%Y-%m-%d %H:%M"
_PROVIDER = "/providers/microsoft.maintenance/configurationassignments/"
#: The duration if a configuration names none is not documented: the longest of the guest scope.
_LONGEST = timedelta(hours=3, minutes=55)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What filters of assignments select by. ``node_id`` is in lower case."""

    node_id: str
    platform: str = ""
    location: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


def assigned(machine: Machine, assignments: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the IDs of the configurations that are assigned to a machine, in lower case.

    An assignment belongs to the machine, or to its subscription or resource group and has a filter.
    """
    found = set()
    for row in assignments:
        properties = row.get("properties") or {}
        scope = str(row.get("id") or "").lower().partition(_PROVIDER)[0]
        chosen = scope == machine.node_id or (
            machine.node_id.startswith(f"{scope}/")
            and "/providers/" not in scope
            and _selects(properties.get("filter") or {}, machine)
        )
        if chosen and (configuration := str(properties.get("maintenanceConfigurationId") or "").lower()):
            found.add(configuration)
    return sorted(found)


def _selects(given: Mapping[str, Any], machine: Machine) -> bool:
    """Tell whether a filter selects a machine. A list that is empty selects all."""
    kind = "microsoft.hybridcompute/machines" if is_arc(machine.node_id) else "microsoft.compute/virtualmachines"
    facts = {
        "resourceTypes": kind,
        "resourceGroups": parts(machine.node_id)[1],
        "osTypes": machine.platform,
        "locations": machine.location,
    }
    for name, value in facts.items():
        wanted = {str(item).lower().replace(" ", "") for item in given.get(name) or ()}
        if wanted and value.lower().replace(" ", "") not in wanted:
            return False
    settings = given.get("tagSettings") or {}
    tags = {key.casefold(): value for key, value in machine.tags.items()}
    hits = [tags.get(key.casefold()) in values for key, values in (settings.get("tags") or {}).items()]
    return not hits or (all(hits) if settings.get("filterOperator") == "All" else any(hits))


def to_record(name: str, window: Mapping[str, Any], timezone: str) -> dict[str, str]:
    """Return a configuration as a scan has it. :param timezone: the IANA name of its zone, ``""`` if unknown."""
    members = {"start": "startDateTime", "duration": "duration", "recur_every": "recurEvery"}
    found = {key: str(window.get(member) or "") for key, member in members.items()}
    expires = str(window.get("expirationDateTime") or "")
    return {"name": name, **found, "timezone": timezone, "expires": "" if expires.startswith("9999") else expires[:16]}


def opens_between(record: Mapping[str, str], begin: datetime, end: datetime) -> datetime | None:
    """Return the first opening whose time overlaps with ``begin`` to ``end``, ``None`` if none does.

    :raises BadInput: its schedule can't be read.
    """
    if not record.get("timezone"):
        raise BadInput("timezone", record.get("timezone"), "a time zone that is known")
    zone = to_zone(record["timezone"])
    first, duration = _time("start", record.get("start")), to_duration(record.get("duration") or "")
    last = _time("expires", record["expires"]) if record.get("expires") else None
    until = min(end, localise(last, zone)) if last else end
    if record.get("recur_every"):
        openings = parse_recurrence(record["recur_every"]).openings(first, zone, begin - duration, until)
    else:
        openings = iter([opening] if (opening := localise(first, zone)) < until else [])
    return next((item for item in openings if item + duration > begin), None)


def to_duration(text: str) -> timedelta:
    """Read ``HH:mm``; nothing is the longest. :raises BadInput: another form."""
    if not text:
        return _LONGEST
    found = re.fullmatch(r"(\d{1,2}):([0-5]\d)", text)
    if not found:
        raise BadInput("duration", text, "hours and minutes such as 03:00")
    return timedelta(hours=int(found[1]), minutes=int(found[2]))


def _time(option: str, value: object) -> datetime:
    try:
        return datetime.strptime(str(value or ""), _TIME)
    except ValueError:
        raise BadInput(option, value, "a time such as 2026-06-09 22:00") from None
