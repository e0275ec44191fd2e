# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource data syncs. Those to a bucket write objects there; those from other Regions are kept and checked only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .data_sync_objects import start
from .operations import Answer, Request, SsmError, operation, page
from .sending import bucket_exists

if TYPE_CHECKING:
    from .backend import Place

#: "Resource data syncs" of an account in a Region (service quotas)
MOST = 5
TO_DESTINATION, FROM_SOURCE = "SyncToDestination", "SyncFromSource"


def _check(request: Request) -> str:
    kind = str(request.get("SyncType", TO_DESTINATION))
    if kind not in (TO_DESTINATION, FROM_SOURCE):
        raise SsmError("ResourceDataSyncInvalidConfigurationException", f"SyncType {kind} is not valid.")
    needed, other = ("S3Destination", "SyncSource") if kind == TO_DESTINATION else ("SyncSource", "S3Destination")
    if needed not in request or other in request:
        raise SsmError("ResourceDataSyncInvalidConfigurationException", f"{kind} needs {needed}, and no {other}.")
    bucket = request.get("S3Destination", {}).get("BucketName")
    if bucket is not None and not bucket_exists(bucket):
        raise SsmError("ResourceDataSyncInvalidConfigurationException", f"The bucket {bucket} does not exist.")
    source = request.get("SyncSource", {})
    if source and source["SourceType"] not in ("AwsOrganizations", "SingleAccountMultiRegions"):
        raise SsmError(
            "ResourceDataSyncInvalidConfigurationException", f"SourceType {source['SourceType']} is not valid."
        )
    return kind


@operation("CreateResourceDataSync")
def create_resource_data_sync(place: Place, request: Request) -> Answer:
    kind, name, syncs = _check(request), request["SyncName"], place.kept["data_syncs"]
    if name in syncs:
        raise SsmError(
            "ResourceDataSyncAlreadyExistsException", f"Sync configuration with name: {name} already exists."
        )
    if len(syncs) >= MOST:
        raise SsmError("ResourceDataSyncCountExceededException", f"{MOST} resource data syncs a Region.")
    parts = {key: request[key] for key in ("S3Destination", "SyncSource") if key in request}
    if "SyncSource" in parts:
        parts["SyncSource"] = {"State": "Created", **parts["SyncSource"]}
    syncs[name] = {
        "SyncName": name,
        "SyncType": kind,
        **parts,
        "SyncCreatedTime": place.sim.now,
        "LastStatus": "InProgress",
    }
    if kind == TO_DESTINATION:
        start(place, syncs[name])
    return {}


@operation("UpdateResourceDataSync")
def update_resource_data_sync(place: Place, request: Request) -> Answer:
    found = _existing(place, request["SyncName"])
    if found["SyncType"] != FROM_SOURCE or request["SyncType"] != FROM_SOURCE:
        raise SsmError(
            "ResourceDataSyncInvalidConfigurationException", f"Only a sync of type {FROM_SOURCE} can be updated."
        )
    _check(request)
    found["SyncSource"] = {"State": "Updated", **request["SyncSource"]}
    found["SyncLastModifiedTime"] = place.sim.now
    return {}


@operation("DeleteResourceDataSync")
def delete_resource_data_sync(place: Place, request: Request) -> Answer:
    found = _existing(place, request["SyncName"])
    if found["SyncType"] != request.get("SyncType", TO_DESTINATION):
        raise SsmError("ResourceDataSyncNotFoundException", f"There is no {request['SyncName']} of that SyncType.")
    del place.kept["data_syncs"][request["SyncName"]]
    return {}


def _existing(place: Place, name: str) -> dict[str, Any]:
    if name not in place.kept["data_syncs"]:
        raise SsmError("ResourceDataSyncNotFoundException", f"Sync configuration with name: {name} does not exist.")
    found: dict[str, Any] = place.kept["data_syncs"][name]
    return found


@operation("ListResourceDataSync")
def list_resource_data_sync(place: Place, request: Request) -> Answer:
    rows = [row for row in place.kept["data_syncs"].values() if request.get("SyncType") in (None, row["SyncType"])]
    return page("ResourceDataSyncItems", rows, request, 50)
