# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads an estate of Azure: tenants with their clients, subscriptions, and one specification per machine."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from lab.aws.clock import UTC, from_iso
from lab.aws.estate import FAULTS, NodeSpec

KINDS = {"vm": "Microsoft.Compute/virtualMachines", "arc": "Microsoft.HybridCompute/machines"}
#: What a machine may carry besides the faults of ``lab/aws/estate.py``.
AZURE_FAULTS: dict[str, Any] = {
    "agent_down": False,  #: the guest agent does not report: VMAgentStatusCommunicationError
    "lock": "",  #: ReadOnly or CanNotDelete
    "deny_tags": False,  #: a policy refuses writes of tags
    "drop_status": False,  #: the instance view has no patchStatus
    "stuck": False,  #: an installation installs nothing and ends with its duration
    "arc_status": "",  #: Disconnected, Error or Expired instead of Connected
}
_GROUP = {
    *("name", "count", "subscription", "location", "resource_group", "os", "kind", "tags", "nodes", "stopped"),
    *("pending", "assessed", "patch_mode", "bypass", "hotpatch", "scale_set", "size", "vm_uuid_of", "pools"),
    *FAULTS,
    *AZURE_FAULTS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A service principal."""

    client_id: str
    secret: str
    tenant: str
    #: subscriptions it may read; all of its tenant if there are none
    subscriptions: tuple[str, ...] = ()
    #: operations it may not call, such as ``Microsoft.Resources/tags/write``
    denied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    subscription_id: str
    name: str
    tenant: str
    state: str = "Enabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSpec:
    """One machine. ``node.node_id`` is its resource ID as Azure shows it, upper and lower case as created."""

    node: NodeSpec
    kind: str
    resource_group: str
    vm_id: str
    vm_uuid: str
    patch_mode: str
    bypass: bool
    hotpatch: bool
    scale_set: str
    size: str
    pools: tuple[str, ...]  #: back ends it is in, ``balancer/pool``; gateways are called agw-…
    assessed: float | None  #: hours before the start at which it was assessed last
    faults: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureEstate:
    start: datetime
    clients: tuple[Client, ...]
    subscriptions: tuple[Subscription, ...]
    machines: tuple[MachineSpec, ...] = field(repr=False)
    #: rows of maintenance configurations and assignments by ID in lower case
    maintenance: tuple[tuple[str, dict[str, Any]], ...] = ()


def load_azure_estate(path: Path) -> AzureEstate:
    """Read an estate file; mistakes in it are ``ValueError`` with the group's name."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    start = data.get("start")
    start = from_iso(start.isoformat() if isinstance(start, datetime) else str(start)) if start else datetime.now(UTC)
    return to_azure_estate(data, start)


def to_azure_estate(data: Mapping[str, Any], start: datetime) -> AzureEstate:
    found = tuple(Subscription(**{**row, "subscription_id": row["subscription_id"]}) for row in data["subscriptions"])
    by_name = {row.name: row.subscription_id for row in found}
    return AzureEstate(
        start=start,
        clients=tuple(
            Client(**{**row, **{k: tuple(row.get(k, ())) for k in ("subscriptions", "denied")}})
            for row in data["clients"]
        ),
        subscriptions=found,
        machines=(machines := tuple(item for group in data["groups"] for item in _machines(group, by_name))),
        maintenance=tuple(_maintenance(data.get("maintenance", ()), by_name, machines)),
    )


def _maintenance(
    rows: Iterable[Mapping[str, Any]], subscriptions: Mapping[str, str], machines: Iterable[MachineSpec]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield configurations with their assignments: to machines by name, or to a subscription with a filter."""
    ids = {item.node.name: item.node.node_id for item in machines}
    for row in rows:
        subscription = f"/subscriptions/{subscriptions[row['subscription']]}"
        provider = "providers/Microsoft.Maintenance"
        own = (
            f"{subscription}/resourceGroups/{row['resource_group']}/{provider}/maintenanceConfigurations/{row['name']}"
        )
        window = {"expirationDateTime": "9999-12-31 23:59:59", **row["window"]}
        properties = {"maintenanceScope": "InGuestPatch", "maintenanceWindow": window}
        kind = "Microsoft.Maintenance/maintenanceConfigurations"
        yield own.lower(), {"id": own, "name": row["name"], "type": kind, "properties": properties}
        for scope in (*(ids[name] for name in row.get("machines", ())), *([subscription] if "filter" in row else ())):
            key = f"{scope}/{provider}/configurationAssignments/{row['name']}"
            given = {"filter": row["filter"]} if scope == subscription else {}
            properties = {"maintenanceConfigurationId": own.lower(), "resourceId": scope, **given}
            kind = "Microsoft.Maintenance/configurationAssignments"
            yield key.lower(), {"id": key, "name": row["name"], "type": kind, "properties": properties}


def _machines(group: Mapping[str, Any], subscriptions: Mapping[str, str]) -> Iterator[MachineSpec]:
    if unknown := set(group) - _GROUP:
        raise ValueError(f"group {group['name']}: unknown keys {sorted(unknown)}")
    if group.get("kind", "vm") not in KINDS:
        raise ValueError(f"group {group['name']}: kind {group['kind']!r} is none of {sorted(KINDS)}")
    for number in range(1, group["count"] + 1):
        own = group.get("nodes", {}).get(number, {})
        tags = {**group.get("tags", {}), **own.get("tags", {})}
        yield _machine(f"{group['name']}-{number:02}", {**group, **own, "tags": tags}, subscriptions)


def _machine(name: str, data: Mapping[str, Any], subscriptions: Mapping[str, str]) -> MachineSpec:
    kind, subscription = data.get("kind", "vm"), subscriptions[data["subscription"]]
    resource = f"/subscriptions/{subscription}/resourceGroups/{data['resource_group']}/providers/{KINDS[kind]}/{name}"
    digest = hashlib.sha256(resource.encode()).hexdigest()
    node = NodeSpec(
        node_id=resource,
        name=name,
        account=subscription,
        region=data["location"],
        os=data["os"],
        source="azure",
        managed=True,
        stopped=data.get("stopped", False),
        pending=float(data.get("pending", 0.8)),
        ip=f"10.{int(digest[20:22], 16)}.{int(digest[22:24], 16)}.{int(digest[24:26], 16) % 250 + 4}",
        zone="",
        tags={key: str(value) for key, value in data["tags"].items() if value is not None},
        faults={key: data.get(key, default) for key, default in FAULTS.items()},
    )
    own = str(uuid.UUID(digest[:32]))
    return MachineSpec(
        node=node,
        kind=kind,
        resource_group=data["resource_group"],
        vm_id=own,
        vm_uuid=str(data.get("vm_uuid_of") or uuid.UUID(digest[32:64])),
        patch_mode=data.get("patch_mode", ""),
        bypass=bool(data.get("bypass", False)),
        hotpatch=bool(data.get("hotpatch", False)),
        scale_set=data.get("scale_set", ""),
        size=data.get("size", "Standard_D2s_v5"),
        pools=tuple(data.get("pools", ())),
        assessed=data.get("assessed"),
        faults={key: data.get(key, default) for key, default in AZURE_FAULTS.items()},
    )
