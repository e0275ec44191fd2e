# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One tenant's identity, claim, history or notice never reaches another: a playbook is refused before it begins."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.tenants.values import TenantError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.bundle import (
    Bundle,
    Demand,
    Environment,
    Person,
    Requirement,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.claims import take
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.stores import choose_stores
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.tenants.guard import check_tenant

from tests.fakes.driving import planned
from tests.fakes.fleet_port import FakeClock
from tests.fakes.plans import completed

ACCOUNTS = {"contoso": "222222222222", "fabrikam": "333333333333"}


def write(root: Path, name: str, **more: Any) -> Path:
    """Write the policy of a tenant; return its directory."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    role = f"arn:aws:iam::{ACCOUNTS[name]}:role/patchtide"
    policy = {"version": 1, "name": name, "estate": {"regions": ["eu-central-1"], "accounts": [{"role_arn": role}]}}
    policy |= {"waves": [{"name": "all"}], "patching": {"pin": "baseline"}, **more}
    (folder / "policy.yml").write_text(yaml.safe_dump(policy), "utf-8")
    return folder


def tell(root: Path, *shared: str, **more: dict[str, Any]) -> None:
    rows = {name: {"accounts": [account], **more.get(name, {})} for name, account in ACCOUNTS.items()}
    said = [{"what": what, "tenants": list(ACCOUNTS), "reason": "test"} for what in shared]
    (root / "patchtide_tenants.yml").write_text(yaml.safe_dump({"tenants": rows, "shared": said}), "utf-8")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "tenants"
    for name in ACCOUNTS:
        write(root, name)
    tell(root)
    return root


def inventory(**accounts: str) -> dict[str, Any]:
    """Return the variables of a task whose inventory has these hosts, each in the group of its first letter."""
    hosts = {
        name: {"patchtide_executor": "ssm" if account else "linux", "patchtide_account": account}
        for name, account in accounts.items()
    }
    groups: dict[str, list[str]] = {"all": list(hosts)}
    for name in hosts:
        groups.setdefault(name[0], []).append(name)
    return {"hostvars": hosts, "groups": groups}


def check(playbook: str, task_vars: dict[str, Any] | None = None, trust: Any = None, **given: Any) -> str:
    return check_tenant(playbook, given, task_vars or {}, lambda: trust)


def plan(root: Path, name: str, tenant: str = "", **of: str) -> dict[str, Any]:
    """Write a plan of one node into a tenant's directory; return the variables of its rollout."""
    folder = root / name / "2026-12"
    folder.mkdir(parents=True, exist_ok=True)
    node = {**planned("web-01", 1), "account": ACCOUNTS[tenant or name], "region": "eu-central-1", **of}
    sealed = completed([{"name": "all", "nodes": [node]}], rollout=name.encode().hex().ljust(32, "0")[:32])
    (folder / "plan.json").write_text(json.dumps(sealed), "utf-8")
    return {"policy_file": str(root / name / "policy.yml"), "dir": str(folder)}


def test_outside_of_a_directory_of_tenants_nothing_is_asked(tmp_path: Path) -> None:
    assert check("plan_rollout", policy_file=str(tmp_path / "policy.yml"), dir=str(tmp_path / "run")) == ""


def test_a_run_for_a_tenant_with_its_own_files_and_nodes(root: Path) -> None:
    folder = root / "contoso"
    own = {"policy_file": str(folder / "policy.yml"), "dir": str(folder / "2026-12")}
    assert check("plan_rollout", inventory(a=ACCOUNTS["contoso"]), **own) == "contoso"
    assert check("publish_history", **own, history=str(folder / "history")) == "contoso"
    assert check("run_due", plans=str(folder)) == "contoso"
    assert check("run_due", plans=str(root)) == check("tenants_overview", tenants=str(root)) == ""


