# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tenants have in common without saying so: identities, places, receivers, people."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import Policy, to_policy
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.tenants.belongings import (
    Belonging,
    foreign_accounts,
    of_bundle,
    of_policy,
    of_tenant,
    overlaps,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.tenants.values import Shared, Tenant
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.bundle import (
    Bundle,
    Demand,
    Environment,
    ExceptionDemands,
    Person,
    Requirement,
)

A, B = "222222222222", "333333333333"
CONTOSO, FABRIKAM = Tenant(name="contoso", accounts=(A,)), Tenant(name="fabrikam", accounts=(B,))


def policy(name: str, account: str = A, **more: Any) -> Policy:
    accounts = [{"role_arn": f"arn:aws:iam::{account}:role/patchtide"}] if account else []
    return to_policy({"version": 1, "name": name, "estate": {"accounts": accounts}, **more})


def both(**more: Any) -> list[str]:
    """Return what two policies that differ in name and account have in common."""
    names = (("contoso", A), ("fabrikam", B))
    found = {name: list(of_policy(policy(name, account, **more), f"{name}/policy.yml")) for name, account in names}
    return overlaps(found, ())


def test_tenants_that_are_separate_have_nothing_in_common() -> None:
    found = {
        item.name: [*of_tenant(item, "t"), *of_policy(policy(item.name, item.accounts[0]), "p")]
        for item in (CONTOSO, FABRIKAM)
    }
    assert overlaps(found, ()) == []
    same = {
        "windows": [{"name": "night", "schedule": "rate(7 days)", "duration_hours": 2}],
        "patch_groups": [{"name": "WEB"}],
    }
    assert both(**same) == [], "in accounts of their own, names may be the same"


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"patching": {"buckets": {"eu-central-1": {"name": "lists"}}}}, "lists s3://lists"),
        ({"patching": {"buckets": {"eu-central-1": {"name": "lists", "prefix": "/a/"}}}}, "lists s3://lists/a"),
        ({"patching": {"list_url": "https://lists.example/x"}}, "lists https://lists.example/x"),
        ({"owners": [{"name": "web", "people": ["dana"], "select": {"nodes": ["x"]}}]}, "owner dana"),
        (
            {"notices": {"routes": [{"name": "r", "mail": {"host": "h", "sender": "s", "to": ["Ops@Example.com "]}}]}},
            "receiver ops@example.com",
        ),
        ({"notices": {"routes": [{"name": "r", "sns": {"topic_arn": "arn:x"}}]}}, "receiver arn:x"),
        ({"notices": {"routes": [{"name": "r", "webhook": {"url": "${SLACK_URL}"}}]}}, "receiver ${SLACK_URL}"),
    ],
)
def test_what_two_policies_have_in_common_is_named_with_both_places(more: dict[str, Any], what: str) -> None:
    (text,) = both(**more)
    assert text.startswith(f"contoso and fabrikam both have {what} (contoso/policy.yml: ")
    assert "; fabrikam/policy.yml: " in text


def test_the_name_of_a_policy_is_of_one_tenant_because_notices_go_by_it() -> None:
    found = {name: list(of_policy(policy("production", account), name)) for name, account in (("x", A), ("y", B))}
    assert overlaps(found, ()) == ["x and y both have policy production (x: name; y: name)"]


def test_resources_of_an_account_that_is_shared_need_names_of_their_own() -> None:
    rows = {"windows": [{"name": "night", "schedule": "rate(7 days)", "duration_hours": 2}]}
    found = {
        name: [*of_tenant(Tenant(name=name, accounts=(A,)), "t"), *of_policy(policy(name, **rows), name)]
        for name in "xy"
    }
    said = Shared(what=f"account {A}", tenants=("x", "y"), reason="a platform")
    assert overlaps(found, ()) == [
        f"x and y both have account {A} (t: tenants.x.accounts; t: tenants.y.accounts)",
        f"x and y both have window night in account {A} (x; y)",
    ]
    assert overlaps(found, [said]) == [f"x and y both have window night in account {A} (x; y)"]


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("s3://h/a", "s3://h/a", True),
        ("s3://h", "s3://h/a", True),
        ("s3://h/a/b", "s3://h/a", True),
        ("s3://h/a", "s3://h/ab", False),
        ("s3://h/a", "s3://h/b", False),
        ("/srv/history", "/srv/history/contoso", True),
    ],
)
def test_a_history_in_another_one_is_found(one: str, other: str, meet: bool) -> None:
    tenants = [Tenant(name=name, groups=(name,), history=place) for name, place in (("x", one), ("y", other))]
    found = {item.name: list(of_tenant(item, "t")) for item in tenants}
    assert bool(overlaps(found, ())) is meet
    if meet:
        for what in (one, other):
            assert not overlaps(found, [Shared(what=f"history {what}", tenants=("x", "y"), reason="-")])


