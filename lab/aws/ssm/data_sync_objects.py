# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What resource data syncs write: one object per node and inventory type, one JSON document a line.

``<prefix>/<type>/accountid=…/region=…/resourcetype=ManagedInstanceInventory/<node id>.json`` (AWS blog "Understanding
AWS Systems Manager Inventory Metadata"; awslabs/aws-secure-environment-accelerator, log file locations). Values are
texts, as in the items of inventory (API reference, InventoryItem). Whether the service may write is decided by the
policy of the bucket (user guide, "Creating a resource data sync for Inventory"). That of the key is not evaluated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from moto.s3.models import s3_backends

from ..iam_evaluation import allows
from ..node import Node
from .inventory import items_of
from .nodes import information

if TYPE_CHECKING:
    from .backend import Place

SERVICE = "ssm.amazonaws.com"
#: "After a successful initial sync is completed, the system continuously syncs data" (CreateResourceDataSync). How long
#: either takes is not documented.
FIRST_SECONDS, AGAIN_SECONDS = 300, 3600
_STATUS = {"Online": "Active", "ConnectionLost": "ConnectionLost", "Inactive": "Inactive"}


def start(place: Place, sync: dict[str, Any]) -> None:
    """Let a sync of type SyncToDestination run until it is deleted."""
    place.sim.after(FIRST_SECONDS, _run, place, sync)


def _run(place: Place, sync: dict[str, Any]) -> None:
    if place.kept["data_syncs"].get(sync["SyncName"]) is not sync:
        return
    sync["LastSyncTime"] = place.sim.now
    why = _write(place, sync["S3Destination"])
    sync["LastStatus"], sync["LastSyncStatusMessage"] = ("Failed", why) if why else ("Successful", "")
    if not why:
        sync["LastSuccessfulSyncTime"] = place.sim.now
    place.sim.after(AGAIN_SECONDS, _run, place, sync)


def _write(place: Place, destination: Mapping[str, Any]) -> str:
    """Write all objects of an account-Region; return why that is impossible. Those of nodes that are gone stay."""
    name = destination["BucketName"]
    owner = next((item["aws"] for item in list(s3_backends.values()) if name in item["aws"].buckets), None)
    if owner is None:
        return f"The bucket {name} does not exist."
    policy = json.loads(owner.buckets[name].policy or '{"Statement": []}')
    rows = [row for row in policy["Statement"] if SERVICE in str((row.get("Principal") or {}).get("Service", ""))]
    facts = {"aws:SourceAccount": place.account, "s3:x-amz-acl": "bucket-owner-full-control"}
    for action, key, text in _needed(place, destination.get("Prefix", "")):
        resource = f"arn:aws:s3:::{name}{key}"
        if not allows([{"Statement": rows}], action, resource, lambda: facts):
            return (
                f"The policy of the bucket does not let {SERVICE} perform {action} on {resource} for {place.account}."
            )
        if text:
            owner.put_object(name, key[1:], text.encode())
    return ""


def _needed(place: Place, prefix: str) -> Iterator[tuple[str, str, str]]:
    """Yield action, key with a slash before it, and content of each object."""
    yield "s3:GetBucketAcl", "", ""
    base = f"/{prefix.strip('/')}" if prefix.strip("/") else ""
    where = f"accountid={place.account}/region={place.region}/resourcetype=ManagedInstanceInventory"
    for node in place.managed():
        for kind, rows in _kinds(place, node):
            text = "\n".join(json.dumps({key: str(value) for key, value in row.items()}) for row in rows)
            yield "s3:PutObject", f"{base}/{kind}/{where}/{node.node_id}.json", text


def _kinds(place: Place, node: Node) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    info, now = information(place, node), f"{place.sim.now:%Y-%m-%dT%H:%M:%SZ}"
    names = ("AgentVersion", "ComputerName", "InstanceId", "PlatformName", "PlatformType", "PlatformVersion")
    stopped = node.spec.source == "ec2" and node.power == "stopped"
    status = "Stopped" if stopped else _STATUS[info["PingStatus"]]
    row = {name: info[name] for name in (*names, "ResourceType")} | {"IpAddress": info["IPAddress"]}
    yield "AWS:InstanceInformation", [_added(node, now, {**row, "InstanceStatus": status})]
    yield "AWS:Tag", [_added(node, now, {"Key": key, "Value": value}) for key, value in node.tags.items()]
    if node.node_id in place.reports:
        state = place.reports[node.node_id].state
        plain = {
            key: f"{value:%Y-%m-%dT%H:%M:%SZ}" if hasattr(value, "year") else value for key, value in state.items()
        }
        yield "AWS:PatchSummary", [_added(node, now, plain)]
    for kind, item in items_of(place, node).items():
        yield kind, [_added(node, item["CaptureTime"], row) for row in item["Content"]]


def _added(node: Node, captured: str, row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "resourceId": node.node_id, "captureTime": captured, "schemaVersion": "1.0"}
