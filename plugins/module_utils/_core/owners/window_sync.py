# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance windows of a place, made from the tags of its nodes: one for each schedule that is in use. Pure.

Equal schedules share a window, windows that exist are kept and used, and what nobody uses is removed if it carries our
mark. An account has 50 windows in a Region (AWS General Reference, Systems Manager endpoints and quotas).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ..change import Change
from ..errors import Conflict
from ..policy.values import Policy
from ..ssm.targets import MAX_VALUES
from ..ssm.windows import Window, to_instant
from ..text import LISTED
from ..times.occurrences import MaintenanceWindow

QUOTA = 50
#: The name of our targets of a window; further ones have a number.
TARGET = "tagged-nodes"
SOURCE = ("Source", "tags")
MANAGED = ("ManagedBy", "patchtide")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedWindow:
    """A window and the tag values of the nodes that it is for. ``ours``: made here, so that it may be removed here."""

    window: Window
    values: tuple[str, ...] = ()
    ours: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSet:
    """The windows of a place that tags use, by name, and how many others there are."""

    windows: tuple[TaggedWindow, ...] = ()
    others: int = 0


class WindowSetPort(Protocol):
    """Windows of one place, their tags, and our targets of them."""

    def read(self) -> list[TaggedWindow]:
        """Return every window of the place with the tag values of our targets."""

    def put(self, before: TaggedWindow | None, after: TaggedWindow) -> None:
        """Create or update a window of ours, and set our targets of any window."""

    def remove(self, window: TaggedWindow) -> None:
        """Delete a window of ours; of another one our targets alone."""


def wanted_windows(policy: Policy, tagged: Mapping[str, MaintenanceWindow]) -> list[TaggedWindow]:
    """Return one window for each schedule, named after the policy's window that has it.

    :param tagged: by tag value the window that it means.
    """
    groups: dict[tuple[object, ...], list[str]] = {}
    for value, window in sorted(tagged.items()):
        groups.setdefault(_schedule(window), []).append(value)
    order = [window.name for window in policy.windows]
    found = []
    for values in groups.values():
        named = [name for name in order if name in values]
        window = tagged[values[0]]
        name = named[0] if named else f"tagged-{hashlib.sha256(repr(_schedule(window)).encode()).hexdigest()[:12]}"
        found.append(TaggedWindow(window=_to_window(policy, name, window), values=tuple(values)))
    return sorted(found, key=lambda item: item.window.name)


def _schedule(window: MaintenanceWindow) -> tuple[object, ...]:
    found = window.schedule
    return (
        found.expression,
        window.timezone,
        found.offset_days,
        found.start,
        found.end,
        window.duration,
        window.cutoff,
    )


def _to_window(policy: Policy, name: str, window: MaintenanceWindow) -> Window:
    schedule = window.schedule
    return Window(
        name=name,
        schedule=schedule.expression,
        timezone=window.timezone,
        offset_days=schedule.offset_days,
        start=to_instant("start", schedule.start.isoformat() if schedule.start else None),
        end=to_instant("end", schedule.end.isoformat() if schedule.end else None),
        duration_hours=window.duration,
        cutoff_hours=window.cutoff,
        description="Nodes whose tags state this schedule",
        tags=dict([MANAGED, SOURCE, ("Policy", policy.name)]),
    )


def is_ours(window: Window, policy_name: str) -> bool:
    """Tell whether a window was made from tags for this policy."""
    return window.tags.get(SOURCE[0]) == SOURCE[1] and window.tags.get("Policy") == policy_name


def plan_windows(found: Sequence[TaggedWindow], wanted: Sequence[TaggedWindow], policy_name: str) -> Change[WindowSet]:
    """Say what would change at a place.

    :param found: every window of the place.
    :raises Conflict: a window of that name is somebody else's, or there would be too many.
    """
    by_name: dict[str, list[TaggedWindow]] = {}
    for item in found:
        by_name.setdefault(item.window.name, []).append(replace(item, ours=is_ours(item.window, policy_name)))
    after = [_after(item, by_name.get(item.window.name, [])) for item in wanted]
    names = {item.window.name for item in after}
    mine = [
        item for items in by_name.values() for item in items if item.ours or item.values or item.window.name in names
    ]
    new = [item for item in after if item.window.name not in by_name]
    gone = [item for item in mine if item.ours and item.window.name not in names]
    total = len(found) + len(new) - len(gone)
    if new and total > QUOTA:
        few = ", ".join(item.window.name for item in sorted(new, key=lambda item: len(item.values))[:LISTED])
        raise Conflict(
            f"The tags of the nodes state {len(wanted)} schedules; with {len(found) - len(gone)} windows that exist, "
            f"{total} would be needed, and the quota is {QUOTA}. Nothing was changed. Let owners choose windows of "
            f"the policy, or ask AWS for a higher quota. Windows that would be new: {few}."
        )
    others = len(found) - len(mine)
    kept = [replace(item, values=()) for item in mine if not item.ours and item.window.name not in names]
    return Change(
        WindowSet(windows=_sorted(mine), others=others), WindowSet(windows=_sorted([*after, *kept]), others=others)
    )


def _after(wanted: TaggedWindow, found: Sequence[TaggedWindow]) -> TaggedWindow:
    """Return a wanted window as it shall be: one that somebody else made keeps what it is and gets targets alone."""
    if not found:
        return wanted
    if len(found) > 1:
        raise Conflict(f"There are {len(found)} windows named {wanted.window.name!r}; delete all but one.")
    there = found[0]
    if there.ours:
        tags = {**there.window.tags, **wanted.window.tags}
        return replace(wanted, window=replace(wanted.window, window_id=there.window.window_id, tags=tags))
    if there.window.tags.get(MANAGED[0]) != MANAGED[1]:
        raise Conflict(
            f"The window {wanted.window.name!r} exists and is not managed by patchtide; rename one of the two, or tag "
            f"it {MANAGED[0]}={MANAGED[1]} to use it."
        )
    return TaggedWindow(window=there.window, values=wanted.values, ours=False)


def _sorted(windows: Sequence[TaggedWindow]) -> tuple[TaggedWindow, ...]:
    return tuple(sorted(windows, key=lambda item: (item.window.name, item.window.window_id or "")))


def ensure_windows(port: WindowSetPort, change: Change[WindowSet]) -> None:
    """Carry the change out: first what goes, so that there is room for what is new."""
    before = {item.window.name: item for item in (change.before.windows if change.before else ())}
    after = {item.window.name: item for item in (change.after.windows if change.after else ())}
    for name, item in before.items():
        if name not in after:
            port.remove(item)
    for name, item in after.items():
        if before.get(name) != item:
            port.put(before.get(name), item)


def target_values(values: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return our targets of a window by name: one target holds 50 values."""
    return {
        TARGET if number == 1 else f"{TARGET}-{number}": tuple(values[first : first + MAX_VALUES])
        for number, first in enumerate(range(0, len(values), MAX_VALUES), 1)
    }