@pytest.mark.parametrize(
    ("playbook", "given", "text"),
    [
        ("plan_rollout", {"dir": "fabrikam/2026-12"}, "policy_file is contoso's, patchtide_dir is fabrikam's"),
        ("plan_rollout", {"dir": "2026-12"}, "in the directory of no tenant"),
        ("plan_rollout", {"dir": "../2026-12"}, "patchtide_dir is .*, expected a place of tenant contoso"),
        ("plan_rollout", {"dir": "contoso/1", "catch_up": "fabrikam/1/catch_up.json"}, "catch_up is fabrikam's"),
        (
            "plan_rollout",
            {"dir": "contoso/1", "policy_file": "contoso/1/policy.yml"},
            "expected that of tenant contoso",
        ),
        ("plan_rollout", {"dir": "contoso/1", "policy_file": "policy.yml"}, "in the directory of no tenant"),
        ("send_notices", {"plans": "fabrikam"}, "plans is fabrikam's"),
        ("send_notices", {"plans": "."}, "in the directory of no tenant"),
        ("choose_window", {"window_ledger": "fabrikam/choices.json"}, "window_ledger is fabrikam's"),
        (
            "choose_window",
            {"window_ledger": "../choices.json"},
            "window_ledger is .*, expected a place of tenant contoso",
        ),
        ("publish_history", {"dir": "contoso/1", "history": "fabrikam/history"}, "history is fabrikam's"),
        ("publish_history", {"dir": "contoso/1", "history": "contoso/other"}, "expected that of tenant contoso"),
    ],
)
def test_files_of_another_tenant_are_refused(root: Path, playbook: str, given: dict[str, str], text: str) -> None:
    paths = {"policy_file": "contoso/policy.yml", **given}
    with pytest.raises(TenantError, match=text):
        check(playbook, **{name: str(root / path) for name, path in paths.items()})


def test_a_history_in_a_bucket_is_that_of_the_tenant(root: Path) -> None:
    tell(root, contoso={"history": "s3://h/contoso"}, fabrikam={"history": "s3://h/fabrikam"})
    own = {"policy_file": str(root / "contoso/policy.yml"), "dir": str(root / "contoso/1")}
    assert check("publish_history", **own, history="s3://h/contoso/") == "contoso"
    with pytest.raises(
        TenantError, match="history is s3://h/fabrikam, expected that of tenant contoso: s3://h/contoso"
    ):
        check("publish_history", **own, history="s3://h/fabrikam")
    tell(root, contoso={"history": "s3://h"}, fabrikam={"history": "s3://h/fabrikam"})
    with pytest.raises(TenantError, match="both have history s3://h, which is in or around history s3://h/fabrikam"):
        check("publish_history", **own, history="s3://h")


def test_symbolic_links_lead_nowhere(root: Path) -> None:
    (root / "contoso" / "2026-12").symlink_to(root / "fabrikam")
    with pytest.raises(TenantError, match="dir is fabrikam's"):
        check("plan_rollout", policy_file=str(root / "contoso/policy.yml"), dir=str(root / "contoso/2026-12"))
    (root / "contoso" / "policy.yml").unlink()
    (root / "contoso" / "policy.yml").symlink_to(root / "fabrikam" / "policy.yml")
    assert check("sync_windows", policy_file=str(root / "contoso/policy.yml")) == "fabrikam", "it works for whose it is"
    with pytest.raises(TenantError, match="policy_file is fabrikam's, patchtide_dir is contoso's"):
        check("plan_rollout", policy_file=str(root / "contoso/policy.yml"), dir=str(root / "contoso/1"))


# ---- identity ----


@pytest.mark.parametrize("host", ["b", "c"])
def test_nodes_of_another_tenant_are_in_no_plan_of_this_one(root: Path, host: str) -> None:
    """A wave without select takes every node of the inventory."""
    tell(root, contoso={"groups": ["a"]})
    nodes = {"a1": "", "a2": ACCOUNTS["contoso"], "b": ACCOUNTS["fabrikam"], "c": ""}
    own = {"policy_file": str(root / "contoso/policy.yml"), "dir": str(root / "contoso/1")}
    assert check("plan_rollout", inventory(**{name: nodes[name] for name in ("a1", "a2")}), **own) == "contoso"
    with pytest.raises(TenantError, match=f"The inventory has nodes that are not tenant contoso's: {host}\\. Give"):
        check("plan_rollout", inventory(**{name: nodes[name] for name in ("a1", "a2", host)}), **own)


def test_a_policy_that_names_a_role_of_another_tenant_is_refused(root: Path) -> None:
    roles = [f"arn:aws:iam::{account}:role/patchtide" for account in ACCOUNTS.values()]
    write(root, "contoso", estate={"regions": ["eu-central-1"], "accounts": [{"role_arn": role} for role in roles]})
    with pytest.raises(TenantError, match=r"estate\.accounts\[1\]: 333333333333 is not an account of contoso"):
        check("apply_policy", policy_file=str(root / "contoso/policy.yml"))
    assert check("apply_policy", policy_file=str(root / "fabrikam/policy.yml")) == "fabrikam", "it can't help it"


