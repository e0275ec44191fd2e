# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deregisters nodes from the target groups of load balancers (ELBv2) and registers them again: the ``DrainPort``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .._core.errors import ServiceError
from .._core.model import Place
from .._core.prepare.ports import Target
from .errors import aws_errors
from .instances import read_instances
from .isolate import isolate, reason
from .paging import read_all
from .places import OwnClients
from .session import Sessions

#: Target groups per call, and targets per call (a group has 1,000 at most).
_AT_ONCE, _TARGETS = 8, 100
_NO_GROUP = frozenset({"TargetGroupNotFound", "TargetGroupNotFoundException"})
_NO_TARGET = frozenset({"InvalidTarget", "InvalidTargetException"})
#: Reasons for which a target is not registered or gets no requests: all that DescribeTargetHealth calls ``unused``,
#: except a stopped instance, which gets requests again when it starts.
_OUT = frozenset({"Target.NotRegistered", "Target.NotInUse", "Target.IpUnusable", "Target.DeregistrationInProgress"})


class AwsDrain:
    """The ``DrainPort`` of one account-Region.

    Calls: to find n nodes, n/200, one per 400 target groups and one per group in use. ``drain``, ``restore`` (n/200
    more) and ``health`` need one per group that has some of the nodes.
    """

    def __init__(self, place: Place, sessions: Sessions) -> None:
        self.place = place
        self._clients = OwnClients(place, sessions)

    def targets(self, ids: Sequence[str]) -> dict[str, tuple[Target, ...]]:
        rows = read_instances(self._clients("ec2"), ids)
        if not rows:
            return {}
        client = self._clients("elbv2")
        groups = read_all(client, "list target groups", "describe_target_groups", "TargetGroups", 400)
        used = [group for group in groups if _may_hold(group, rows.values())]
        found: dict[str, list[Target]] = {}
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            healths = pool.map(lambda group: self._health_of(client, group["TargetGroupArn"]), used)
            for group, members in zip(used, healths, strict=True):
                for target in _of_nodes(group, members or [], rows):
                    found.setdefault(target.node_id, []).append(target)
        return {item: tuple(found[item]) for item in ids if item in found}

    def _health_of(self, client: Any, group: str) -> list[dict[str, Any]] | None:
        """Return all targets of a group with their health; ``None`` if the group does not exist."""
        try:
            with aws_errors(f"read the health of the targets of {group}"):
                reply = client.describe_target_health(TargetGroupArn=group)
        except ServiceError as error:
            if error.code in _NO_GROUP:
                return None
            raise
        return list(reply["TargetHealthDescriptions"])

    def drain(self, targets: Sequence[Target]) -> dict[str, str]:
        def call(group: str, members: list[dict[str, Any]]) -> None:
            client = self._clients("elbv2")
            with aws_errors(f"deregister {len(members)} targets of {group}"):
                client.deregister_targets(TargetGroupArn=group, Targets=members)

        return self._write(targets, call, _NO_GROUP | _NO_TARGET)

    def restore(self, targets: Sequence[Target]) -> dict[str, str]:
        """Register only nodes that still exist, because the private address of a deleted node may have been reused."""
        nodes = {target.node_id for target in targets}
        try:
            there = read_instances(self._clients("ec2"), sorted(nodes))
        except ServiceError as error:
            return dict.fromkeys(nodes, reason(error))

        def call(group: str, members: list[dict[str, Any]]) -> None:
            client = self._clients("elbv2")
            with aws_errors(f"register {len(members)} targets in {group}"):
                client.register_targets(TargetGroupArn=group, Targets=members)

        return self._write([target for target in targets if target.node_id in there], call, _NO_GROUP)

    def _write(
        self, targets: Sequence[Target], call: Callable[[str, list[dict[str, Any]]], None], gone: frozenset[str]
    ) -> dict[str, str]:
        groups = _by_group(targets)
        problems: dict[str, list[str]] = {}
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            for found in pool.map(lambda group: _isolated(group, groups[group], call), groups):
                for target, text in found:
                    if text.partition(":")[0] not in gone:
                        problems.setdefault(target.node_id, []).append(f"{_name(target.group)}: {text}")
        return {item: "; ".join(dict.fromkeys(texts)) for item, texts in problems.items()}

    def health(self, targets: Sequence[Target]) -> dict[Target, str]:
        groups = _by_group(targets)
        found: dict[Target, str] = {}
        client = self._clients("elbv2") if groups else None
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            answers = pool.map(lambda group: self._health_of(client, group), groups)
            for members, rows in zip(groups.values(), answers, strict=True):
                if rows is not None:
                    states = {_key(row["Target"]): str(row["TargetHealth"]["State"]) for row in rows}
                    found.update({item: states.get((item.target_id, item.port), "unused") for item in members})
        return found


