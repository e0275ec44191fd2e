# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks who has approved a plan, by the bundle that this controller trusts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ...module_utils._core.text import plain
from ...module_utils._core.trust.judge import Judgement, find_actors, judge
from ...module_utils._core.trust.operator import Operator
from ...module_utils._core.trust.votes import Found
from .sources import gather
from .trust import Trust, find_trust

#: Shown with approvals if this controller trusts no bundle.
NOT_VERIFIED = "Approvals are not verified: this controller pins no trust bundle."


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCheck:
    """Whom the controller trusts, what the sources of approvals have found, and the verdict."""

    trust: Trust
    found: tuple[Found, ...]
    judgement: Judgement

    def of_wave(self, wave: str) -> tuple[Found, ...]:
        """Return the approvals that count for a wave."""
        names = frozenset(self.judgement.environments[wave])
        proofs = {vote.proof for vote in self.judgement.counted if vote.covers(wave, names)}
        return tuple(item for item in self.found if item.vote and item.vote.proof in proofs)

    def to_dict(self) -> dict[str, Any]:
        """Return the data for task results and pages."""
        votes = sorted(self.judgement.counted, key=lambda vote: (vote.principal, vote.proof))
        return {
            "verified": True,
            "bundle_version": self.trust.bundle.version,
            "approved": not self.judgement.reasons,
            "missing": {wave: list(whys) for wave, whys in self.judgement.missing.items() if whys},
            "counted": [
                {
                    "principal": vote.principal,
                    "roles": list(vote.roles),
                    "source": vote.source,
                    "environments": list(vote.environments),
                    "waves": list(vote.waves),
                    "reason": vote.reason,
                }
                for vote in votes
            ],
            "refused": [{"name": plain(label), "reason": plain(why)} for label, why in self.judgement.refused],
        }

    def lines(self) -> list[str]:
        """Return the result as readable lines."""
        shown = self.to_dict()
        lines = [
            f"{row['principal']} approved as {', '.join(row['roles'])} ({row['source']})" for row in shown["counted"]
        ]
        lines += [f"does not count: {row['name']}: {row['reason']}" for row in shown["refused"]]
        return lines + [f"missing for {reason}" for reason in self.judgement.reasons]


def check_plan_trust(
    folder: Path,
    plan: Mapping[str, Any],
    now: datetime,
    *,
    launcher: Operator | None,
    job: Mapping[str, Any],
    seen: int = 0,
) -> PlanCheck | None:
    """Judge the approvals of a plan; ``None`` if this controller pins no bundle.

    :param launcher: who runs the rollout; ``None`` to determine only what is missing.
    :param job: the job's variables, which name the sources to read.
    :param seen: the version of the bundle with which the rollout began; 0 for none.
    :raises PatchtideError: the bundle is refused, or a source can't be read: approval is unknown, so nothing may begin.
    """
    trust = find_trust(now, seen=seen)
    if trust is None:
        return None
    found = tuple(gather(folder, trust, plan, now, job))
    demands = plan["approval"]
    planner = Operator(**plan["planner"]) if plan["planner"] else None
    actors = find_actors(trust.bundle, planner, launcher, demands["authors"])
    judged = judge(plan, trust.bundle, found, actors, demands["people"])
    return PlanCheck(trust=trust, found=found, judgement=judged)
