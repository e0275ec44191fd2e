# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which plans may begin, case by case, each with its reason in one line; the signatures are those of ssh-keygen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.judge import find_actors, judge
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.operator import Operator
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.statement import statement_digest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.approvals.sources import gather
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.approvals.trust import find_trust

from tests.fakes.trusted import AT, PLAN_DIGEST, ROLLOUT, Trusted, edited, statement

ANA, BEN, CLEO, DANA, EVE = (f"{name}@example.com" for name in ("ana", "ben", "cleo", "dana", "eve"))
MANAGER, OWNER = "change_manager", "app_owner"
Bundle = dict[str, Any]


def node(account: str, **more: Any) -> dict[str, Any]:
    return {"node_id": f"i-{account}", "account": account, "region": "eu-central-1", "tags": {}, **more}


PLAN = {
    "rollout": ROLLOUT,
    "digest": PLAN_DIGEST,
    "waves": [{"name": "canary", "nodes": [node("2")]}, {"name": "broad", "nodes": [node("1")]}],
}


@dataclass
class Case:
    """A signed approval by a change manager and one by an app owner is the base; ``changes`` are what differs."""

    signed: Sequence[tuple[Any, ...]] = ((ANA, MANAGER), (CLEO, OWNER))
    bundle: Callable[[Bundle, Trusted], object] | None = None
    pins: Mapping[str, Any] = field(default_factory=dict)
    roots: tuple[str, ...] = ("root1", "root2")
    at: str = AT
    planner: Operator | None = field(default_factory=lambda: Operator(login="dana"))
    launcher: Operator = field(default_factory=lambda: Operator(login="dana"))
    authors: tuple[str, ...] = ()
    plan: Mapping[str, Any] = field(default_factory=lambda: PLAN)
    people: int = 0
    seen: int = 0
    canary: str = ""
    broad: str = ""
    error: str = ""
    refused: str = ""


def person(bundle: Bundle, name: str) -> dict[str, Any]:
    return next(item for item in bundle["people"] if item["principal"] == name)


def revoke(what: str, name: Callable[[Trusted], str], since: str = "2026-11-30T00:00:00Z") -> Callable[..., object]:
    return lambda bundle, trusted: bundle.update(revocations=[{what: name(trusted), "since": since, "reason": "lost"}])


def key_until(name: str, end: str) -> Callable[..., object]:
    return lambda bundle, _trusted: person(bundle, name)["keys"][0].update(valid_until=end)


def rotated(bundle: Bundle, trusted: Trusted) -> None:
    keys = person(bundle, ANA)["keys"]
    keys[0]["valid_until"] = "2026-12-01T12:00:00Z"
    keys.append({**keys[0], "key": trusted.public("ana-new"), "valid_until": "2027-12-01T00:00:00Z"})


def demand(**changes: Any) -> Callable[..., object]:
    return lambda bundle, _trusted: bundle["requirements"]["plans"][0].update(changes)


def setting(**changes: Any) -> Callable[..., object]:
    return lambda bundle, _trusted: bundle["requirements"].update(changes)


def two_managers(bundle: Bundle, _trusted: Trusted) -> None:
    bundle["requirements"]["plans"][0]["people"] = [{"roles": [MANAGER], "count": 2}]


def same(name: str, what: str) -> Callable[..., object]:
    return lambda bundle, _trusted: person(bundle, ANA).update({what: person(bundle, name)[what]})


STRANGER = Operator(login="builder")
MISSING_OWNER = "production needs 1 person with the role app_owner, 1 missing"
MISSING_MANAGER = "production needs 1 person with the role change_manager, 1 missing"
BOTH_MISSING = f"{MISSING_MANAGER}; {MISSING_OWNER}"
TEST_MISSING = "test needs 1 person with the role change_manager or app_owner, 1 missing"
TWO = ((ANA, MANAGER), (CLEO, OWNER))

