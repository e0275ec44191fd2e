# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides on and proves a reboot of the play's host; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..module_utils._core.errors import PatchtideError
from ..module_utils._core.plan.capacity import REBOOT_MINUTES
from ..module_utils._core.work.final_record import error, must_reboot
from ..module_utils._core.work.host_probe import to_probe
from ..module_utils._core.work.precheck import parse_probe
from ..plugin_utils.executors.direct import DirectAction, announce, outcome
from ..plugin_utils.rollout.folder import RolloutDir


class ActionModule(DirectAction):
    """The reboot itself is ansible.builtin.reboot; this knows whether it is due and whether it happened."""

    SPEC: ClassVar[dict[str, Any]] = {
        **DirectAction.SPEC,
        "state": {"type": "str", "choices": ["decided", "proven"], "required": True},
        "rule": {"type": "str", "choices": ["never", "if_required", "always", "if_patched"], "default": "if_required"},
        "patched": {"type": "bool", "default": False},
        "boot_id_before": {"type": "str"},
    }
    RULES: ClassVar[dict[str, Any]] = {
        **DirectAction.RULES,
        "required_if": [("state", "proven", ["boot_id_before"])],
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        rollout = self.rollout(options)
        if rollout and rollout.state_of_node(options["node"]).stage != "reboot":
            return {"changed": False, "skipped": True, "due": False, "boot_id": ""}
        facts = parse_probe(self.shell(to_probe("linux")))
        if facts is None:
            raise PatchtideError("the host's boot id could not be read: the probe printed no document")
        if options["state"] == "proven":
            return self._proven(rollout, options, facts)
        return self._decided(rollout, options, facts)

    def _decided(
        self, rollout: RolloutDir | None, options: Mapping[str, Any], facts: Mapping[str, Any]
    ) -> dict[str, Any]:
        boot_id, patched, rule = str(facts.get("boot_id") or ""), options["patched"], options["rule"]
        if rollout:
            done = rollout.state_of_node(options["node"]).results
            patched = bool(done.get("patch", {}).get("installed"))
            rule = rollout.nodes[options["node"]].get("reboot_rule") or rollout.wave(options["wave"])["reboot_rule"]
            before = done.get("precheck", {}).get("facts", {}).get("boot_id")
            if rollout.state_of_node(options["node"]).token and before and before != boot_id:
                return self._proven(rollout, {**options, "boot_id_before": before}, facts)  # done before a crash
        due = must_reboot(rule, pending=bool(facts.get("pending_reboot")), patched=patched)
        guard = rollout.may_start(options["wave"], REBOOT_MINUTES) if rollout and due else None
        if rollout and guard and not guard.ok:
            late = {"status": "failed", "rebooted": False, "error": error("out_of_time", guard.text)}
            if not self.check_mode:
                outcome(rollout, options, "reboot", late)
            return {"changed": False, "due": False, "boot_id": boot_id, **late}
        if rollout and not self.check_mode:
            if due:
                announce(rollout, options, "reboot")
            else:
                outcome(rollout, options, "reboot", {"status": "no_op", "rebooted": False})
        return {"changed": False, "due": due, "boot_id": boot_id}

    def _proven(
        self, rollout: RolloutDir | None, options: Mapping[str, Any], facts: Mapping[str, Any]
    ) -> dict[str, Any]:
        before, after = options["boot_id_before"], str(facts.get("boot_id") or "")
        rebooted = bool(after) and after != before
        result: dict[str, Any] = {"rebooted": rebooted, "boot_id_before": before, "boot_id_after": after}
        result["status"] = "succeeded" if rebooted else "failed"
        if not rebooted:
            result["error"] = {"code": "not_rebooted", "text": "its boot id did not change"}
        if rollout and not self.check_mode:
            outcome(rollout, options, "reboot", result)
        if not rebooted and not rollout and not self.check_mode:
            raise PatchtideError("the host came back with the same boot id: it was not rebooted")
        return {"changed": False, "due": False, "boot_id": after, **result}