def test_a_plan_with_a_node_of_another_tenant_is_not_carried_out(root: Path) -> None:
    assert check("rollout_patches", **plan(root, "contoso")) == "contoso"
    with pytest.raises(TenantError, match="The plan has nodes that are not tenant contoso's: web-01"):
        check("rollout_patches", **plan(root, "contoso", "fabrikam"))


def test_a_planned_host_in_no_account_is_of_a_group_of_the_inventory(root: Path) -> None:
    tell(root, contoso={"groups": ["w"]})
    given = plan(root, "contoso", account="", region="")
    assert check("rollout_patches", inventory(**{"web-01": ""}), **given) == "contoso"
    with pytest.raises(TenantError, match="web-01"):
        check("rollout_patches", inventory(other=""), **given)


def trusting(*approvers: str) -> Any:
    """Return a controller's trust in one approver of each tenant."""
    people = {name: Person(principal=name, roles=(role,)) for name, role in zip(approvers, ACCOUNTS, strict=True)}
    if len(people) < len(approvers):
        people = {name: Person(principal=name, roles=tuple(ACCOUNTS)) for name in approvers}
    environments = tuple(Environment(name=name, accounts=(account,)) for name, account in ACCOUNTS.items())
    plans = tuple(Requirement(people=(Demand(roles=(name,)),), environments=(name,)) for name in ACCOUNTS)
    bundle = Bundle(version=1, people=people, roles={}, environments=environments, plans=plans)
    return SimpleNamespace(bundle=bundle, pins=SimpleNamespace(bundle="bundle.yml"))


def test_an_approver_of_two_tenants_must_be_said(root: Path) -> None:
    own = {"policy_file": str(root / "contoso/policy.yml"), "dir": str(root / "contoso/1")}
    assert check("plan_rollout", trust=trusting("ana", "ben"), **own) == "contoso"
    with pytest.raises(TenantError, match=r"contoso and fabrikam both have approver ana \(bundle\.yml\)"):
        check("plan_rollout", trust=trusting("ana", "ana"), **own)
    tell(root, "approver ana")
    assert check("plan_rollout", trust=trusting("ana", "ana"), **own) == "contoso"


# ---- claim ----


