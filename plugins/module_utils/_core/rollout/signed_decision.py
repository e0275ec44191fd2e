# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed decisions: bound to the plan, the wave and the journal's head, so that none can be replayed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..trust.bundle import Bundle
from ..trust.ports import SignatureCheck
from ..trust.prove import NotProved, check_subject, prove
from ..trust.statement import Statement
from .decisions import Choice

#: Decisions that need no signature unless the bundle assigns them to a role: they only make a rollout do less.
FREE = ("abort",)


def decision_subject(plan: Mapping[str, Any], choice: Choice, head: tuple[int, str]) -> dict[str, Any]:
    """Return the subject of a statement about a decision.

    :param head: number and hash of the journal's last record.
    """
    return {
        "rollout": plan["rollout"],
        "plan_digest": plan["digest"],
        "action": choice.action,
        "wave": choice.wave,
        "nodes": sorted(choice.nodes),
        "what": choice.what,
        "head_seq": head[0],
        "head": head[1],
    }


def needs_signature(bundle: Bundle, action: str) -> bool:
    """Return whether a decision needs a statement. :raises NotProved: the bundle assigns it to nobody."""
    if action in bundle.decisions:
        return True
    if action in FREE:
        return False
    raise NotProved(f"the trust bundle gives the decision {action} to no role")


def prove_decision(
    data: bytes,
    signature: bytes,
    *,
    plan: Mapping[str, Any],
    choice: Choice,
    head: tuple[int, str],
    bundle: Bundle,
    check: SignatureCheck,
    now: datetime,
) -> Statement:
    """Return who has made this decision for the journal in its present state.

    :raises NotProved: with the reason in one line.
    """
    statement = prove(data, signature, act="decision", bundle=bundle, check=check, now=now)
    expected = decision_subject(plan, choice, head)
    check_subject(statement, {name: expected[name] for name in expected if name not in ("head", "head_seq")})
    known = (statement.subject["head_seq"], statement.subject["head"])
    if known != head and choice.action not in FREE:  # which is final, so it can't be replayed
        raise NotProved(
            f"it was signed when the journal ended with record {statement.subject['head_seq']}, and now it ends with "
            f"record {head[0]}; sign the decision again"
        )
    demand = bundle.decisions[choice.action]
    if statement.role not in demand.roles:
        raise NotProved(f"{choice.action} needs the role {' or '.join(demand.roles)}, not {statement.role}")
    return statement
