# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collects what is known of every machine: what AWS answers now, and the hosts of the inventory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ...module_utils._aws.instance_roles import Ec2InstanceRoles
from ...module_utils._aws.inventory import read_entries
from ...module_utils._aws.session import Sessions, each_place
from ...module_utils._core.enrollment.machine import Machine
from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.failed_places import failed_place
from ...module_utils._core.fleet.coverage import Coverage
from ...module_utils._core.fleet.merge import is_own_name, merge_nodes
from ...module_utils._core.fleet.records import Node, Spellings
from ...module_utils._core.model import Place, place_label
from ...module_utils._core.nodes import EMPTY, PREFIX, Candidate, texts
from ...module_utils._core.policy.values import Policy
from ...module_utils._core.ssm.instance_roles import RoleFacts, default_policy, read_role
from ...module_utils._core.ssm.patch_information import TYPE, stated_tags
from ..aws_options import node_places
from ..inventory.discover import read_nodes
from ..inventory.nodes import candidates, planned_candidate, variables_of

_GONE = frozenset({"shutting-down", "terminated"})
#: Rules by which entries are one machine; those of the inventory, docs/inventory.md.
_SAME = ("source", "registration")


@dataclass(slots=True, kw_only=True)
class Estate:
    """All machines, the account-Regions that were asked, and those that did not answer."""

    machines: list[Machine]
    places: list[Place] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)


def look(
    sessions: Sessions, policy: Policy, task_vars: Mapping[str, Any], own_region: str | None, now: datetime
) -> Estate:
    """Read the estate: EC2, Systems Manager and IAM of every account-Region, and the inventory."""
    hosts = list(candidates(task_vars, policy.tags.application))
    places = _places(sessions, policy, hosts, own_region)
    names = {account.id: account.name for account in policy.estate.accounts}
    nodes, failed = read_nodes(sessions, places, names, Spellings()) if places else ([], [])
    silent = {row["place"] for row in failed}
    alive = [node for node in nodes if node["state"] not in _GONE]
    found = merge_nodes(alive, _SAME, Spellings())
    machines = _join(found, hosts, silent, task_vars, policy)
    Coverage(now=now, oldest_agent=policy.enrollment.oldest_agent).findings([item.node for item in machines])
    estate = Estate(machines=machines, places=places, failed=failed)
    _read_more(sessions, policy, estate, silent)
    return estate


def select(machines: Sequence[Machine], wanted: Collection[str]) -> tuple[list[Machine], list[str]]:
    """Return the machines with these IDs or names, all without any, and the names that no machine has."""
    if not wanted:
        return list(machines), []
    found = [item for item in machines if not _names(item).isdisjoint(wanted)]
    known = {name for item in found for name in _names(item)}
    return found, sorted(set(wanted) - known)


def _names(machine: Machine) -> set[str]:
    return {machine.candidate.node_id, machine.candidate.host, str(machine.node["name"]), *machine.candidate.merged_ids}


def _places(sessions: Sessions, policy: Policy, hosts: Iterable[Candidate], own_region: str | None) -> list[Place]:
    """Return the account-Regions of the policy and of the inventory's nodes; without any, the caller's own."""
    declared = {place_label(place.account or "", place.region): place for place in _declared(sessions, policy)}
    seen = [(host.account, host.region) for host in hosts if host.in_aws]
    known = {place.label: place for place in node_places(seen, policy.estate.accounts)}
    found = {**known, **declared}
    if not found and own_region and not any(host.in_azure or host.executor for host in hosts):
        return [Place(region=own_region, account=sessions.own_account(own_region))]
    return [found[label] for label in sorted(found)]


def _declared(sessions: Sessions, policy: Policy) -> list[Place]:
    return [
        place if place.account else replace(place, account=sessions.own_account(place.region))
        for place in policy.estate.places()
    ]


def _join(
    nodes: Sequence[Node],
    hosts: Sequence[Candidate],
    silent: Collection[str],
    task_vars: Mapping[str, Any],
    policy: Policy,
) -> list[Machine]:
    """Return each machine once: what AWS answers now counts before what the inventory has."""
    by_id = {key: host for host in hosts for key in (host.node_id, *host.merged_ids)}
    machines, taken = [], set()
    for node in nodes:
        ids = [node["node_id"], *node["merged_ids"]]
        host = next((by_id[key] for key in ids if key in by_id), None)
        taken.add(host.host if host else "")
        machines.append(Machine(node=node, candidate=_fresh(node, host, policy), listed=host is not None))
    hybrids = {name for node in nodes for name in _hybrid_names(node)}
    for host in hosts:
        # A node of AWS that its account-Region no longer has is gone; one whose account-Region is silent is unknown.
        if host.host not in taken and not host.in_aws:
            record = _record(task_vars["hostvars"][host.host], host)
            hybrid = not hybrids.isdisjoint({host.host.lower(), host.name.lower(), str(record["source_id"])} - {""})
            if host.executor or not hybrid:
                machines.append(Machine(node=record, candidate=host, hybrid=hybrid))
    known = {host.host for host in hosts}
    others = [name for name in _others(task_vars, known) if name.lower() not in hybrids]
    machines += [_unnamed(name, task_vars) for name in others]
    return sorted(machines, key=lambda item: (item.candidate.account, item.candidate.region, item.candidate.host))


