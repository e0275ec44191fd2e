# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance configurations of guest patching, as values and as a noun. Pure.

Members are those of Microsoft.Maintenance 2023-04-01, Maintenance.json.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..change import Change
from ..errors import BadInput
from ..times.recurrence import from_cron, parse_recurrence
from .ports import ResourcePort

#: Shortest and longest duration of the guest scope in minutes (Microsoft Learn, "Scheduling recurring updates").
SHORTEST, LONGEST = 90, 235
REBOOT: Mapping[str, str] = {"if_required": "IfRequired", "never": "Never", "always": "Always"}
LINUX: Mapping[str, str] = {
    "classifications": "classificationsToInclude",
    "include": "packageNameMasksToInclude",
    "exclude": "packageNameMasksToExclude",
}
WINDOWS: Mapping[str, str] = {
    "classifications": "classificationsToInclude",
    "include": "kbNumbersToInclude",
    "exclude": "kbNumbersToExclude",
}
_NEVER = "9999-12-31"
_TIME = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A configuration. ``start`` and ``expires`` are wall-clock times of ``timezone``, which has its Windows name.

    ``linux`` and ``windows``: what is installed there, each with ``classifications``, ``include`` and ``exclude``.
    """

    name: str
    location: str
    start: str
    duration: str
    timezone: str
    recur_every: str = ""
    expires: str = ""
    reboot: str = "if_required"
    linux: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    windows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    def to_body(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body of a PUT. :param known: the resource as it is, whose other members are kept."""
        properties = dict(known.get("properties") or {})
        for name in ("provisioningState", "systemData"):
            properties.pop(name, None)
        window = {"startDateTime": self.start, "duration": self.duration, "timeZone": self.timezone}
        window["expirationDateTime"] = self.expires or f"{_NEVER} 00:00"
        if self.recur_every:
            window["recurEvery"] = self.recur_every
        properties.update(
            maintenanceScope="InGuestPatch",
            visibility="Custom",
            extensionProperties={"InGuestPatchMode": "User", **(properties.get("extensionProperties") or {})},
            maintenanceWindow=window,
            installPatches={
                "rebootSetting": REBOOT[self.reboot],
                **_parameters("linuxParameters", self.linux, LINUX),
                **_parameters("windowsParameters", self.windows, WINDOWS),
            },
        )
        return {"location": self.location, "tags": dict(self.tags), "properties": properties}


def from_body(data: Mapping[str, Any]) -> Configuration:
    """Read a configuration that exists. Members that it lacks are empty."""
    properties = data.get("properties") or {}
    window, install = properties.get("maintenanceWindow") or {}, properties.get("installPatches") or {}
    words = {value.lower(): key for key, value in REBOOT.items()}
    return Configuration(
        name=str(data.get("name") or ""),
        location=str(data.get("location") or "").lower().replace(" ", ""),
        start=str(window.get("startDateTime") or "")[:16],
        duration=str(window.get("duration") or ""),
        timezone=str(window.get("timeZone") or ""),
        recur_every=_recurrence(str(window.get("recurEvery") or "")),
        expires=_expires(str(window.get("expirationDateTime") or "")),
        reboot=words.get(str(install.get("rebootSetting") or "").lower(), "if_required"),
        linux=_chosen(install.get("linuxParameters") or {}, LINUX),
        windows=_chosen(install.get("windowsParameters") or {}, WINDOWS),
        tags={str(key): str(value) for key, value in (data.get("tags") or {}).items()},
    )


def to_configuration(given: Mapping[str, Any], timezone: str, tags: Mapping[str, str]) -> Configuration:
    """Return the configuration that options declare.

    :param given: ``schedule`` (a cron expression, with ``offset_days``) or ``recur_every``; members that are ``None``
        are not given. :param timezone: the Windows name. :param tags: those of the existing one if none are given.
    :raises BadInput: names the option.
    """
    start, recur_every = _when("start", given["start"]), str(given.get("recur_every") or "")
    if schedule := given.get("schedule"):
        recurrence, hour, minute = from_cron(str(schedule), int(given.get("offset_days") or 0))
        if (start.hour, start.minute) != (hour, minute):
            raise BadInput("start", given["start"], f"a time at {hour:02}:{minute:02}, as in schedule")
        recur_every = str(recurrence)
    elif recur_every:
        recur_every = str(parse_recurrence(recur_every))
    linux, windows = (_texts(given.get(name) or {}) for name in ("linux", "windows"))
    if not (linux or windows):
        raise BadInput("linux", given.get("linux"), "classifications or updates to include, here or in windows")
    return Configuration(
        name=str(given["name"]),
        location=str(given["location"]).lower().replace(" ", ""),
        start=f"{start:{_TIME}}",
        duration=_duration(str(given["duration"])),
        timezone=timezone,
        recur_every=recur_every,
        expires=f"{_when('expires', given['expires']):{_TIME}}" if given.get("expires") else "",
        reboot=str(given["reboot"]),
        linux=linux,
        windows=windows,
        tags=dict(tags if given.get("tags") is None else given["tags"]),
    )


class ConfigurationNoun:
    """A maintenance configuration. :param timezone: Windows name of the declared zone."""

    def __init__(self, port: ResourcePort, given: Mapping[str, Any], timezone: str) -> None:
        self._port, self._given, self._timezone = port, given, timezone
        self._known: Mapping[str, Any] = {}

    def plan(self) -> Change[Configuration]:
        found = self._port.read()
        self._known = found or {}
        before = from_body(found) if found else None
        if self._given["state"] == "absent":
            return Change(before, None)
        after = to_configuration(self._given, self._timezone, before.tags if before else {})
        if before and before.location != after.location:
            raise BadInput("location", self._given["location"], f"{before.location}, where the configuration is")
        return Change(before, after)

    def apply(self, change: Change[Configuration]) -> Configuration | None:
        if change.after is None:
            self._port.delete()
            return None
        return from_body(self._port.put(change.after.to_body(self._known)))


def _parameters(name: str, chosen: Mapping[str, tuple[str, ...]], members: Mapping[str, str]) -> dict[str, Any]:
    return {name: {members[key]: list(values) for key, values in chosen.items()}} if chosen else {}


def _chosen(data: Mapping[str, Any], members: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return _texts({key: data.get(member) for key, member in members.items()})


def _texts(given: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return lists as sorted tuples, without empty ones: their order means nothing."""
    return {key: tuple(sorted(str(item) for item in values)) for key, values in sorted(given.items()) if values}


def _recurrence(text: str) -> str:
    try:
        return str(parse_recurrence(text)) if text else ""
    except BadInput:
        return text


def _expires(text: str) -> str:
    return "" if text.startswith(_NEVER) else text[:16]


def _when(option: str, value: object) -> datetime:
    try:
        return datetime.strptime(str(value), _TIME)
    except ValueError:
        raise BadInput(option, value, "a time such as 2026-06-09 22:00") from None


def _duration(text: str) -> str:
    found = re.fullmatch(r"(\d{1,2}):([0-5]\d)", text)
    minutes = int(found[1]) * 60 + int(found[2]) if found else 0
    if not SHORTEST <= minutes <= LONGEST:
        raise BadInput("duration", text, "01:30 to 03:55, in quotes, because YAML reads 03:30 as a number")
    return f"{minutes // 60:02}:{minutes % 60:02}"
