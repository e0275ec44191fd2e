# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes left over at the end of a window a later run continues with."""

from __future__ import annotations

from datetime import timedelta

from ...module_utils._core.model import Status
from ...module_utils._core.plan.capacity import REBOOT_MINUTES, may_start
from ...module_utils._core.rollout.earlier import is_left_over
from .folder import RolloutDir


def has_time_now(rollout: RolloutDir, node_id: str, wait: timedelta = timedelta()) -> bool:
    """Return whether a node was left over and its remaining work fits into its window now.

    :param wait: how long this run waits for the window, which then counts as open.
    """
    node = rollout.state.nodes[node_id]
    if not is_left_over(node) or node.final is None:
        return False
    put_off = node.final["status"] == Status.REBOOT_PENDING.value
    minutes = REBOOT_MINUTES if put_off else float(rollout.nodes[node_id]["expected_minutes"])
    window, now = rollout.window_of(node_id), rollout.clock.now()
    if window and now < window.start <= now + wait:
        return may_start(window.start, minutes, window).ok
    return rollout.may_start(node_id, minutes).ok