CASES: dict[str, Case] = {
    "two people of the right roles": Case(),
    "one person": Case(((ANA, MANAGER),), broad=MISSING_OWNER),
    "nobody": Case((), canary=TEST_MISSING, broad=BOTH_MISSING),
    "one person in two roles fills one place": Case(((BEN, MANAGER), (BEN, OWNER)), broad=f"{MISSING_OWNER}"),
    "two keys of one person are one person": Case(
        ((ANA, MANAGER), (ANA, MANAGER, {"key": "ana-new"})),
        bundle=lambda bundle, trusted: (
            two_managers(bundle, trusted),
            person(bundle, ANA)["keys"].append({**person(bundle, ANA)["keys"][0], "key": trusted.public("ana-new")}),
        ),
        broad="production needs 2 people with the role change_manager, 1 missing",
    ),
    "two managers where two are asked": Case(((ANA, MANAGER), (BEN, MANAGER)), bundle=two_managers),
    "the one with both roles moves to where nobody else can be": Case(((BEN, MANAGER), (BEN, OWNER), (ANA, MANAGER))),
    "its planner": Case(((DANA, MANAGER), (CLEO, OWNER)), launcher=Operator(login="eve"), broad=MISSING_MANAGER),
    "its launcher": Case(((DANA, MANAGER), (CLEO, OWNER)), planner=Operator(login="eve"), broad=MISSING_MANAGER),
    "its planner by AWX": Case(
        ((ANA, MANAGER), (CLEO, OWNER)),
        planner=Operator(login="dana", awx_user="ana", awx_user_id=1, awx_job=9),
        broad=MISSING_MANAGER,
    ),
    "the author of the policy": Case(authors=(ANA,), broad=MISSING_MANAGER),
    "an unknown planner is refused": Case(
        planner=STRANGER, canary="nobody knows who made the plan", broad="nobody knows who made the plan"
    ),
    "an unknown launcher is refused": Case(
        launcher=STRANGER, canary="nobody knows who runs the rollout", broad="nobody knows who runs the rollout"
    ),
    "a plan that names no planner is refused": Case(
        planner=None, canary="nobody knows who made the plan", broad="nobody knows who made the plan"
    ),
    "a user that AWX only claims names nobody": Case(
        planner=Operator(login="runner", awx_user="dana", awx_user_id=4, awx_job=9),
        canary="nobody knows who made the plan",
        broad="nobody knows who made the plan",
    ),
    "an unknown planner needs one more person": Case(
        bundle=setting(unknown_identity="one_more"),
        planner=STRANGER,
        broad="production needs 3 people, and 2 approved (nobody knows who made the plan)",
    ),
    "an unknown planner and one more person": Case(
        (*TWO, (BEN, OWNER)), bundle=setting(unknown_identity="one_more"), planner=STRANGER
    ),
    "unknown planner and launcher may be two": Case(
        (*TWO, (BEN, OWNER)),
        bundle=setting(unknown_identity="one_more"),
        planner=STRANGER,
        launcher=Operator(login="x"),
        broad="production needs 4 people, and 3 approved",
    ),
    "a revoked key": Case(bundle=revoke("key", lambda trusted: trusted.fingerprint(ANA)), broad=MISSING_MANAGER),
    "a revoked person": Case(bundle=revoke("person", lambda _trusted: ANA), broad=MISSING_MANAGER),
    "a revoked statement": Case(
        bundle=revoke("statement", lambda _trusted: statement_digest(statement(ANA, MANAGER).to_bytes())),
        broad=MISSING_MANAGER,
    ),
    "a key that will be revoked": Case(
        bundle=revoke("key", lambda trusted: trusted.fingerprint(ANA), since="2026-12-02T00:00:00Z")
    ),
    "an expired key": Case(bundle=key_until(ANA, "2026-12-01T21:59:59Z"), broad=MISSING_MANAGER),
    "a key in its last second": Case(bundle=key_until(ANA, "2026-12-01T22:00:01Z")),
    "a key that is not valid yet": Case(
        bundle=lambda bundle, _trusted: person(bundle, ANA)["keys"][0].update(valid_from="2026-12-02T00:00:00Z"),
        broad=MISSING_MANAGER,
    ),
    "the old key after its rotation": Case(bundle=rotated, broad=MISSING_MANAGER),
    "the new key after its rotation": Case(((ANA, MANAGER, {"key": "ana-new"}), (CLEO, OWNER)), bundle=rotated),
    "a key of somebody else": Case(((ANA, MANAGER, {"key": BEN}), (CLEO, OWNER)), broad=MISSING_MANAGER),
    "a key that nobody has": Case(((ANA, MANAGER, {"key": "mallory"}), (CLEO, OWNER)), broad=MISSING_MANAGER),
    "a person whom the bundle does not have": Case(
        (("mallory", MANAGER, {"key": "mallory"}), (CLEO, OWNER)), broad=MISSING_MANAGER
    ),
    "a service account": Case((("robot", MANAGER), (CLEO, OWNER)), broad=MISSING_MANAGER),
    "a role that the person does not have": Case(((EVE, MANAGER), (CLEO, OWNER)), broad=MISSING_MANAGER),
    "a role that nothing asks for": Case(
        ((EVE, "auditor"), (CLEO, OWNER)),
        broad=MISSING_MANAGER,
        refused=f"{EVE} approved production, test as auditor for 48 hours, by ssh, which no requirement",
    ),
    "another plan's digest": Case(
        ((ANA, MANAGER, {"subject": {"plan_digest": "d2" * 32}}), (CLEO, OWNER)), broad=MISSING_MANAGER
    ),
    "the approval of an earlier plan of the same world": Case(
        plan={**PLAN, "rollout": "beef" * 8, "digest": "d2" * 32}, canary=TEST_MISSING, broad=BOTH_MISSING
    ),
    "a plan with an edited policy has another digest": Case(
        plan={**PLAN, "digest": "ed" * 32}, canary=TEST_MISSING, broad=BOTH_MISSING
    ),
    "for another environment": Case(
        ((ANA, MANAGER, {"subject": {"environments": ["test"]}}), (CLEO, OWNER)), broad=MISSING_MANAGER
    ),
    "for another wave": Case(
        ((ANA, MANAGER, {"subject": {"waves": ["canary"]}}), (CLEO, OWNER)), broad=MISSING_MANAGER
    ),
    "for this wave alone": Case(
        ((ANA, MANAGER, {"subject": {"waves": ["broad"]}}), (CLEO, OWNER, {"subject": {"waves": ["broad"]}})),
        canary=TEST_MISSING,
    ),
    "expired": Case(((ANA, MANAGER, {"expires": "2026-12-01T22:00:00Z"}), (CLEO, OWNER)), broad=MISSING_MANAGER),
    "expired before the second wave": Case(at="2026-12-03T00:00:00Z", canary=TEST_MISSING, broad=BOTH_MISSING),
    "not before": Case(((ANA, MANAGER, {"not_before": "2026-12-02T00:00:00Z"}), (CLEO, OWNER)), broad=MISSING_MANAGER),
    "for longer than the bundle allows": Case(bundle=demand(max_hours=47), broad=BOTH_MISSING),
    "signed under a newer bundle than this controller has": Case(
        ((ANA, MANAGER, {"bundle_version": 8}), (CLEO, OWNER)), broad=MISSING_MANAGER
    ),
    "signed under an older bundle": Case(((ANA, MANAGER, {"bundle_version": 6}), (CLEO, OWNER))),
    "signed for another purpose": Case(
        ((ANA, MANAGER, {"purpose": "decision@patchtide"}), (CLEO, OWNER)), broad=MISSING_MANAGER
    ),
    "signed for git": Case(((ANA, MANAGER, {"purpose": "git"}), (CLEO, OWNER)), broad=MISSING_MANAGER),
    "edited after signing": Case(((ANA, MANAGER, {"edit": {"reason": "x"}}), (CLEO, OWNER)), broad=MISSING_MANAGER),
    "not signed": Case(((ANA, MANAGER, {"signature": None}), (CLEO, OWNER)), broad=MISSING_MANAGER),
    "text after the armour": Case(
        ((ANA, MANAGER, {"signature": lambda data: data + b"and more\n"}), (CLEO, OWNER)), broad=MISSING_MANAGER
    ),
    "Windows line ends": Case(
        ((ANA, MANAGER, {"bytes": lambda data: data.replace(b"\n", b"\r\n")}), (CLEO, OWNER)), broad=MISSING_MANAGER
    ),
    "a name in capitals": Case((("Ana@example.com", MANAGER, {"key": ANA}), (CLEO, OWNER)), broad=MISSING_MANAGER),
    "a look-alike of a name": Case(
        (("an\u0430@example.com", MANAGER, {"key": ANA}), (CLEO, OWNER)), broad=MISSING_MANAGER
    ),
    "a pattern as a name": Case((("*@example.com", MANAGER, {"key": ANA}), (CLEO, OWNER)), broad=MISSING_MANAGER),
    "a rejection wins": Case(
        (*TWO, (EVE, "auditor", {"verdict": "reject", "reason": "no backup"})),
        canary=f"{EVE} said reject: no backup",
        broad=f"{EVE} said reject: no backup",
    ),
    "a rejection of one wave": Case(
        (*TWO, (EVE, "auditor", {"verdict": "reject", "reason": "no backup", "subject": {"waves": ["broad"]}})),
        broad=f"{EVE} said reject: no backup",
        refused=f"{EVE} said reject: no backup",
    ),
    "a withdrawn approval": Case(
        (*TWO, (ANA, MANAGER, {"verdict": "revoke", "reason": "a mistake"})),
        canary=f"{ANA} said revoke: a mistake",
        broad=f"{ANA} said revoke: a mistake",
    ),
    "a rejection of the planner counts": Case(
        (*TWO, (DANA, MANAGER, {"verdict": "reject", "reason": "wrong list"})),
        canary=f"{DANA} said reject: wrong list",
        broad=f"{DANA} said reject: wrong list",
    ),
    "the policy demands more people": Case(
        people=3, canary="test needs 3 people, and 2 approved", broad="production needs 3 people, and 2 approved"
    ),
    "the policy can't demand fewer": Case(((ANA, MANAGER),), people=1, broad=MISSING_OWNER),
    "nodes that no environment holds": Case(
        plan={**PLAN, "waves": [{"name": "canary", "nodes": [node("3")]}, PLAN["waves"][1]]},
        canary="the bundle has no requirement for nodes that no environment holds",
    ),
    "an environment without a requirement": Case(
        bundle=lambda bundle, _trusted: bundle["requirements"]["plans"].pop(),
        canary="the bundle has no requirement for environment test",
    ),
    "a source that is not admitted": Case(
        bundle=demand(sources=["awx"]),
        pins={"awx": {"url": "https://awx.example.com", "token_file": "/nowhere"}},
        broad=BOTH_MISSING,
    ),
    "a bundle below the pinned version": Case(
        bundle=lambda bundle, _trusted: bundle.update(version=6),
        error="is version 6, and this controller demands at least version 7",
    ),
    "a bundle older than the rollout has begun with": Case(
        seen=8, error="is version 7, and this rollout has begun with at least version 8"
    ),
    "a bundle signed by one root key": Case(roots=("root1",), error="1 of 3 root keys have signed it, and 2 must"),
    "a bundle signed by a stranger": Case(roots=("root1", "mallory"), error="a signature is by none of the root keys"),
    "a bundle signed by two other root keys": Case(roots=("root2", "root3")),
    "a bundle that nobody signed": Case(roots=(), error="0 of 3 root keys have signed it"),
    "a wildcard in the bundle": Case(
        bundle=lambda bundle, _trusted: person(bundle, ANA).update(principal="*@example.com"), error="no wildcards"
    ),
    "a key of two people": Case(bundle=same(BEN, "keys"), error="a key of one person"),
    "a login of two people": Case(bundle=same(BEN, "logins"), error="a login of one person"),
    "a shared login": Case(
        bundle=lambda bundle, _trusted: person(bundle, ANA).update(logins=["root"]), error="one person alone can use"
    ),
    "local time in the bundle": Case(
        bundle=key_until(ANA, "2026-12-02T00:00:00"), error="a time in UTC such as 2026-12-01T22:00:00Z"
    ),
    "half a key in the bundle": Case(
        bundle=lambda bundle, _trusted: person(bundle, ANA)["keys"][0].update(
            key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=="
        ),
        error="a whole public key",
    ),
    "an unknown member in the bundle": Case(
        bundle=lambda bundle, _trusted: bundle.update(revocation=[]), error="bundle.yml.revocation"
    ),
    "more people asked than there are": Case(
        bundle=demand(people=[{"roles": ["auditor"], "count": 2}]), error="no more people than have one of the roles"
    ),
}


