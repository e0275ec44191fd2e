# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Undoes what a rollout did to nodes; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._ansible.spec import PLACES
from ..module_utils._core.rollout.due import Effect, due_restores
from ..module_utils._core.rollout.state import PREPARATIONS, WHOLE_WAVE
from ..plugin_utils.aws_options import aws_spec
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.prepare.last_patched import mark_patched
from ..plugin_utils.prepare.preparation import at_once, restoring
from ..plugin_utils.prepare.preparers import HOOKS, PREPARERS, hook_nodes
from ..plugin_utils.rollout.controller_lock import at_work
from ..plugin_utils.rollout.folder import RolloutDir


class ActionModule(ControllerAction):
    """Restores what is due, kind by kind. Never fails if something can't be restored; a later run retries it."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "wave": {"type": "str"},
        "hook": {"type": "str", "choices": list(HOOKS)},
        "at_once": {"type": "bool", "default": False},
        "last_patched": {"type": "str", "default": ""},
        "timeout_minutes": {"type": "int", "default": 15},
        "poll_interval": {"type": "int", "default": 15},
        "accounts": PLACES["accounts"],
    }
    RULES: ClassVar[dict[str, Any]] = {"required_by": {"hook": ["wave"]}}

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        rollout = RolloutDir(options["dir"], find_clock())
        if options["wave"]:
            rollout.state_of_wave(options["wave"])
        every = options["at_once"] or options["hook"]  # a hook whose tasks were run is closed, whatever became of nodes
        effects = _idle(rollout, options["wave"]) if every else _due(rollout, options["wave"])
        hooks = [_hook(rollout, item) for item in effects if item.stage in HOOKS]
        if self.check_mode:
            return {"changed": bool(effects), "hooks": hooks, "left": {}}
        with at_work(rollout):
            left = self._restore(rollout, options, effects)
        return {"changed": rollout.events > 0, "hooks": [] if options["hook"] else hooks, "left": left}

    def _restore(
        self, rollout: RolloutDir, options: Mapping[str, Any], effects: Sequence[Effect]
    ) -> dict[str, list[str]]:
        """Restore what is not a hook's; return what is left, by kind."""
        left: dict[str, list[str]] = {}
        for item in effects:
            if item.stage != options["hook"] and (options["hook"] or item.stage in HOOKS):
                continue  # a hook's task file runs first, which the playbook does
            preparer = PREPARERS[item.stage](rollout, item.wave, options, self.say)
            if kept := at_once(restoring(preparer, item.nodes)):
                left.setdefault(item.stage, []).extend(sorted(kept))
        if options["last_patched"]:  # at the end for all waves, so that what failed before is made up for
            for wave in [options["wave"]] if options["wave"] else list(rollout.state.waves):
                mark_patched(rollout, wave, options, self.say)
        return left


def _due(rollout: RolloutDir, wave: str | None) -> list[Effect]:
    """Return what is to be restored, in the order of restoring."""
    return [item for item in due_restores(rollout.state) if wave in (None, item.wave)]


def _idle(rollout: RolloutDir, only: str | None) -> list[Effect]:
    """Return everything that is prepared, except on nodes with running work."""
    states, found = rollout.state.nodes, []
    for what in PREPARATIONS:
        for (wave, kind), nodes in rollout.state.prepared.items():
            idle = tuple(node for node in nodes if node == WHOLE_WAVE or states[node].token is None)
            if kind == what and idle and only in (None, wave):
                found.append(Effect("restore", wave, what, idle))
    return found


def _hook(rollout: RolloutDir, item: Effect) -> dict[str, Any]:
    return {"hook": item.stage, "wave": item.wave, "nodes": hook_nodes(rollout, item.wave, item.nodes)}