def _hybrid_names(node: Node) -> set[str]:
    """Return what identifies a hybrid node: its name, which the role onboard_node gives it, and that of its computer.

    The ID of a virtual machine of Azure is among them, so that it is found under each of its names.
    """
    if node["resource_type"] != "ManagedInstance":
        return set()
    computer = str(node["computer_name"]).lower()
    names = {computer, computer.partition(".")[0]} if is_own_name(computer) else set()
    return {*names, str(node["tags"].get("Name", "")).lower(), str(node["source_id"])} - {""}


def _fresh(node: Node, host: Candidate | None, policy: Policy) -> Candidate:
    """Return a node as plans see it, with what AWS says of it now; groups are those of the inventory."""
    made = planned_candidate({**node, "host": host.host if host else node["node_id"]}, policy.tags.application)
    made = replace(made, managed=bool(node["managed"]), merged_ids=tuple(node["merged_ids"]))
    return replace(made, groups=host.groups, executor=host.executor or made.executor) if host else made


def _record(variables: Mapping[str, Any], host: Candidate) -> Node:
    """Return a host of the inventory as a record."""
    found = {name: variables.get(f"{PREFIX}{name}") for name in EMPTY}
    given = {name: value for name, value in found.items() if value is not None}
    return {**EMPTY, "managed": True, **given, "name": host.name or host.host, "tags": dict(host.tags)}


def _others(task_vars: Mapping[str, Any], known: Collection[str]) -> list[str]:
    """Return the hosts of the inventory of which nothing says how they are patched, without the controller."""
    hostvars = task_vars["hostvars"]
    return [
        str(host)
        for host in task_vars["groups"]["all"]
        if host not in known and host != "localhost" and hostvars[host].get("ansible_connection") != "local"
    ]


def _unnamed(host: str, task_vars: Mapping[str, Any]) -> Machine:
    groups = frozenset(group for group, names in task_vars["groups"].items() if host in names)
    found = variables_of(task_vars["hostvars"], host)
    tags = {str(key): str(value) for key, value in (found.get(f"{PREFIX}tags") or {}).items()}
    told: dict[str, Any] = texts(found, ("patch_group", "maintenance_window"), PREFIX)
    node = {**EMPTY, "name": host, "node_id": host, "tags": tags, **told}
    return Machine(node=node, candidate=Candidate(node_id=host, host=host, groups=groups, tags=tags, **told))


def _read_more(sessions: Sessions, policy: Policy, estate: Estate, silent: Collection[str]) -> None:
    """Read the roles of instances and what hybrid nodes state of themselves, in every account-Region that answers."""
    answering = [place for place in estate.places if place.label not in silent]
    members: dict[str, list[int]] = {}
    for index, item in enumerate(estate.machines):
        if item.candidate.in_aws:
            members.setdefault(place_label(item.candidate.account, item.candidate.region), []).append(index)

    def work(place: Place) -> dict[int, Machine]:
        own = {index: estate.machines[index] for index in members.get(place.label, [])}
        return _Reader(sessions, place, policy).read(own)

    for place, found, error in each_place(answering, work):
        if error:
            estate.failed.append(failed_place(place.label, error.to_dict()))
        for index, machine in (found or {}).items():
            estate.machines[index] = machine
    failed = {row["place"] for row in estate.failed}
    estate.machines = [
        item
        for item in estate.machines
        if not item.candidate.in_aws or place_label(item.candidate.account, item.candidate.region) not in failed
    ]


class _Reader:
    """Reads one account-Region: each profile once, and the inventory of hybrid nodes that lack tags."""

    def __init__(self, sessions: Sessions, place: Place, policy: Policy) -> None:
        self._sessions = sessions
        self._place = place
        self._policy = policy
        self._roles: dict[str, tuple[RoleFacts | None, str]] = {}

    def read(self, machines: Mapping[int, Machine]) -> dict[int, Machine]:
        """Return the machines with their roles and what they state."""
        found = {}
        for index, item in machines.items():
            profile = item.profile or ("" if item.node["managed"] else self._policy.enrollment.instance_profile)
            if item.on_ec2 and profile:
                role, why = self._role(profile)
                item = replace(item, role=role, role_error=why)
            if item.candidate.node_id.startswith("mi-") and self._policy.enrollment.custom_inventory:
                item = self._stated(item)
            found[index] = item
        return found

    def _role(self, profile: str) -> tuple[RoleFacts | None, str]:
        if profile not in self._roles:
            clients = [self._sessions.client(name, self._place) for name in ("ec2", "iam")]
            enough = self._policy.enrollment.role_policy_arn or default_policy(self._place.region)
            try:
                self._roles[profile] = (read_role(Ec2InstanceRoles(*clients), profile, enough), "")
            except PatchtideError as error:
                self._roles[profile] = (None, str(error))
        return self._roles[profile]

    def _stated(self, machine: Machine) -> Machine:
        entries = read_entries(self._sessions.client("ssm", self._place), machine.candidate.node_id, TYPE)[:1]
        stated = [stated_tags(entry, machine.node["tags"], self._policy.tags) for entry in entries]
        missing = {key: value for one in stated for key, value in one.missing.items()}
        remarks = tuple(text for one in stated for text in one.remarks)
        return replace(machine, stated=missing, remarks=remarks)
