# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proves a rollout's journal and tells what it holds; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._core.errors import JournalError
from ..module_utils._core.rollout.journal_check import Damage, Examined, examine, knows, replay, summarize
from ..module_utils._core.rollout.play_order import standing
from ..module_utils._core.rollout.state import Rollout, WaveState
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.rollout.folder import read_plan
from ..plugin_utils.rollout.stores import JOURNAL, read_head, read_journal_bytes


class ActionModule(ControllerAction):
    """Reads files of the controller; no network, and nothing is written."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "head": {"type": "str"},
        "strict": {"type": "bool", "default": True},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        folder = Path(options["dir"])
        found = examine(read_journal_bytes(folder), read_head(folder))
        state, damage = _against_plan(folder, found)
        damage = found.damage or damage or _missing_head(found, options["head"])
        if damage and options["strict"]:
            raise JournalError(f"{folder / JOURNAL}: {damage.reason}")
        return {
            "changed": False,
            "valid": damage is None,
            "first_damaged": damage.to_dict() if damage else None,
            "head": found.head,
            "torn": found.torn,
            **summarize(found.records),
            **(_standing(state) if state else {}),
        }


def _against_plan(folder: Path, found: Examined) -> tuple[Rollout | None, Damage | None]:
    """Replay the journal over its plan, if the plan is at hand."""
    if not (folder / "plan.json").exists():
        return None, None
    plan = read_plan(folder / "plan.json")
    return replay(plan, found.records)


def _missing_head(found: Examined, head: str | None) -> Damage | None:
    if not head or knows(found.records, head):
        return None
    reason = f"no record has the hash {head}: records were cut off, or all of them were rewritten"
    return Damage(len(found.records) + 1, reason)


def _standing(state: Rollout) -> dict[str, Any]:
    def finished(wave: WaveState) -> dict[str, Any]:
        return {"finished_nodes": sum(state.nodes[node].final is not None for node in wave.nodes)}

    return {**standing(state, finished), "open_intents": sorted(state.intents)}
