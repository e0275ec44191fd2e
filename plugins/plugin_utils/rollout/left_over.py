# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes left over at the end of a window a later run continues with."""

from __future__ import annotations

from ...module_utils._core.model import Status
from ...module_utils._core.plan.capacity import REBOOT_MINUTES
from ...module_utils._core.rollout.earlier import is_left_over
from .folder import RolloutDir


def has_time_now(rollout: RolloutDir, node_id: str) -> bool:
    """Return whether a node was left over and its remaining work fits into its window now."""
    node = rollout.state.nodes[node_id]
    if not is_left_over(node) or node.final is None:
        return False
    put_off = node.final["status"] == Status.REBOOT_PENDING.value
    minutes = REBOOT_MINUTES if put_off else float(rollout.nodes[node_id]["expected_minutes"])
    return rollout.may_start(node_id, minutes).ok
