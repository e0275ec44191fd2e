# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes the play's host over its own connection; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..module_utils._core.executors import LINUX
from ..module_utils._core.model import Status
from ..module_utils._core.work.final_record import final_record, held_record, lost_record
from ..module_utils._core.work.host_probe import to_probe
from ..module_utils._core.work.precheck import PrecheckRules, evaluate_probe, parse_probe, services_mode
from ..plugin_utils.executors.direct import DirectAction, outcome
from ..plugin_utils.rollout.folder import RolloutDir


class ActionModule(DirectAction):
    """Only reads the host; in a rollout it records the pre-check's verdict or the node's final record."""

    SPEC: ClassVar[dict[str, Any]] = {
        **DirectAction.SPEC,
        "purpose": {"type": "str", "choices": ["look", "precheck", "verify"], "default": "look"},
        "thresholds": {"type": "dict", "default": {}},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        rollout, purpose = self.rollout(options), options["purpose"]
        if rollout is None:
            return {"changed": False, **self._look(options)}
        state = rollout.state_of_node(options["node"])
        standing = {"stage": state.stage, "open": bool(state.token), "results": dict(state.results)}
        if purpose in ("precheck", "verify") and state.stage != purpose:
            return {"changed": False, "skipped": True, "standing": standing}
        key = str(rollout.plan["rollout"]) if purpose == "precheck" and not self.check_mode else ""
        found = self._verify(rollout, options) if purpose == "verify" else self._look(options, key)
        if purpose != "look" and not self.check_mode:
            record = found["record"] if purpose == "verify" else found
            outcome(rollout, options, purpose, record)
        return {"changed": False, **found, "standing": standing}

    def _look(self, options: Mapping[str, Any], key: str = "") -> dict[str, Any]:
        """:param key: a rollout's: the host is to remember which services run."""
        rules = PrecheckRules.from_dict(options["thresholds"], "thresholds.")
        services = services_mode("precheck", rules) if key else ""
        script = to_probe("linux", services, key)
        return evaluate_probe(self.shell(script), rules, executor=LINUX).to_dict()

    def _verify(self, rollout: RolloutDir, options: Mapping[str, Any]) -> dict[str, Any]:
        node, done = rollout.nodes[options["node"]], rollout.state_of_node(options["node"]).results
        if done.get("precheck", {}).get("outcome") == "skip":
            return {"record": held_record(node, done["precheck"], self.now()).to_dict()}
        for stage in ("patch", "scan"):
            if done.get(stage, {}).get("status") == "skipped":
                why = done[stage]["error"]
                return {"record": lost_record(node, Status.SKIPPED, why["code"], why["text"], self.now()).to_dict()}
        facts = parse_probe(self.shell(to_probe("linux", services_mode("verify"), str(rollout.plan["rollout"]))))
        rule = node.get("reboot_rule") or rollout.wave(options["wave"])["reboot_rule"]
        return {"record": final_record(node, done, facts, self.now(), rule).to_dict()}
