# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do next, as the last line of a run: one way on, with the command. Not made safe here. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..rollout.agenda import Agenda, Need
from ..rollout.state import Rollout

_PLAY = "ansible-playbook patchtide.hybrid"


def after_plan(plan: Mapping[str, Any], folder: str) -> str:
    """Return what follows a plan: who reads it, and how it starts."""
    opens = next((night["local"] for wave in plan["waves"] for night in wave.get("nights", ())), "")
    first = f" Its first night opens {opens}." if opens else ""
    return (
        f"Read {folder}/plan.html and have the digest approved.{first} Next: {_PLAY}.run_due by a schedule, or "
        f"{_PLAY}.rollout_patches -e patchtide_dir={folder} -e patchtide_approved_digest={plan['digest']}"
    )


def after_run(state: Rollout, found: Agenda, folder: str) -> str:
    """Return what follows a run of a rollout.

    :param found: what it needs next.
    """
    again = f"{_PLAY}.rollout_patches -e patchtide_dir={folder}"
    if state.status == "aborted" or found.need is Need.OVER:
        return f"Plan what is left again, in a new directory: {_new_plan(folder)}"
    if state.status == "paused":
        steer = f"{_PLAY}.steer_rollout -e patchtide_dir={folder} -e patchtide_decision=retry|skip|promote|abort"
        return (
            f"Find the reasons in {folder}/report/index.html and decide: {steer}. Or let the gate judge again: {again}"
        )
    if found.need is Need.FINISHED:
        return f"Read {folder}/report/index.html. Next cycle: {_new_plan(folder)}"
    when = f" at {found.at:%Y-%m-%d %H:%M} UTC" if found.need is Need.WAITING and found.at else ""
    return f"{_sentence(found.text)} Next{when}: {again}, or leave it to {_PLAY}.run_due"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _new_plan(folder: str) -> str:
    new, missed = "-e patchtide_dir=NEW", f"-e patchtide_catch_up={folder}/catch_up.json"
    return f"{_PLAY}.scan_compliance {new}, then {_PLAY}.plan_rollout {new} {missed} (if that file exists)"
