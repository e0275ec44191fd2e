# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journals a person's decision about a rollout; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.errors import BadInput
from ..module_utils._core.events import DECISIONS, Decision, Outcome
from ..module_utils._core.model import Status
from ..module_utils._core.rollout.decisions import SKIPPED, Choice, affected_by
from ..module_utils._core.rollout.earlier import was_worked_on, with_earlier
from ..module_utils._core.rollout.play_order import overview
from ..module_utils._core.rollout.signed_decision import FREE, needs_signature, prove_decision
from ..module_utils._core.rollout.state import PREPARATIONS
from ..module_utils._core.stamp import to_time
from ..module_utils._core.trust.operator import Operator
from ..module_utils._core.trust.prove import NotProved
from ..module_utils._core.trust.responsibilities import check_operator
from ..module_utils._core.work.final_record import lost_record
from ..plugin_utils.approvals.ssh import read_bounded, signature_of
from ..plugin_utils.approvals.trust import find_trust
from ..plugin_utils.approvals.wave_check import archive
from ..plugin_utils.approvals.write_statement import sign_command
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.operator import find_operator
from ..plugin_utils.rollout.folder import RolloutDir
from ..plugin_utils.rollout.next_commands import next_of
from ..plugin_utils.rollout.sharing import Sharing, open_sharing
from ..plugin_utils.rollout.stores import choose_stores

#: Said where a decision is only as good as the account that made it.
DECISIONS_NOT_VERIFIED = "Decisions are not verified: this controller pins no trust bundle."


@dataclass(frozen=True, slots=True)
class _Signed:
    """Who has signed a decision, and what; nobody if it is not signed."""

    by: str = ""
    statement: str = ""
    signature: str = ""


class ActionModule(ControllerAction):
    """Asks the core what the decision comes to, and journals it; a skipped node also gets its final record."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "decision": {"type": "str", "required": True, "choices": list(DECISIONS)},
        "wave": {"type": "str"},
        "nodes": {"type": "list", "elements": "str", "default": []},
        "what": {"type": "str", "choices": list(PREPARATIONS)},
        "reason": {"type": "str", "required": True},
        "policy_digest": {"type": "str"},
        "statement": {"type": "path"},
        "journal": {"type": "str"},
    }
    RULES: ClassVar[dict[str, Any]] = {
        "required_if": [
            ("decision", "promote", ["wave"]),
            ("decision", "retry", ["wave"]),
            ("decision", "skip", ["wave"]),
            ("decision", "write_off", ["wave", "what"]),
            ("decision", "run_now", ["wave"]),
            ("decision", "accept_policy", ["policy_digest"]),
        ]
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        choice = _choice(options)
        stores = choose_stores(Path(options["dir"]), options["journal"], None, write=False)
        rollout = RolloutDir(options["dir"], find_clock(), stores)
        head = rollout.head
        nodes = affected_by(rollout.state, choice)
        operator = find_operator(task_vars)
        signed = self._signed(rollout, choice, options["statement"], operator)
        decision = Decision(
            by=signed.by or operator.name,
            action=choice.action,
            wave=choice.wave,
            reason=options["reason"],
            nodes=nodes,
            what=choice.what,
            statement=signed.statement,
            signature=signed.signature,
        )
        sharing = open_sharing(rollout)
        if sharing:
            _check_shared(sharing, choice, check_mode=self.check_mode)
        self._write(rollout, decision, head if signed.by and choice.action not in FREE else None)
        if sharing and not self.check_mode:
            sharing.follow()
        return {
            "changed": True,
            "nodes": list(nodes),
            **overview(rollout.state),
            **next_of(rollout, task_vars, self._templar.template),
        }

    def _signed(self, rollout: RolloutDir, choice: Choice, path: str | None, operator: Operator) -> _Signed:
        """Return who has signed the decision; nobody where this controller trusts no bundle, or none is asked for.

        :raises NotProved: it must be signed, and nothing proves that it was.
        """
        now = rollout.clock.now()
        trust = find_trust(now, seen=rollout.state.bundle_version)
        if trust is None:
            self.say(DECISIONS_NOT_VERIFIED)
            return _Signed()
        check_operator(trust.bundle, "decide", operator)
        if not needs_signature(trust.bundle, choice.action):
            return _Signed()
        if not path:
            raise NotProved(
                f"{choice.action} needs a statement that is signed in the role "
                f"{' or '.join(trust.bundle.decisions[choice.action].roles)}. steer_rollout writes it and says how."
            )
        data, signature = read_bounded(Path(path)), read_bounded(signature_of(Path(path)))
        if data is None or signature is None:
            raise NotProved(
                f"{path} is missing, or has no signature yet; sign it with: {sign_command(Path(path), 'decision')}"
            )
        statement = prove_decision(
            data,
            signature,
            plan=rollout.plan,
            choice=choice,
            head=rollout.head,
            bundle=trust.bundle,
            check=trust.check,
            now=now,
        )
        if not self.check_mode:
            archive(rollout.path, trust)
        return _Signed(statement.principal, data.decode("utf-8"), signature.decode("ascii"))

    def _write(self, rollout: RolloutDir, decision: Decision, at_head: tuple[int, str] | None) -> None:
        rollout.write(decision, check_mode=self.check_mode, at_head=at_head)
        who, reason, nodes, choice = decision.by, decision.reason, decision.nodes, decision
        if choice.action == "skip":
            final = tuple(_skipped(rollout, node, f"skipped by {who}: {reason}") for node in nodes)
            rollout.write(Outcome(wave=choice.wave, stage="verify", results=final), check_mode=self.check_mode)


def _check_shared(sharing: Sharing, choice: Choice, *, check_mode: bool) -> None:
    """Check a decision on a child plan against the others. :raises NotPromoted: it can't be made now."""
    if choice.action == "promote":
        sharing.check_promotable(choice.wave)
    if choice.action == "retry" and not check_mode:
        sharing.reopen(choice.wave)


def _skipped(rollout: RolloutDir, node_id: str, text: str) -> Mapping[str, Any]:
    """Return the final record of a skipped node: unknown if an install may have run, since nobody checks it now."""
    node, status = rollout.state.nodes[node_id], Status.SKIPPED
    if was_worked_on(node):
        status, text = Status.UNKNOWN, f"{text}; its install was {node.results['patch']['status']} and was not checked"
    at = to_time(rollout.clock.now())
    return with_earlier(node, lost_record(rollout.nodes[node_id], status, SKIPPED, text, at).to_dict())


def _choice(options: Mapping[str, Any]) -> Choice:
    """Return the decision. :raises BadInput: an option it does not take, which would be lost without a word."""
    action = options["decision"]
    if not options["reason"].strip():
        raise BadInput("reason", options["reason"], "why this is decided, for the journal and its readers")
    if options["nodes"] and action in ("promote", "accept_policy", "run_now", "abort"):
        raise BadInput("nodes", options["nodes"], f"no nodes: {action} is about the whole wave or rollout")
    if options["what"] and action != "write_off":
        raise BadInput("what", options["what"], "nothing unless the decision is write_off")
    if options["policy_digest"] and action != "accept_policy":
        raise BadInput("policy_digest", options["policy_digest"], "nothing unless the decision is accept_policy")
    what = options["policy_digest"] if action == "accept_policy" else options["what"]
    return Choice(action, options["wave"] or "", tuple(dict.fromkeys(options["nodes"])), what or "")
