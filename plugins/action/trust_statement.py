# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a statement for somebody to sign; see the module of the same name for the documentation."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core import events
from ..module_utils._core.errors import BadInput
from ..module_utils._core.rollout.decisions import Choice, affected_by
from ..module_utils._core.rollout.signed_decision import decision_subject
from ..module_utils._core.rollout.state import PREPARATIONS
from ..module_utils._core.trust.bundle import Bundle
from ..module_utils._core.trust.keys import moment
from ..module_utils._core.trust.statement import Statement
from ..plugin_utils.approvals.plan_check import NOT_VERIFIED
from ..plugin_utils.approvals.ssh import APPROVALS, DECISIONS
from ..plugin_utils.approvals.trust import find_trust
from ..plugin_utils.approvals.write_statement import (
    is_signed,
    role_of,
    sign_command,
    signer_of,
    wanted_roles,
    write_statement,
)
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.operator import find_operator
from ..plugin_utils.rollout.folder import RolloutDir, read_plan
from ..plugin_utils.rollout.stores import choose_stores


class ActionModule(ControllerAction):
    """The statement is written here and signed elsewhere: a controller never has anybody's key."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "act": {"type": "str", "choices": ["plan", "decision"], "default": "plan"},
        "verdict": {"type": "str", "choices": ["approve", "reject", "revoke"], "default": "approve"},
        "principal": {"type": "str"},
        "role": {"type": "str"},
        "environments": {"type": "list", "elements": "str", "default": []},
        "waves": {"type": "list", "elements": "str", "default": []},
        "valid_hours": {"type": "int", "default": 72},
        "reason": {"type": "str", "required": True},
        "decision": {"type": "str", "choices": list(events.DECISIONS)},
        "wave": {"type": "str"},
        "nodes": {"type": "list", "elements": "str", "default": []},
        "what": {"type": "str", "choices": list(PREPARATIONS)},
        "policy_digest": {"type": "str"},
        "journal": {"type": "str"},
    }
    RULES: ClassVar[dict[str, Any]] = {"required_if": [("act", "decision", ["decision"])]}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        now = find_clock().now()
        trust = find_trust(now)
        if trust is None:
            raise BadInput("act", options["act"], f"a controller that pins a trust bundle. {NOT_VERIFIED}")
        if options["valid_hours"] < 1:
            raise BadInput("valid_hours", options["valid_hours"], "1 or more")
        folder = Path(options["dir"])
        principal = signer_of(trust.bundle, options["principal"], find_operator(task_vars))
        if options["act"] == "plan":
            subject, below = self._plan(folder, trust.bundle, options), APPROVALS
        else:
            subject, below = self._decision(folder, options), DECISIONS
        begin = now.replace(microsecond=0)
        statement = Statement(
            act=options["act"],
            verdict=options["verdict"],
            subject=subject,
            principal=principal,
            role=_role(trust.bundle, principal, options),
            not_before=moment(begin),
            expires=moment(begin + timedelta(hours=options["valid_hours"])),
            bundle_version=trust.bundle.version,
            nonce=secrets.token_hex(16),
            reason=options["reason"].strip(),
        )
        path, statement, new = write_statement(folder / below, statement, now, write=not self.check_mode)
        command = sign_command(path, statement.act)
        signed = is_signed(path)
        self.say(f"{path} is signed" if signed else f"{principal} signs it with: {command}")
        return {
            "changed": new,
            "path": str(path),
            "command": command,
            "signed": signed,
            "principal": principal,
            "role": statement.role,
            "expires": statement.expires,
            "statement": statement.to_bytes().decode(),
        }

    def _plan(self, folder: Path, bundle: Bundle, options: Mapping[str, Any]) -> dict[str, Any]:
        plan = read_plan(folder / "plan.json")
        if "part" in plan:
            raise BadInput("dir", str(folder), "the directory of the plan that was split: people approve that plan")
        waves = {wave["name"]: wave for wave in plan["waves"]}
        for name in options["waves"]:
            if name not in waves:
                raise BadInput("waves", name, f"waves of the plan: {', '.join(waves)}")
        asked = options["waves"] or list(waves)
        there = sorted({name for wave in asked for name in bundle.environments_of(waves[wave]["nodes"]) if name})
        for name in options["environments"]:
            if name not in there:
                raise BadInput("environments", name, f"environments of these waves: {', '.join(there)}")
        if not there:
            raise BadInput("dir", str(folder), "a plan with nodes that an environment of the trust bundle holds")
        return {
            "rollout": plan["rollout"],
            "plan_digest": plan["digest"],
            "environments": sorted(options["environments"]) or there,
            "waves": list(options["waves"]),
        }

    def _decision(self, folder: Path, options: Mapping[str, Any]) -> dict[str, Any]:
        """A decision that would have no effect is not worth a signature."""
        stores = choose_stores(folder, options["journal"], None, write=False)
        rollout = RolloutDir(folder, find_clock(), stores)
        what = options["policy_digest"] if options["decision"] == "accept_policy" else options["what"]
        choice = Choice(options["decision"], options["wave"] or "", tuple(options["nodes"]), what or "")
        affected_by(rollout.state, choice)
        return decision_subject(rollout.plan, choice, rollout.head)


def _role(bundle: Bundle, principal: str, options: Mapping[str, Any]) -> str:
    """Everybody of the bundle may say no to a plan, in any of their roles."""
    if options["act"] == "plan" and options["verdict"] != "approve":
        return role_of(bundle, principal, options["role"] or bundle.people[principal].roles[0], list(bundle.roles))
    wanted = wanted_roles(bundle, options["act"], options["decision"] or "")
    return role_of(bundle, principal, options["role"], wanted)
