# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which signed decisions count, case by case, each with its reason in one line; the signatures are by ssh-keygen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.decisions import Choice
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.signed_decision import (
    decision_subject,
    needs_signature,
    prove_decision,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.bundle_read import read_bundle
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.prove import NotProved
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.statement import Statement
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.approvals.ssh import SshKeygen

from tests.fakes.trusted import AT, PLAN_DIGEST, ROLLOUT, Trusted

DANA, ANA = "dana@example.com", "ana@example.com"
PLAN = {"rollout": ROLLOUT, "digest": PLAN_DIGEST}
HEAD = (12, "ab" * 32)
RETRY = Choice("retry", "canary", ("i-1", "i-2"), "")


@dataclass(kw_only=True)
class Case:
    """Dana, an operator, decided to retry two nodes of the canary; the rest is what differs."""

    who: str = DANA
    role: str = "operator"
    key: str = DANA
    signed: Choice = RETRY
    signed_head: tuple[int, str] = HEAD
    asked: Choice = RETRY
    head: tuple[int, str] = HEAD
    plan: Mapping[str, Any] = field(default_factory=lambda: PLAN)
    purpose: str = "decision@patchtide"
    at: str = AT
    changes: Mapping[str, Any] = field(default_factory=dict)
    bundle: Callable[[dict[str, Any]], object] = lambda data: None
    why: str = ""


def revoke(name: str) -> Callable[[dict[str, Any]], object]:
    row = {"person": name, "since": "2026-12-01T00:00:00Z", "reason": "left"}
    return lambda data: data.update(revocations=[row])


ABORT = Choice("abort", "", (), "")
CASES: dict[str, Case] = {
    "as it was signed": Case(),
    "the order of the nodes": Case(asked=Choice("retry", "canary", ("i-2", "i-1"), "")),
    "a replay": Case(head=(14, "cd" * 32), why="when the journal ended with record 12, and now it ends with record 14"),
    "another journal of the same length": Case(head=(12, "cd" * 32), why="sign the decision again"),
    "a number with another record": Case(signed_head=(11, "ab" * 32), why="sign the decision again"),
    "another wave": Case(asked=Choice("retry", "broad", ("i-1", "i-2"), ""), why="its wave is 'canary'"),
    "another action": Case(asked=Choice("skip", "canary", ("i-1", "i-2"), ""), why="its action is 'retry'"),
    "more nodes": Case(asked=Choice("retry", "canary", ("i-1", "i-2", "i-3"), ""), why="its nodes is"),
    "all nodes": Case(asked=Choice("retry", "canary", (), ""), why="its nodes is"),
    "another subject": Case(asked=Choice("retry", "canary", ("i-1", "i-2"), "tags"), why="its what is ''"),
    "another rollout": Case(plan={**PLAN, "rollout": "beef" * 8}, why="its rollout is"),
    "another plan": Case(plan={**PLAN, "digest": "d2" * 32}, why="its plan digest is"),
    "a role that the decision does not ask for": Case(
        role="change_manager", why="retry needs the role operator, not change_manager"
    ),
    "a role that the person does not have": Case(who=ANA, key=ANA, why="does not have the role 'operator'"),
    "another person's key": Case(key=ANA, why="is not a key of dana@example.com"),
    "signed as a plan": Case(purpose="plan@patchtide", why="signed for 'plan@patchtide'"),
    "a revoked person": Case(bundle=revoke(DANA), why="was revoked on 2026-12-01"),
    "expired": Case(at="2026-12-02T22:00:00Z", why="it expired on 2026-12-02T22:00:00Z"),
    "not yet": Case(at="2026-12-01T20:59:59Z", why="it counts only from 2026-12-01T21:00:00Z"),
    "a newer bundle": Case(changes={"bundle_version": 8}, why="this controller has bundle 7"),
    "abort is final, so that its journal may grow": Case(signed=ABORT, asked=ABORT, head=(14, "cd" * 32)),
    "abort of another rollout": Case(
        signed=ABORT, asked=ABORT, plan={**PLAN, "rollout": "beef" * 8}, why="its rollout is"
    ),
}


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Trusted:
    return Trusted(tmp_path_factory.mktemp("decisions"))


@pytest.mark.parametrize("name", CASES)
def test_what_decides_and_why_not(name: str, trusted: Trusted) -> None:
    case = CASES[name]
    data = trusted.bundle()
    data["requirements"]["decisions"]["abort"] = {"roles": ["operator"]}
    case.bundle(data)
    given = {"verdict": "approve", "not_before": "2026-12-01T21:00:00Z", "expires": "2026-12-02T22:00:00Z"}
    given |= {"bundle_version": 7, "nonce": "0" * 32, "reason": "CHG0040007", **case.changes}
    subject = decision_subject(PLAN, case.signed, case.signed_head)
    signed = Statement(act="decision", subject=subject, principal=case.who, role=case.role, **given).to_bytes()
    try:
        found = prove_decision(
            signed,
            trusted.sign(signed, case.key, case.purpose),
            plan=case.plan,
            choice=case.asked,
            head=case.head,
            bundle=read_bundle(data, "bundle.yml"),
            check=SshKeygen(),
            now=from_time(case.at),
        )
    except NotProved as error:
        assert case.why and case.why in str(error) and "\n" not in str(error)
    else:
        assert (case.why, found.principal) == ("", case.who)


def test_what_needs_a_signature(trusted: Trusted) -> None:
    bundle = read_bundle(trusted.bundle(), "bundle.yml")
    assert needs_signature(bundle, "retry") and not needs_signature(bundle, "abort")
    with pytest.raises(NotProved, match="gives the decision accept_policy to no role"):
        needs_signature(bundle, "accept_policy")