def test_a_statement_counts_for_the_tenants_that_it_names_and_for_no_others() -> None:
    found = {name: [Belonging(what="receiver a", where=name)] for name in "xyz"}
    said = Shared(what="receiver a", tenants=("x", "y"), reason="-")
    assert overlaps(found, [said]) == ["x and z both have receiver a (x; z)", "y and z both have receiver a (y; z)"]


def test_a_policy_with_a_role_of_another_account_is_refused() -> None:
    assert foreign_accounts(CONTOSO, policy("contoso"), "p") == []
    assert foreign_accounts(CONTOSO, policy("contoso", B), "p") == [
        f"p: estate.accounts[0]: {B} is not an account of contoso"
    ]


def test_no_account_would_be_that_of_the_credentials() -> None:
    (text,) = foreign_accounts(CONTOSO, policy("contoso", ""), "p")
    assert "the credentials of the controller decide" in text
    for item in (
        Tenant(name="x", groups=("hosts",)),
        Tenant(name="x", accounts=("3b1f4c0e-0000-4000-8000-000000000001",)),
    ):
        assert not foreign_accounts(item, policy("x", ""), "p"), "hosts and subscriptions need no role"


def people(bundle: Bundle, tenant: Tenant) -> set[str]:
    return {item.what.removeprefix("approver ") for item in of_bundle(tenant, bundle, "b")}


def bundle(**changes: Any) -> Bundle:
    """Each tenant has an environment, a role and a person of its own."""
    names = {"ana": ("a",), "ben": ("b",), "eve": ("c",), "root": ("d",)}
    values: dict[str, Any] = {
        "version": 1,
        "people": {name: Person(principal=name, roles=roles) for name, roles in names.items()},
        "roles": {},
        "environments": (Environment(name="A", accounts=(A,)), Environment(name="B", accounts=(B,))),
        "plans": tuple(Requirement(people=(Demand(roles=(name.lower(),)),), environments=(name,)) for name in "AB"),
    }
    return Bundle(**{**values, **changes})


def test_approvers_of_environments_of_other_accounts_are_others() -> None:
    assert (people(bundle(), CONTOSO), people(bundle(), FABRIKAM)) == ({"ana"}, {"ben"})


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        ({"plans": (Requirement(people=(Demand(roles=("c",)),)),)}, "eve"),
        ({"decisions": {"promote": Demand(roles=("c",))}}, "eve"),
        ({"exceptions": ExceptionDemands(steps={"approve": Demand(roles=("d",))})}, "root"),
    ],
)
def test_whoever_can_act_for_every_environment_is_everybodys(changes: dict[str, Any], more: str) -> None:
    found = [people(bundle(**changes), tenant) for tenant in (CONTOSO, FABRIKAM)]
    assert more in found[0] & found[1]


def test_an_environment_without_accounts_can_hold_anybodys_nodes() -> None:
    rest = (*bundle().environments, Environment(name="rest"))
    wanted = (*bundle().plans, Requirement(people=(Demand(roles=("c",)),), environments=("rest",)))
    assert people(bundle(environments=rest, plans=wanted), CONTOSO) == {"ana", "eve"}


def test_a_service_account_never_approves() -> None:
    robot = Person(principal="robot", roles=("a",), service=True)
    assert people(bundle(people={"robot": robot}), CONTOSO) == set()
