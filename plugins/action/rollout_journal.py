# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens, continues and closes a rollout's journal; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock, is_rehearsal
from ..module_utils._core.errors import PatchtideError
from ..module_utils._core.model import Status
from ..module_utils._core.plan.approval import find_approval, read_approval
from ..module_utils._core.rollout.play_order import overview
from ..module_utils._core.rollout.state import DONE, STAGES, Rollout
from ..module_utils._core.stamp import to_time
from ..module_utils._core.text import plain
from ..module_utils._core.times.schedule import Occurrence
from ..module_utils._core.work.final_record import lost_record
from ..plugin_utils.controller_action import ControllerAction, operator
from ..plugin_utils.files import read_document
from ..plugin_utils.rollout.claims import give_up, take
from ..plugin_utils.rollout.controller_lock import take_over
from ..plugin_utils.rollout.folder import CATCH_UP, RolloutDir
from ..plugin_utils.rollout.stores import choose_stores


class OutsideWindow(PatchtideError):
    """Nothing starts outside its maintenance window."""

    code = "OutsideWindow"


class ActionModule(ControllerAction):
    """Every event goes through the rollout's state machine; what it refuses is an error and is not written."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "state": {
            "type": "str",
            "required": True,
            "choices": ["opened", "wave_claimed", "wave_started", "intended", "recorded", "failed", "closed"],
        },
        "wave": {"type": "str"},
        "stage": {"type": "str", "choices": list(STAGES)},
        "node": {"type": "str"},
        "result": {"type": "dict"},
        "reason": {"type": "str", "default": ""},
        "approved_digest": {"type": "str"},
        "approval_required": {"type": "bool", "default": False},
        "approval_file": {"type": "path"},
        "window_wait": {"type": "int", "default": 60},
        "ahead_minutes": {"type": "int", "default": 15},
        "journal": {"type": "str"},
        "claims": {"type": "str"},
    }
    RULES: ClassVar[dict[str, Any]] = {
        "required_if": [
            ("state", "wave_claimed", ["wave"]),
            ("state", "wave_started", ["wave"]),
            ("state", "intended", ["wave", "stage", "node"]),
            ("state", "recorded", ["wave", "stage", "node", "result"]),
            ("state", "failed", ["wave", "node", "reason"]),
        ]
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        stores = choose_stores(Path(options["dir"]), options["journal"], options["claims"], write=not self.check_mode)
        rollout = RolloutDir(options["dir"], find_clock(), stores)
        handler = getattr(self, f"_{options['state']}")
        handler(rollout, options, operator(task_vars))
        return {"changed": rollout.events > 0, **overview(rollout.state)}

    def _write(self, rollout: RolloutDir, kind: str, data: Mapping[str, Any]) -> None:
        rollout.write(kind, data, check_mode=self.check_mode)

    def _opened(self, rollout: RolloutDir, options: Mapping[str, Any], who: str) -> None:
        plan, new = rollout.plan, rollout.state.status == "new"
        path = options["approval_file"]
        document = read_approval(read_document(path, "approval_file"), "approval_file") if path else None
        approval = find_approval(
            plan,
            required=options["approval_required"] and new,  # once it was started, the journal holds the approval
            digest=options["approved_digest"],
            document=document,
            who=who,
        )
        controller = "" if self.check_mode or rollout.state.finished else take_over(rollout.path)
        if rollout.state.finished or rollout.state.status == "aborted":
            return  # what is still under way is awaited, and nothing else begins
        if new:
            data = {
                "rollout": plan["rollout"],
                "plan_digest": plan["digest"],
                "policy_digest": plan["policy"]["digest"],
                "operator": who,
                "controller": controller,
                "approved_digest": approval["digest"] if approval else None,
                "approval": approval,
                "approval_required": options["approval_required"],
                "rehearsal": is_rehearsal(),
                "waves": [wave["name"] for wave in plan["waves"]],
                "node_count": len(rollout.nodes),
            }
            self._write(rollout, "rollout_started", data)
        else:
            self._write(rollout, "resumed", {"operator": who, "controller": controller, "rehearsal": is_rehearsal()})

    def _wave_claimed(self, rollout: RolloutDir, options: Mapping[str, Any], who: str) -> None:
        """Claim the wave's nodes as long before its window opens as stopped ones need to start."""
        name = options["wave"]
        if rollout.state.status == "aborted" or self.check_mode:
            return
        if rollout.state_of_wave(name).status == "waiting":
            starts = any(node.get("start") for node in rollout.wave(name)["nodes"])
            self._await_window(rollout, name, options["window_wait"], options["ahead_minutes"] if starts else 0)
        self._claim(rollout, name)

    def _wave_started(self, rollout: RolloutDir, options: Mapping[str, Any], who: str) -> None:
        name = options["wave"]
        wave = rollout.state_of_wave(name)
        if rollout.state.status == "aborted":
            return
        if self.check_mode:  # nothing before this was written, so the state can't tell whether the wave may start
            rollout.events += wave.status == "waiting"
            return
        if wave.status == "waiting":
            self._await_window(rollout, name, options["window_wait"])
        if wave.status == "waiting":
            self._write(rollout, "wave_started", {"wave": name})
        self._claim(rollout, name)

    def _claim(self, rollout: RolloutDir, name: str) -> None:
        """Claim what is left of the wave; a node that another rollout holds gets its final record."""
        results = [] if self.check_mode else take(rollout, name)
        if results:
            self._write(rollout, "outcome", {"wave": name, "stage": "verify", "results": results})
        for item in results:
            self.say(f"  {plain(item['node_id'])}: not ours: {plain(item['error']['text'])}")
        wave, nodes = rollout.state_of_wave(name), rollout.state.nodes
        unclaimed = [node for node in wave.nodes if node not in wave.claimed and nodes[node].stage != DONE]
        if unclaimed:
            self._write(rollout, "claimed", {"wave": name, "nodes": unclaimed})

    def _await_window(self, rollout: RolloutDir, name: str, minutes: int, ahead: int = 0) -> None:
        """Wait for the wave's window, or some minutes before it, if it opens soon; nothing starts outside of it.

        :raises OutsideWindow: it opens too late to wait for, or is over.
        """
        window = rollout.window(name)
        if window is None:
            return
        now = rollout.clock.now()
        if now >= window.cutoff_at:
            raise OutsideWindow(f"The window of wave {name} is over; it was {_span(window)}. Make a new plan.")
        if window.start - now > timedelta(minutes=minutes):
            when = f"The window of wave {name} is {_span(window)}, and it is {now:%Y-%m-%d %H:%M} UTC"
            raise OutsideWindow(
                f"{when}. Run it within {minutes} minutes before the window opens, or let it wait longer."
            )
        begin = window.start - timedelta(minutes=ahead)
        while (left := (begin - rollout.clock.now()).total_seconds()) > 0:
            what = f"stopped nodes are started {ahead} minutes before" if ahead else "its window opens"
            self.say(f"{name}: {what}, at {begin:%Y-%m-%d %H:%M} UTC, in {left / 60:.0f} minutes")
            rollout.clock.sleep(left if is_rehearsal() else min(left, 300))

    def _intended(self, rollout: RolloutDir, options: Mapping[str, Any], who: str) -> None:
        stage, node = options["stage"], options["node"]
        attempt = rollout.state_of_node(node).attempts.get(stage, 0) + 1
        token = f"{rollout.plan['rollout']} {options['wave']}/{stage}/{node}.{attempt}"
        data = {"wave": options["wave"], "stage": stage, "attempt": attempt, "nodes": [node], "token": token}
        self._write(rollout, "intent", data)

    def _recorded(self, rollout: RolloutDir, options: Mapping[str, Any], who: str) -> None:
        result = {**options["result"], "node_id": options["node"]}
        self._write(rollout, "outcome", {"wave": options["wave"], "stage": options["stage"], "results": [result]})

    def _failed(self, rollout: RolloutDir, options: Mapping[str, Any], who: str) -> None:
        """A direct host's work broke off: that is its final record, and the host consumes budget."""
        node = options["node"]
        if rollout.state_of_node(node).stage == DONE:
            return
        at = to_time(rollout.clock.now())
        record = lost_record(rollout.nodes[node], Status.FAILED, "task_failed", options["reason"], at)
        self._write(rollout, "outcome", {"wave": options["wave"], "stage": "verify", "results": [record.to_dict()]})

    def _closed(self, rollout: RolloutDir, options: Mapping[str, Any], who: str) -> None:
        self._close(rollout, options)
        if not self.check_mode:
            rollout.copy_journal()
            if missed := rollout.write_catch_up():
                self.say(f"{missed} nodes were missed; {rollout.path / CATCH_UP} lists them for the next plan")
            if rollout.state.finished:
                give_up(rollout)

    def _close(self, rollout: RolloutDir, options: Mapping[str, Any]) -> None:
        state = rollout.state
        if state.finished or state.status == "new":
            return
        if state.prepared:
            kept = {what: len(nodes) for (_wave, what), nodes in state.prepared.items()}
            self.say(f"not finished, because something is not restored yet: {kept}. Run it again to try again.")
            return
        if state.status == "running" and all(wave.status == "finished" for wave in state.waves.values()):
            self._write(rollout, "rollout_finished", {"status": "completed", "reason": "every wave was promoted"})
        elif state.status == "aborted" and not state.intents:
            self._write(rollout, "rollout_finished", {"status": "aborted", "reason": options["reason"] or _why(state)})


def _span(window: Occurrence) -> str:
    return f"{window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} UTC"


def _why(state: Rollout) -> str:
    gates = [wave for wave in state.waves.values() if wave.gate and wave.gate.get("verdict") == "abort"]
    return f"the gate after {gates[0].name} closed" if gates else "aborted by decision"
