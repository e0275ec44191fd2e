# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy as it counts for an emergency plan: its own window, soak, approval and freezes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .values import Policy, Wave


def in_emergency(policy: Policy) -> Policy:
    """Return the policy with the rules of its ``emergency``. An approval is never asked for less often than without.

    Waves keep their order, gates and budgets. They promote nothing from each other, because not every wave has nodes.
    """
    rules, approval = policy.emergency, policy.approval
    return replace(
        policy,
        waves=tuple(_hurried(wave, policy) for wave in policy.waves),
        approval=replace(
            approval,
            required=approval.required or rules.approval.required,
            people=rules.approval.people or approval.people,
            change_type="emergency",
        ),
        freeze=policy.freeze if rules.freeze is None else rules.freeze,
    )


def _hurried(wave: Wave, policy: Policy) -> Wave:
    most = policy.emergency.soak_minutes
    soak = wave.soak_minutes if most is None else min(wave.soak_minutes, most)
    return replace(wave, window=policy.emergency.window, soak_minutes=soak, promote_from="")


def policy_of(plan: Mapping[str, Any], policy: Policy) -> Policy:
    """Return the policy as it counts for a plan, which may be an emergency plan."""
    return in_emergency(policy) if "emergency" in plan else policy