def write(case: Case, trusted: Trusted) -> None:
    folder = trusted.folder / "approvals"
    folder.mkdir()
    for number, (principal, role, *rest) in enumerate(case.signed):
        more = dict(rest[0]) if rest else {}
        key, purpose = more.pop("key", principal), more.pop("purpose", "plan@patchtide")
        signature, to_bytes, edit = more.pop("signature", bytes), more.pop("bytes", bytes), more.pop("edit", {})
        data = to_bytes(statement(principal, role, **{"nonce": f"{number:032x}", **more}).to_bytes())
        path = folder / f"{number}.json"
        path.write_bytes(data)
        if signature is not None:
            sealed = trusted.sign_file(path, key, purpose)
            sealed.write_bytes(signature(sealed.read_bytes()))
        if edit:
            path.write_bytes(edited(data, **edit))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trusted]:
    yield Trusted(tmp_path_factory.mktemp("keys"))


@pytest.mark.parametrize("name", CASES)
def test_what_may_begin_and_why_not(name: str, keys: Trusted, tmp_path: Path) -> None:
    case, trusted = CASES[name], Trusted(tmp_path, keys.keys)
    trusted.keys = keys.keys
    for known in (ANA, BEN, CLEO, DANA, EVE, "robot", "root1", "root2", "root3", "mallory", "ana-new"):
        keys.key(known)
    bundle = deepcopy(trusted.bundle())
    if case.bundle:
        case.bundle(bundle, trusted)
    pins = trusted.pin(bundle, roots=case.roots, **case.pins)
    now = from_time(case.at)
    write(case, trusted)
    try:
        trust = find_trust(now, seen=case.seen, pins=pins)
    except PatchtideError as error:
        assert case.error and case.error in str(error) and "\n" not in str(error)
        return
    assert not case.error and trust
    found = gather(tmp_path, trust, case.plan, now)
    actors = find_actors(trust.bundle, case.planner, case.launcher, case.authors)
    judged = judge(case.plan, trust.bundle, found, actors, case.people)
    for wave, expected in (("canary", case.canary), ("broad", case.broad)):
        reasons = "; ".join(judged.missing[wave])
        assert reasons.startswith(expected) if expected else not reasons, reasons
    assert all("\n" not in reason for _label, reason in judged.refused)
    assert len(judged.refused) + len({vote.proof for vote in judged.counted}) == len(found)
    assert case.refused in "\n".join(reason for _label, reason in judged.refused)
