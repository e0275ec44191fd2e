# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which maintenance window a node has: the one of its wave, or with ``window: tag`` the one in its owner's tag. Pure.

The tag holds the name of a window of the policy, or a cron expression in the form that AWS uses:
``cron(30 23 ? * TUE#1 *)`` (AWS whitepaper "Best Practices for Tagging AWS Resources", Patching). Tags of hybrid nodes
take no parentheses, ``#``, ``*`` or ``?`` (SSM API, Tag), so their owners name a window of the policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ..errors import BadInput
from ..nodes import Candidate
from ..policy.values import BY_TAG, Policy, Wave, Window
from ..text import plain
from ..times.occurrences import MaintenanceWindow
from ..times.schedule import parse

_SHOWN = 80
#: Codes of nodes without a time: their tag names no window, or no night has room before the plan ends.
NO_WINDOW, NO_NIGHT = "no_window", "no_night"


@dataclass(frozen=True, slots=True)
class NoWindow:
    """Why a node has no usable window."""

    why: str


Choice: TypeAlias = "MaintenanceWindow | NoWindow | None"


class WindowChoice:
    """The windows of a policy's nodes. Equal windows are one object."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._menu = {window.name: window for window in policy.windows}
        self._windows: dict[str, MaintenanceWindow] = {}

    def of(self, node: Candidate, wave: Wave) -> Choice:
        """Return a node's window in a wave; ``None`` if it may be patched at any time.

        :raises BadInput: the wave names a window that the policy does not have.
        """
        if wave.window is None:
            return None
        if wave.window != BY_TAG:
            return self.named(wave.window)
        return self.by_tag(node)

    def named(self, name: str) -> MaintenanceWindow:
        """Return a window of the policy. :raises BadInput: there is no such window."""
        if name not in self._menu:
            raise BadInput("window", name, f"a window of the policy: {', '.join(sorted(self._menu)) or 'it has none'}")
        if name not in self._windows:
            self._windows[name] = _to_window(self._menu[name])
        return self._windows[name]

    def known(self, name: str) -> MaintenanceWindow:
        """Return a window that was determined for some node."""
        return self._windows[name]

    def by_tag(self, node: Candidate) -> MaintenanceWindow | NoWindow:
        """Return the window in the node's tag."""
        key = self._policy.tags.maintenance_window
        text = (node.maintenance_window or node.tags.get(key, "")).strip()
        owner = plain(node.tags.get(self._policy.tags.owner, ""))
        told = f"; its owner is {owner}" if owner else "; it names no owner"
        if not text:
            return NoWindow(f"it has no tag {key}{told}")
        if text in self._menu:
            return self.named(text)
        found = self._by_cron(text)
        return NoWindow(f"its tag {key} {found.why}{told}") if isinstance(found, NoWindow) else found

    def _by_cron(self, text: str) -> MaintenanceWindow | NoWindow:
        shown = repr(plain(text)[:_SHOWN])
        if not text.startswith("cron("):
            menu = ", ".join(sorted(self._menu)[:12])
            return NoWindow(f"says {shown}, which is neither a window of the policy ({menu}) nor cron(…)")
        if text not in self._windows:
            rules = self._policy.plan.tagged_cron
            try:
                self._windows[text] = MaintenanceWindow(
                    name=text,
                    schedule=parse(text, rules.timezone),
                    duration=rules.duration_hours,
                    cutoff=rules.cutoff_hours,
                    timezone=rules.timezone,
                )
            except BadInput as error:
                return NoWindow(f"says {shown}, which can't be read: expected {error.expected}")
        return self._windows[text]


def _to_window(window: Window) -> MaintenanceWindow:
    schedule = parse(
        window.schedule,
        timezone=window.timezone,
        offset_days=window.offset_days,
        start=window.start_date,
        end=window.end_date,
        prefix=f"windows.{window.name}.",
    )
    return MaintenanceWindow(
        name=window.name,
        schedule=schedule,
        duration=window.duration_hours,
        cutoff=window.cutoff_hours,
        timezone=window.timezone or "UTC",
    )