def test_hosts_of_the_same_name_do_not_wait_for_one_another(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each tenant has a host web-01 over SSH. Without tenants, the second rollout would be kept from it."""
    monkeypatch.delenv("PATCHTIDE_CLOCK", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(root / "state"))
    for tenants, kept in ((True, 0), (False, 1)):
        if not tenants:
            (root / "patchtide_tenants.yml").unlink()
        found = []
        for name in ACCOUNTS:
            folder = Path(plan(root, name)["dir"])
            (folder / "stores.json").unlink(missing_ok=True)
            rollout = RolloutDir(folder, FakeClock(), choose_stores(folder, None, None, write=True))
            found.append(take(rollout, "all"))
        assert [len(records) for records in found] == [0, kept]


@pytest.mark.parametrize("what", ["claims", "journal"])
def test_a_table_of_another_tenant_is_refused_also_for_a_rollout(root: Path, what: str) -> None:
    given = plan(root, "contoso")
    plan(root, "fabrikam")
    table = "dynamodb:eu-central-1/patchtide"
    choose_stores(root / "fabrikam/2026-12", **{"journal": None, "claims": None, what: table}, write=True)
    assert check("rollout_patches", **given, **{what: f"{table}-contoso"}) == "contoso"
    with pytest.raises(TenantError, match=f"contoso and fabrikam both have {what} {table} "):
        check("rollout_patches", **given, **{what: table})
    tell(root, f"{what} {table}")
    assert check("rollout_patches", **given, **{what: table}) == "contoso"


def test_a_file_of_claims_in_the_directory_of_another_tenant_is_refused(root: Path) -> None:
    with pytest.raises(TenantError, match="claims is fabrikam's"):
        check("rollout_patches", **plan(root, "contoso"), claims=f"file:{root}/fabrikam/claims.json")


def test_a_rollout_that_has_begun_waits_for_nobody(root: Path) -> None:
    """What others do to their files in the middle of a night keeps nobody's nodes drained."""
    given = plan(root, "contoso")
    table = "dynamodb:eu-central-1/patchtide"
    choose_stores(Path(given["dir"]), None, table, write=True)
    plan(root, "fabrikam")
    choose_stores(root / "fabrikam/2026-12", None, table, write=True)
    (root / "fabrikam/policy.yml").write_text("{", "utf-8")
    assert check("rollout_patches", **given, claims=table) == "contoso"


# ---- notice, and what else two policies can have in common ----


def test_a_receiver_of_two_tenants_must_be_said(root: Path) -> None:
    for name in ACCOUNTS:
        mail = {"host": "smtp.example", "sender": "p@example.com", "to": ["ops@example.com"]}
        write(root, name, notices={"routes": [{"name": "ops", "mail": mail}]})
    own = {"policy_file": str(root / "contoso/policy.yml"), "plans": str(root / "contoso")}
    with pytest.raises(TenantError, match=r"receiver ops@example\.com .*in patchtide_tenants\.yml under shared"):
        check("send_notices", **own)
    tell(root, "receiver ops@example.com")
    assert check("send_notices", **own) == "contoso"


@pytest.mark.parametrize("ledger", ["/srv/exceptions.json", "dynamodb:patch-exceptions"])
def test_a_ledger_of_two_tenants_must_be_said(root: Path, ledger: str) -> None:
    for name in ACCOUNTS:
        write(root, name, exceptions={"ledger": ledger})
    with pytest.raises(TenantError, match=f"both have exceptions {ledger}"):
        check("sync_exceptions", policy_file=str(root / "contoso/policy.yml"))


def test_a_ledger_beside_whatever_runs_is_nobodys(root: Path) -> None:
    """Both would be the same file if both playbooks were started in the same directory."""
    write(root, "contoso", exceptions={"ledger": "exceptions.json"})
    with pytest.raises(TenantError, match=rf"write {root}/contoso/exceptions\.json"):
        check("sync_exceptions", policy_file=str(root / "contoso/policy.yml"))
    write(root, "contoso", exceptions={"ledger": f"{root}/contoso/exceptions.json"})
    assert check("sync_exceptions", policy_file=str(root / "contoso/policy.yml")) == "contoso"


def test_a_mistake_of_another_tenant_is_its_own(root: Path) -> None:
    (root / "fabrikam/policy.yml").write_text("version: 1\nwaves: 3\n", "utf-8")
    assert check("apply_policy", policy_file=str(root / "contoso/policy.yml")) == "contoso"
    with pytest.raises(TenantError, match=r"fabrikam/policy\.yml has 2 mistakes"):
        check("apply_policy", policy_file=str(root / "fabrikam/policy.yml"))


def test_a_mistake_in_the_file_of_the_provider_stops_all(root: Path) -> None:
    (root / "patchtide_tenants.yml").write_text("tenants: [contoso]", "utf-8")
    with pytest.raises(BadInput, match=r"tenants\.yml\.tenants: .* expected an object"):
        check("apply_policy", policy_file=str(root / "contoso/policy.yml"))


def test_two_directories_of_tenants_are_not_one(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write(other, "contoso")
    tell(other)
    with pytest.raises(TenantError, match="several directories of tenants"):
        check("plan_rollout", policy_file=str(root / "contoso/policy.yml"), dir=str(other / "contoso/1"))


@pytest.mark.parametrize("what", ["claims", "journal"])
def test_a_plan_is_not_made_while_rollouts_share_a_table(root: Path, what: str) -> None:
    for name in ACCOUNTS:
        plan(root, name)
        choose_stores(root / name / "2026-12", **{"journal": None, "claims": "none", what: "dynamodb:x/t"}, write=True)
    with pytest.raises(TenantError, match=f"both have {what} dynamodb:x/t"):
        check("plan_rollout", policy_file=str(root / "contoso/policy.yml"), dir=str(root / "contoso/1"))


def test_a_ledger_of_notices_of_two_tenants_must_be_said(root: Path) -> None:
    for name in ACCOUNTS:
        write(root, name, notices={"ledger": str(root / "notices.jsonl")})
    with pytest.raises(TenantError, match=f"both have notices {root}/notices"):
        check("send_notices", policy_file=str(root / "contoso/policy.yml"), plans=str(root / "contoso"))


def test_what_two_others_share_stops_nobody_else(root: Path) -> None:
    rows = {name: {"accounts": [account]} for name, account in ACCOUNTS.items()}
    rows["litware"] = {"groups": ["litware"], "history": str(root / "fabrikam/history")}
    rows["fabrikam"]["history"] = str(root / "fabrikam/history")  # type: ignore[assignment]  # a text beside lists
    (root / "patchtide_tenants.yml").write_text(yaml.safe_dump({"tenants": rows}), "utf-8")
    assert check("apply_policy", policy_file=str(root / "contoso/policy.yml")) == "contoso"
    with pytest.raises(TenantError, match="fabrikam and litware both have history"):
        check("apply_policy", policy_file=str(root / "fabrikam/policy.yml"))
