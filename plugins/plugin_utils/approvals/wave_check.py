# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks right before a wave that enough people have approved it, and records the proof in the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...module_utils._core.events import Approved
from ...module_utils._core.plan.approval import NotApproved
from ...module_utils._core.rollout.state import Rollout
from ...module_utils._core.trust.operator import Operator
from ..files import write_bytes
from ..rollout.folder import RolloutDir
from ..rollout.parent import to_approve
from .plan_check import PlanCheck, check_plan_trust
from .trust import Trust

#: Directory in which a rollout keeps the bundles by which it was approved, each named by its digest.
ARCHIVE = "trust"


@dataclass(frozen=True, slots=True)
class WaveCheck:
    """Checks before every wave: expiry, revocations and counts may have changed since the last one.

    :param launcher: who runs the rollout.
    :param job: the job's variables.
    """

    rollout: RolloutDir
    launcher: Operator
    job: Mapping[str, Any]

    def __call__(self, wave: str) -> None:
        """Record that a wave is approved; do nothing if neither this controller nor the rollout knows a bundle.

        :raises PatchtideError: it is not approved, or approval is unknown.
        """
        rollout = self.rollout
        about = to_approve(rollout.path, rollout.plan)
        found = check_plan_trust(
            about.folder,
            about.plan,
            rollout.clock.now(),
            launcher=self.launcher,
            job=self.job,
            seen=rollout.state.bundle_version,
        )
        if found:
            check_wave(found, about.plan, wave)
            archive(rollout.path, found.trust)
            rollout.record(approved(found, wave))


def objection_to_begin(rollout: RolloutDir, launcher: Operator | None, job: Mapping[str, Any]) -> str | None:
    """Return why people have not approved the wave that begins next; "" if they have, or none begins.

    :returns: ``None`` if this controller pins no bundle.
    :raises PatchtideError: approval is unknown.
    """
    state, name = rollout.state, next_wave(rollout.state)
    found = check_plan_trust(
        rollout.path, rollout.plan, rollout.clock.now(), launcher=launcher, job=job, seen=state.bundle_version
    )
    if found is None:
        return None
    if state.status not in ("new", "running") or not name or state.waves[name].status != "waiting":
        return ""
    try:
        check_wave(found, rollout.plan, name)
    except NotApproved as why:
        return str(why)
    return ""


def check_wave(found: PlanCheck, plan: Mapping[str, Any], wave: str) -> None:
    """:raises NotApproved: names everything that the wave lacks."""
    if whys := found.judgement.missing[wave]:
        not_counted = "".join(f" {label} does not count: {why}." for label, why in found.judgement.refused[:5])
        raise NotApproved(
            f"Wave {wave} of plan {plan['digest']} is not approved: {'; '.join(whys)}.{not_counted} "
            "Run approve_plan to see what is missing and to sign."
        )


def approved(found: PlanCheck, wave: str) -> Approved:
    """Return the event with the proof of the approval."""
    return Approved(
        wave=wave,
        bundle_version=found.trust.bundle.version,
        bundle_digest=found.trust.digest,
        proofs=tuple(
            {
                "principal": item.vote.principal,
                "roles": list(item.vote.roles),
                "source": item.source,
                "statement": item.statement.decode("utf-8"),
                "signature": item.signature.decode("ascii"),
            }
            for item in found.of_wave(wave)
            if item.vote
        ),
    )


def archive(folder: Path, trust: Trust) -> None:
    """Keep the bundle with its signatures in the rollout's directory, for verification years later."""
    for name, data in trust.files.items():
        write_bytes(folder / ARCHIVE / trust.digest / name, data)


def next_wave(state: Rollout) -> str:
    """Return the first wave that is not finished; empty if all are."""
    return next((wave.name for wave in state.waves.values() if wave.status not in ("promoted", "finished")), "")
