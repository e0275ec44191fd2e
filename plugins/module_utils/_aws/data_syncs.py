# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource data syncs through the SSM API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.errors import ServiceError
from .._core.ssm.data_syncs import TO_DESTINATION, DataSync
from .convert import to_plain
from .errors import aws_errors
from .paging import without_empty


class SsmDataSyncs:
    """The ``DataSyncPort`` of one account-Region; ``client`` is its SSM client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def rows(self) -> list[dict[str, Any]]:
        """Return all syncs as listed by the service, which requires one request per type."""
        found: list[dict[str, Any]] = []
        for kind in (TO_DESTINATION, "SyncFromSource"):
            with aws_errors("list resource data syncs"):
                pages = self._client.get_paginator("list_resource_data_sync").paginate(SyncType=kind)
                found += [row for page in pages for row in page["ResourceDataSyncItems"]]
        return found

    def find(self, name: str) -> DataSync | None:
        return next((from_api(row) for row in self.rows() if row["SyncName"] == name), None)

    def create(self, wanted: DataSync) -> None:
        part = (
            {"S3Destination": _destination(wanted)}
            if wanted.sync_type == TO_DESTINATION
            else {"SyncSource": _source(wanted)}
        )
        try:
            with aws_errors(f"create resource data sync {wanted.name}"):
                self._client.create_resource_data_sync(SyncName=wanted.name, SyncType=wanted.sync_type, **part)
        except ServiceError as error:
            # It exists if botocore repeated a call whose answer was lost.
            if error.code != "ResourceDataSyncAlreadyExistsException" or self.find(wanted.name) != wanted:
                raise

    def update(self, wanted: DataSync) -> None:
        with aws_errors(f"update resource data sync {wanted.name}"):
            self._client.update_resource_data_sync(
                SyncName=wanted.name, SyncType=wanted.sync_type, SyncSource=_source(wanted)
            )

    def delete(self, sync: DataSync) -> None:
        try:
            with aws_errors(f"delete resource data sync {sync.name}"):
                self._client.delete_resource_data_sync(SyncName=sync.name, SyncType=sync.sync_type)
        except ServiceError as error:
            if error.code != "ResourceDataSyncNotFoundException":
                raise


def _destination(wanted: DataSync) -> dict[str, Any]:
    members = {
        "BucketName": wanted.bucket,
        "Region": wanted.bucket_region,
        "Prefix": wanted.prefix,
        "SyncFormat": "JsonSerDe",
        "AWSKMSKeyARN": wanted.kms_key_arn,
        "DestinationDataSharing": {"DestinationDataSharingType": wanted.share} if wanted.share else None,
    }
    return without_empty(members)


def _source(wanted: DataSync) -> dict[str, Any]:
    members: dict[str, Any] = {
        "SourceType": wanted.source_type,
        "SourceRegions": list(wanted.source_regions),
        "IncludeFutureRegions": wanted.include_future_regions,
        "EnableAllOpsDataSources": wanted.enable_all_ops_data_sources,
    }
    if wanted.organization_source:
        units = [{"OrganizationalUnitId": unit} for unit in wanted.organizational_units]
        members["AwsOrganizationsSource"] = without_empty(
            {"OrganizationSourceType": wanted.organization_source, "OrganizationalUnits": units or None}
        )
    return members


def from_api(row: Mapping[str, Any]) -> DataSync:
    """Convert one row of ListResourceDataSync."""
    destination, source = row.get("S3Destination") or {}, row.get("SyncSource") or {}
    organization = source.get("AwsOrganizationsSource") or {}
    units = [unit["OrganizationalUnitId"] for unit in organization.get("OrganizationalUnits", [])]
    return DataSync(
        name=row["SyncName"],
        sync_type=row.get("SyncType") or TO_DESTINATION,
        bucket=destination.get("BucketName", ""),
        bucket_region=destination.get("Region", ""),
        prefix=destination.get("Prefix", ""),
        kms_key_arn=destination.get("AWSKMSKeyARN", ""),
        share=(destination.get("DestinationDataSharing") or {}).get("DestinationDataSharingType", ""),
        source_type=source.get("SourceType", ""),
        source_regions=tuple(sorted(source.get("SourceRegions", []))),
        include_future_regions=source.get("IncludeFutureRegions", False),
        enable_all_ops_data_sources=source.get("EnableAllOpsDataSources", False),
        organization_source=organization.get("OrganizationSourceType", ""),
        organizational_units=tuple(sorted(units)),
    )


_STATUS = (
    *("LastStatus", "LastSyncStatusMessage", "LastSyncTime", "LastSuccessfulSyncTime"),
    *("SyncCreatedTime", "SyncLastModifiedTime"),
)


def to_status(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the status of the sync, which ``DataSync`` does not contain."""
    found: dict[str, Any] = to_plain({name: row[name] for name in _STATUS if name in row})
    state = (row.get("SyncSource") or {}).get("State")
    return {**found, "source_state": state} if state else found
