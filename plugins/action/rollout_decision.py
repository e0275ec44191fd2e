# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journals a person's decision about a rollout; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.errors import BadInput
from ..module_utils._core.events import Decision, Outcome
from ..module_utils._core.model import Status
from ..module_utils._core.rollout.decisions import DECISIONS, SKIPPED, Choice, consequence_of
from ..module_utils._core.rollout.earlier import with_earlier
from ..module_utils._core.rollout.play_order import overview
from ..module_utils._core.rollout.state import PREPARATIONS
from ..module_utils._core.stamp import to_time
from ..module_utils._core.work.final_record import lost_record
from ..plugin_utils.controller_action import ControllerAction, operator
from ..plugin_utils.rollout.folder import RolloutDir
from ..plugin_utils.rollout.stores import choose_stores


class ActionModule(ControllerAction):
    """Asks the core what the decision comes to, and journals it; a skipped node also gets its final record."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "decision": {"type": "str", "required": True, "choices": list(DECISIONS)},
        "wave": {"type": "str"},
        "nodes": {"type": "list", "elements": "str", "default": []},
        "what": {"type": "str", "choices": list(PREPARATIONS)},
        "reason": {"type": "str", "required": True},
        "journal": {"type": "str"},
    }
    RULES: ClassVar[dict[str, Any]] = {
        "required_if": [
            ("decision", "promote", ["wave"]),
            ("decision", "retry", ["wave"]),
            ("decision", "skip", ["wave"]),
            ("decision", "write_off", ["wave", "what"]),
            ("decision", "run_now", ["wave"]),
        ]
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        choice = _choice(options)
        stores = choose_stores(Path(options["dir"]), options["journal"], None, write=False)
        rollout = RolloutDir(options["dir"], find_clock(), stores)
        found = consequence_of(rollout.state, choice)
        if not found.made:
            self._write(rollout, choice, found.nodes, options["reason"], operator(task_vars))
        return {"changed": not found.made, "nodes": list(found.nodes), **overview(rollout.state)}

    def _write(self, rollout: RolloutDir, choice: Choice, nodes: Sequence[str], reason: str, who: str) -> None:
        decision = Decision(
            by=who, action=choice.action, wave=choice.wave, reason=reason, nodes=tuple(nodes), what=choice.what
        )
        rollout.write(decision, check_mode=self.check_mode)
        if choice.action == "skip":
            at, text = to_time(rollout.clock.now()), f"skipped by {who}: {reason}"
            final = tuple(
                with_earlier(
                    rollout.state.nodes[node],
                    lost_record(rollout.nodes[node], Status.SKIPPED, SKIPPED, text, at).to_dict(),
                )
                for node in nodes
            )
            rollout.write(Outcome(wave=choice.wave, stage="verify", results=final), check_mode=self.check_mode)


def _choice(options: Mapping[str, Any]) -> Choice:
    """Return the decision. :raises BadInput: an option it does not take, which would be lost without a word."""
    action = options["decision"]
    if not options["reason"].strip():
        raise BadInput("reason", options["reason"], "why this is decided, for the journal and its readers")
    if options["nodes"] and action in ("promote", "run_now", "abort"):
        raise BadInput("nodes", options["nodes"], f"no nodes: {action} is about the whole wave or rollout")
    if options["what"] and action != "write_off":
        raise BadInput("what", options["what"], "nothing unless the decision is write_off")
    return Choice(action, options["wave"] or "", tuple(dict.fromkeys(options["nodes"])), options["what"] or "")
