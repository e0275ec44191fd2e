# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a node from being patched: findings that become groups, so that a playbook can act."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..errors import BadInput
from .records import Node, iso

_VERSION = re.compile(r"\d+(\.\d+){0,3}")
_NOT_RUNNING = frozenset({"stopped", "stopping", "shutting-down", "terminated"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The limits. ``now`` comes from the caller's clock; ``stale_minutes`` and ``oldest_agent`` from the user."""

    now: datetime
    stale_minutes: int = 30
    oldest_agent: str = ""
    _old: dict[str, bool] = field(default_factory=dict)

    def findings(self, nodes: list[Node]) -> None:
        """Set ``coverage`` of every node.

        ``unmanaged``: EC2 runs it and Systems Manager does not know it. ``no_instance_profile``: an EC2 instance that
        can't register for want of one. ``no_patch_group``, ``no_maintenance_window``: the tag is missing.
        ``stale_ping``: managed and running, but not heard of for ``stale_minutes``. ``old_agent``: older than
        ``oldest_agent``.
        """
        oldest_ping = iso(self.now - timedelta(minutes=self.stale_minutes))
        for node in nodes:
            node["coverage"] = self._of(node, oldest_ping)

    def _of(self, node: Node, oldest_ping: str) -> list[str]:
        found = []
        running = node["state"] not in _NOT_RUNNING
        if node["managed"]:
            if running and _is_stale(node, oldest_ping):
                found.append("stale_ping")
            if self.oldest_agent and self._is_old(node["agent_version"]):
                found.append("old_agent")
        else:
            if running:
                found.append("unmanaged")
            if not node["instance_profile"] and node["resource_type"] == "EC2Instance":
                found.append("no_instance_profile")
        if not node["patch_group"]:
            found.append("no_patch_group")
        if not node["maintenance_window"]:
            found.append("no_maintenance_window")
        return found

    def _is_old(self, version: str) -> bool:
        if version not in self._old:
            self._old[version] = bool(version) and to_version(version) < to_version(self.oldest_agent)
        return self._old[version]


def to_version(text: str) -> tuple[int, ...]:
    """``3.3.1611.0`` as numbers; what is not a version is older than any."""
    return tuple(map(int, text.split("."))) if _VERSION.fullmatch(text) else ()


def check_version(option: str, text: str) -> str:
    """Return a version the user gave, or say what is wrong with it."""
    if text and not _VERSION.fullmatch(text):
        raise BadInput(option, text, "an agent version such as 3.3.1611.0")
    return text


def _is_stale(node: Node, oldest_ping: str) -> bool:
    # Times are text of one form, so text order is time order.
    return bool(
        node["last_ping"] < oldest_ping if node["last_ping"] else node["ping_status"] not in ("", "Online")
    )  # virtual machines of Azure report to nobody