def _isolated(
    group: str, members: Sequence[Target], call: Callable[[str, list[dict[str, Any]]], None]
) -> list[tuple[Target, str]]:
    """Call the API for the targets of one group; return (target, reason of failure)."""
    several: dict[str, list[Target]] = {}
    for target in members:
        several.setdefault(target.target_id, []).append(target)

    def some(ids: list[str]) -> None:
        call(group, [_description(target) for item in ids for target in several[item]])

    problems = isolate(list(several), _TARGETS, some)
    return [(target, text) for item, text in problems.items() for target in several[item]]


def _may_hold(group: Mapping[str, Any], instances: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether the group can contain one of the instances: it is in use, and in their VPC or open to other
    addresses.
    """
    if not group.get("LoadBalancerArns"):
        return False
    kind = group.get("TargetType", "instance")
    return kind == "ip" or (kind == "instance" and group.get("VpcId") in {row.get("VpcId") for row in instances})


def _of_nodes(
    group: Mapping[str, Any], members: Iterable[Mapping[str, Any]], rows: Mapping[str, Mapping[str, Any]]
) -> Iterable[Target]:
    """Yield the targets of a group that belong to these nodes."""
    kind = group.get("TargetType", "instance")
    owners = {item: item for item in rows} if kind == "instance" else {}
    vpcs = {item: row.get("VpcId") for item, row in rows.items()}
    if kind == "ip":
        owners = {address: item for item, row in rows.items() for address in _addresses(row)}
    for member in members:
        target, health = member["Target"], member["TargetHealth"]
        node_id = owners.get(target["Id"], "")
        # An address identifies the instance only in its VPC, or with AvailabilityZone "all" (outside the VPC).
        beyond = target.get("AvailabilityZone") == "all"
        if node_id and health.get("Reason") not in _OUT and (beyond or vpcs[node_id] == group.get("VpcId")):
            yield Target(
                node_id=node_id,
                group=group["TargetGroupArn"],
                target_id=target["Id"],
                port=target.get("Port"),
                target_type=kind,
                zone=target.get("AvailabilityZone", "") if kind == "ip" else "",
                quic_server_id=target.get("QuicServerId", ""),
                state=health["State"],
            )


def _addresses(row: Mapping[str, Any]) -> set[str]:
    """Return all private addresses of an instance."""
    found = {row.get("PrivateIpAddress", "")}
    for card in row.get("NetworkInterfaces", []):
        found |= {item.get("PrivateIpAddress", "") for item in card.get("PrivateIpAddresses", [])}
    return found - {""}


def _description(target: Target) -> dict[str, Any]:
    """Return the TargetDescription. AvailabilityZone "is not supported if the target type … is instance"."""
    found: dict[str, Any] = {"Id": target.target_id}
    if target.port is not None:
        found["Port"] = target.port
    if target.zone:
        found["AvailabilityZone"] = target.zone
    if target.quic_server_id:
        found["QuicServerId"] = target.quic_server_id
    return found


def _key(target: Mapping[str, Any]) -> tuple[str, int | None]:
    return target["Id"], target.get("Port")


def _by_group(targets: Iterable[Target]) -> dict[str, list[Target]]:
    found: dict[str, list[Target]] = {}
    for target in dict.fromkeys(targets):
        found.setdefault(target.group, []).append(target)
    return found


def _name(group: str) -> str:
    """``arn:…:targetgroup/web/0123`` to ``web``."""
    return group.split("/")[-2] if group.count("/") >= 2 else group
