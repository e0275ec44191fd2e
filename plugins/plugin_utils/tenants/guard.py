# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a playbook may do in a directory of tenants: everything that it is given, and every node, is of one tenant.

It is asked before anything is opened, sent or recorded. Outside of such directories it allows everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ...module_utils._core.tenants.belongings import overlaps
from ...module_utils._core.tenants.values import Tenant, TenantError
from ...module_utils._core.text import plain
from ..approvals.trust import Trust
from ..inventory.nodes import candidates
from ..playbook_variables import paths_in
from ..rollout.due_plans import PLAN, POLICY
from ..rollout.folder import read_plan
from ..rollout.stores import read_stores
from ..tenant_root import tenants_root
from .directory import Directory, of_stores, read_directory

#: Playbooks that work on all tenants: they get the directory itself.
_FOR_ALL = {"run_due": "plans", "tenants_overview": "tenants"}
#: What must be in the directory of the tenant; other files may be anywhere but in that of another one.
_OWN = ("policy_file", "dir", "plans", "window_ledger")
#: Names of nodes that a message shows.
_SHOWN = 5


def check_tenant(
    playbook: str, given: Mapping[str, Any], task_vars: Mapping[str, Any], trust: Callable[[], Trust | None]
) -> str:
    """Return the tenant that a playbook works for; "" outside of a directory of tenants, or for all of them.

    A rollout that goes on depends on no other tenant's files: those are compared when it is planned.

    :param given: the variables of the playbook, checked. :param trust: reads the bundle that this controller pins.
    :raises TenantError: something is another tenant's, or the tenant shares what nobody has said to be shared.
    """
    paths = dict(paths_in(given))
    roots = {root for path in paths.values() if (root := tenants_root(path))}
    if not roots:
        return ""
    if len(roots) > 1:
        raise TenantError(f"The variables name several directories of tenants: {', '.join(map(str, sorted(roots)))}.")
    directory = read_directory(roots.pop())
    if (every := paths.get(_FOR_ALL.get(playbook, ""))) and every.expanduser().resolve() == directory.root:
        return ""
    tenant = _one_tenant(directory, paths)
    policy = directory.folder(tenant) / POLICY
    if "policy_file" in paths and paths["policy_file"].expanduser().resolve() != policy:
        raise TenantError(
            f"patchtide_policy_file is {paths['policy_file']}, expected that of tenant {tenant.name}: {policy}."
        )
    if "history" in given and str(given["history"]).rstrip("/") != directory.history(tenant):
        raise TenantError(
            f"patchtide_history is {plain(given['history'])}, expected that of tenant {tenant.name}: "
            f"{directory.history(tenant)}."
        )
    if playbook == "rollout_patches":
        _refuse(tenant, _same_stores(directory, tenant, given))
        _check_nodes(tenant, _planned(paths["dir"], task_vars), "The plan has")
    elif "policy_file" in paths:
        _refuse(tenant, directory.problems(trust(), tenant))
        _check_nodes(tenant, _inventory(task_vars), "The inventory has")
    return tenant.name


def _same_stores(directory: Directory, tenant: Tenant, given: Mapping[str, Any]) -> list[str]:
    """Return which journal or claims this run names that are another tenant's; none if the rollout has them already."""
    journal, claims = (str(given.get(name) or "") for name in ("journal", "claims"))
    chosen = read_stores(Path(given["dir"]).expanduser())
    named = list(of_stores(journal, claims, "the variables of this run"))
    if not named or (journal in ("", chosen.journal) and claims in ("", chosen.claims)):
        return []
    found: list[str] = []
    for name, other in directory.found.tenants.items():
        if other != tenant:
            pair = {tenant.name: named, name: list(directory.stores(other))}
            found += overlaps(pair, directory.found.shared)
    return found


def _one_tenant(directory: Directory, paths: Mapping[str, Path]) -> Tenant:
    owners = {name: directory.tenant_of(path) for name, path in paths.items()}
    found = {name: tenant for name, tenant in owners.items() if tenant}
    if len({tenant.name for tenant in found.values()}) != 1:
        told = ", ".join(f"patchtide_{name} is {tenant.name}'s" for name, tenant in found.items())
        raise TenantError(f"A run is for one tenant, and {told}.")
    tenant = next(iter(found.values()))
    for name in _OWN:
        if name in owners and not owners[name]:
            expected = directory.folder(tenant)
            raise TenantError(
                f"patchtide_{name} is {paths[name]}, expected a place of tenant {tenant.name}: in {expected}."
            )
    return tenant


def _refuse(tenant: Tenant, problems: Iterable[str]) -> None:
    if told := "; ".join(problems):
        raise TenantError(
            f"Tenant {tenant.name} is not separate from the others: {told}. Take it from one of them, or say in "
            "patchtide_tenants.yml under shared that they share it. Nothing was changed."
        )


def _inventory(task_vars: Mapping[str, Any]) -> Iterator[tuple[str, str, Iterable[str]]]:
    """Yield name, account and groups of each node of the inventory."""
    if task_vars.get("hostvars"):
        yield from ((node.host, node.account, node.groups) for node in candidates(task_vars))


def _planned(folder: Path, task_vars: Mapping[str, Any]) -> Iterator[tuple[str, str, Iterable[str]]]:
    """Yield the same of each planned node; the groups are those of the inventory, for a plan has none."""
    groups: dict[str, list[str]] = {}
    for name, hosts in (task_vars.get("groups") or {}).items():
        for host in hosts:
            groups.setdefault(str(host), []).append(str(name))
    for wave in read_plan(folder.expanduser() / PLAN)["waves"]:
        for node in wave["nodes"]:
            yield str(node["host"]), str(node["account"] or ""), groups.get(str(node["host"]), ())


def _check_nodes(tenant: Tenant, nodes: Iterable[tuple[str, str, Iterable[str]]], whose: str) -> None:
    foreign = [name for name, account, groups in nodes if not tenant.owns(account, tuple(groups))]
    if foreign:
        names = ", ".join(plain(name) for name in foreign[:_SHOWN])
        more = f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
        raise TenantError(
            f"{whose} nodes that are not tenant {tenant.name}'s: {names}{more}. Give the inventory of this tenant, "
            "or add their accounts (groups, if they are in none) to patchtide_tenants.yml. Nothing was changed."
        )
