# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that control a rollout besides its waves, frozen in its plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..policy.run_rules import BudgetRules, Retries
from ..policy.values import Policy
from ..read import read


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRules:
    """The member ``rules`` of a plan. Quorums are not part of it: they follow the policy at run time."""

    retries: Retries = field(default_factory=Retries)
    budgets: BudgetRules = field(default_factory=BudgetRules)

    @classmethod
    def of(cls, plan: Mapping[str, Any]) -> PlanRules:
        """Read a plan's rules; a plan without any retries nothing and limits nothing."""
        return read(cls, plan.get("rules", {}))

    @classmethod
    def of_policy(cls, policy: Policy) -> PlanRules:
        """Return the rules of the policy's rollouts."""
        return cls(retries=policy.patching.retries, budgets=policy.budgets)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan's member."""
        return {"retries": asdict(self.retries), "budgets": self.budgets.limits}
