# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance windows: values, limits and the changes that a declaration requires. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ..change import Change, merge
from ..errors import BadInput, Conflict
from ..tags import check_tags, merge_tags
from ..times.schedule import parse, to_bound
from . import limits

WINDOW_ID = r"mw-[0-9a-f]{17}"
_NEEDED = ("schedule", "duration_hours", "cutoff_hours")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A maintenance window of one account-Region.

    ``offset_days`` is 0 for none.
    ``start`` and ``end`` are ISO 8601 in UTC, "" for none.
    """

    name: str
    schedule: str
    duration_hours: int
    cutoff_hours: int
    timezone: str = ""
    offset_days: int = 0
    start: str = ""
    end: str = ""
    description: str = ""
    allow_unassociated_targets: bool = False
    enabled: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)
    window_id: str | None = None


class WindowPort(Protocol):
    """Maintenance windows of one account-Region."""

    def find(self, name: str) -> Window | None:
        """Return the window with this name. :raises Conflict: there are several."""

    def get(self, window_id: str) -> Window | None:
        """Return the window with this ID."""

    def create(self, wanted: Window) -> str:
        """Create it with its tags, enabled, and return its ID."""

    def update(self, wanted: Window) -> None:
        """Replace everything except the tags, by ``wanted.window_id``."""

    def set_tags(self, window_id: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """Change the tags from ``before`` to ``after``."""

    def delete(self, window_id: str) -> None:
        """Delete it with its targets and tasks; does nothing if it does not exist."""


def plan_window(
    before: Window | None, given: Mapping[str, Any], *, present: bool, purge_tags: bool = True
) -> Change[Window]:
    """Return the change that the declaration requires. Members that are ``None`` in ``given`` keep their values.

    :raises BadInput: a limit of the service is exceeded, or a new window lacks a required option.
    """
    if not present:
        return Change(before, None)
    if before is None:
        for option in _NEEDED:
            if given.get(option) is None:
                raise BadInput(option, None, "a value, which a new window requires")
    start = before or Window(name=given["name"], **{option: given[option] for option in _NEEDED})
    tags = merge_tags(start.tags, given.get("tags"), purge_tags)
    wanted = replace(merge(start, {**given, "tags": None}), tags=tags)
    check_window(wanted)
    return Change(before, wanted)


def check_window(wanted: Window) -> None:
    """Validate the values against the limits of the service.

    :raises BadInput: names the option.
    """
    limits.name("name", wanted.name)
    limits.shorter("description", wanted.description, 128)
    check_tags(wanted.tags)
    limits.within("duration_hours", wanted.duration_hours, 1, 24, "hours")
    limits.within("cutoff_hours", wanted.cutoff_hours, 0, 23, "hours")
    if wanted.cutoff_hours >= wanted.duration_hours:
        raise BadInput("cutoff_hours", wanted.cutoff_hours, f"less than the duration of {wanted.duration_hours} hours")
    limits.within("offset_days", wanted.offset_days or None, 1, 6, "days")
    if wanted.offset_days and not wanted.schedule.startswith("cron("):
        raise BadInput("offset_days", wanted.offset_days, "0, because only a cron schedule can have an offset")
    parse(wanted.schedule, wanted.timezone, wanted.offset_days, wanted.start, wanted.end)


def ensure_window(port: WindowPort, change: Change[Window]) -> Window | None:
    """Apply the change and return the resulting window."""
    before, after = change.before, change.after
    if after is None:
        if before:
            port.delete(str(before.window_id))
        return None
    if before is None:
        after = replace(after, window_id=port.create(after))
        if not after.enabled:  # CreateMaintenanceWindow has no parameter Enabled
            port.update(after)
        return after
    if replace(before, tags=after.tags) != after:
        port.update(after)
    if before.tags != after.tags:
        port.set_tags(str(after.window_id), before.tags, after.tags)
    return after


def to_given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the module's options to members of ``Window``; ``None`` if an option is not set."""
    given = {name: options[name] for name in Window.__dataclass_fields__.keys() & options.keys()}
    for name in ("start", "end"):
        if given.get(name):
            given[name] = to_instant(name, given[name])
    return given


def to_instant(option: str, value: str | None) -> str:
    """Return an ISO 8601 time in UTC, ``2026-11-01T00:00:00Z``, so that equal times compare equal; "" for none."""
    found = to_bound(option, value)
    return found.strftime("%Y-%m-%dT%H:%M:%SZ") if found else ""


def only_one(noun: str, name: str, ids: Sequence[str]) -> str | None:
    """Return the single id; names are not unique in SSM, and several are a conflict that a person must resolve."""
    if len(ids) > 1:
        raise Conflict(
            f"There are {len(ids)} {noun}s named {name!r}: {', '.join(ids)}. Use the ID, or delete all but one."
        )
    return ids[0] if ids else None


class WindowNoun:
    """Declared maintenance window in one account-Region, found by its ID or name."""

    def __init__(self, port: WindowPort, given: Mapping[str, Any], *, present: bool, purge_tags: bool) -> None:
        self._port = port
        self._given = given
        self._present = present
        self._purge_tags = purge_tags

    def plan(self) -> Change[Window]:
        wanted_id = self._given.get("window_id")
        limits.matches("window_id", wanted_id, WINDOW_ID, "the ID of a window, mw- and 17 digits")
        before = self._port.get(wanted_id) if wanted_id else self._port.find(self._given["name"])
        if wanted_id and not before and self._present:
            raise BadInput("window_id", wanted_id, "the ID of an existing maintenance window")
        return plan_window(before, self._given, present=self._present, purge_tags=self._purge_tags)

    def apply(self, change: Change[Window]) -> Window | None:
        return ensure_window(self._port, change)
