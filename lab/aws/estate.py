# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the estate file: accounts, roles and one specification per machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from .clock import UTC, from_iso

SOURCES = ("ec2", "onprem", "azure")
#: What a node may carry to behave badly; lab/estate.yml says what each means.
FAULTS: dict[str, Any] = {
    "offline": False,
    "undeliverable": False,
    "never_back": False,
    "no_reboot": False,
    "slow": 1.0,
    "fail_patches": [],
    "disk_free_mb": None,
    "lock_held_by": "",
    "failed_units": [],
    "repos_down": False,
    "no_way_to": [],
    "pending_reboot": False,
    "no_capacity": False,
    "unstoppable": "",
    "app_down": False,
    "agent_update_fails": False,
    "services_down": [],
    "agent_gone_after": None,
    "agent_gone_for": None,
    "install_survives": True,
    "never_expires": False,
    "upload_seconds": None,
    "fails_early": None,
    "changed_by_others": [],
    "terminate_at": None,
    "replaced": False,
}
_GROUP = {
    "name",
    "count",
    "account",
    "region",
    "os",
    "source",
    "tags",
    "nodes",
    "stopped",
    "managed",
    "pending",
    "id",
    "missing",
    *FAULTS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    name: str
    external_id: str | None = None
    denied: bool = False
    policies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    account_id: str
    name: str
    roles: tuple[Role, ...]

    @property
    def access_key(self) -> str:
        """The access key of the account's lab user; 20 characters, as real ones have."""
        return f"AKIA{self.account_id}LAB0"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSpec:
    """One machine as the estate file has it."""

    node_id: str
    name: str
    account: str
    region: str
    os: str
    source: str
    managed: bool
    stopped: bool
    pending: float  #: which share of the available updates the machine is missing at first
    missing: frozenset[str] | None = None  #: or which ones, by their patch ids
    ip: str
    zone: str  #: Availability Zone, "" outside EC2
    tags: Mapping[str, str]
    faults: Mapping[str, Any]

    def replacement(self) -> NodeSpec:
        """The instance that takes this one's place: another id, name and address, and nothing wrong with it."""
        stem, _, number = self.name.partition("~")
        name = f"{stem}~{int(number or 1) + 1}"
        digest = hashlib.sha256(f"{self.account}/{self.region}/{name}".encode()).hexdigest()
        return replace(
            self,
            node_id=self.node_id[: self.node_id.index("-") + 1] + digest[:17],
            name=name,
            ip=_ip(digest),
            stopped=False,
            faults=dict(FAULTS),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroupSpec:
    """Where a load balancer sends requests; ``members`` are names of nodes."""

    name: str
    members: tuple[str, ...]
    port: int = 80
    target_type: str = "instance"
    deregistration_delay: int = 300
    health_interval: int = 30
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    used: bool = True  #: whether a listener of the load balancer forwards to it


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancerSpec:
    """One load balancer as the estate file has it. Its target groups' defaults are those of CreateTargetGroup."""

    name: str
    account: str
    region: str
    target_groups: tuple[TargetGroupSpec, ...]
    type: str = "application"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    accounts: tuple[Account, ...]
    regions: tuple[str, ...]
    home_account: str
    start: datetime
    nodes: tuple[NodeSpec, ...] = field(repr=False)
    load_balancers: tuple[BalancerSpec, ...] = ()
    #: from the end of a patch document on a node until the service shows its state: least and most seconds
    upload_seconds: tuple[float, float] = (2.0, 60.0)
    #: operating systems that this estate brings along, in the form of the catalogue's files
    systems: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    def nodes_at(self, account: str, region: str) -> list[NodeSpec]:
        return [node for node in self.nodes if (node.account, node.region) == (account, region)]

    def account(self, account_id: str) -> Account | None:
        return next((item for item in self.accounts if item.account_id == account_id), None)

    @property
    def home(self) -> Account:
        return next(item for item in self.accounts if item.account_id == self.home_account)


def load_estate(path: Path) -> Estate:
    """Read an estate file; mistakes in it are ``ValueError`` with the file's or the group's name."""
    try:
        return _estate(read_estate(path))
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no estate: {type(error).__name__} {error}") from error


def _estate(data: Mapping[str, Any]) -> Estate:
    nodes = {group["name"]: tuple(_nodes(group)) for group in data["groups"]}
    return Estate(
        accounts=tuple(_account(row) for row in data["accounts"]),
        regions=tuple(data["regions"]),
        home_account=data["home_account"],
        start=_start(data.get("start")),
        nodes=tuple(node for group in nodes.values() for node in group),
        load_balancers=tuple(_balancer(row, nodes) for row in data.get("load_balancers", [])),
        upload_seconds=_seconds(data.get("upload_seconds", (2, 60))),
        systems=data.get("systems", {}),
    )


def _seconds(value: Any) -> tuple[float, float]:
    least, most = (float(part) for part in value)
    if not 0 <= least <= most:
        raise ValueError(f"upload_seconds: {value} is no [least, most]")
    return least, most


def _balancer(row: Mapping[str, Any], nodes: Mapping[str, tuple[NodeSpec, ...]]) -> BalancerSpec:
    """Read one load balancer; its members may be named by their groups."""
    at = (row["account"], row["region"])
    there = {node.name for group in nodes.values() for node in group if (node.account, node.region) == at}

    def members(name: str) -> Iterator[str]:
        for member in [node.name for node in nodes[name]] if name in nodes else [name]:
            if member not in there:
                raise ValueError(f"load balancer {row['name']}: there is no node {member!r} in its account and Region")
            yield member

    groups = tuple(
        TargetGroupSpec(**{**group, "members": tuple(item for name in group["members"] for item in members(name))})
        for group in row["target_groups"]
    )
    return BalancerSpec(**{**row, "target_groups": groups})


def read_estate(path: Path) -> dict[str, Any]:
    """Return what an estate file says, with the changes that it makes to another file (``based_on``)."""
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    if "based_on" not in data:
        return data
    base = read_estate(path.parent / data["based_on"])
    groups = [*base["groups"], *base.get("azure", {}).get("groups", [])]
    for change in data.get("changes", []):
        known = {group["name"] for group in groups}
        if unknown := set(change["groups"]) - known:
            raise ValueError(f"{path}: changes name unknown groups {sorted(unknown)}")
        for group in groups:
            if group["name"] in change["groups"]:
                group.update({key: value for key, value in change.items() if key != "groups"})
    return base


def _start(value: Any) -> datetime:
    if value is None:
        return datetime.now(UTC)
    return from_iso(value.isoformat() if isinstance(value, datetime) else str(value))


def _account(row: Mapping[str, Any]) -> Account:
    roles = tuple(Role(**{**role, "policies": tuple(role.get("policies", ()))}) for role in row["roles"])
    return Account(account_id=row["id"], name=row["name"], roles=roles)


def _nodes(group: Mapping[str, Any]) -> Iterator[NodeSpec]:
    if unknown := set(group) - _GROUP:
        raise ValueError(f"group {group['name']}: unknown keys {sorted(unknown)}")
    if group.get("source", "ec2") not in SOURCES:
        raise ValueError(f"group {group['name']}: source {group['source']!r} is none of {SOURCES}")
    if "id" in group:  # a machine of its own, as an exported estate has them
        yield _node(group["name"], 1, group)
        return
    for number in range(1, group["count"] + 1):
        own = group.get("nodes", {}).get(number, {})
        if unknown := set(own) - _GROUP:
            raise ValueError(f"node {number} of group {group['name']}: unknown keys {sorted(unknown)}")
        yield _node(
            f"{group['name']}-{number:02}", number, {**group, **own, "tags": {**group["tags"], **own.get("tags", {})}}
        )


def _ip(digest: str) -> str:
    return f"10.{int(digest[20:22], 16)}.{int(digest[22:24], 16)}.{int(digest[24:26], 16) % 250 + 4}"


def _plain(value: Any) -> Any:
    """YAML makes a moment of what looks like one; faults are shown as JSON."""
    return value.isoformat() if isinstance(value, datetime) else value


def _node(name: str, number: int, data: Mapping[str, Any]) -> NodeSpec:
    source = data.get("source", "ec2")
    digest = hashlib.sha256(f"{data['account']}/{data['region']}/{name}".encode()).hexdigest()
    tags = {key: name if value == "@name" else value for key, value in data["tags"].items()}
    if source == "ec2":
        tags.setdefault("Name", name)
    return NodeSpec(
        node_id=data.get("id") or ("i-" if source == "ec2" else "mi-") + digest[:17],
        name=name,
        account=data["account"],
        region=data["region"],
        os=data["os"],
        source=source,
        managed=data.get("managed", True),
        stopped=data.get("stopped", False),
        pending=float(data.get("pending", 0.8)),
        missing=frozenset(data["missing"]) if "missing" in data else None,
        ip=_ip(digest),
        zone=data["region"] + "abc"[number % 3] if source == "ec2" else "",
        tags=tags,
        faults={key: _plain(data.get(key, default)) for key, default in FAULTS.items()},
    )
