# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource data syncs: copy inventory and compliance data to a bucket, or aggregate it in one account. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..change import Change, carry_out, merge
from ..errors import BadInput
from . import limits

TO_DESTINATION, FROM_SOURCE = "SyncToDestination", "SyncFromSource"
_UNIT = r"ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSync:
    """A sync. ``bucket`` to ``share`` apply to ``SyncToDestination``, the rest to ``SyncFromSource``."""

    name: str
    sync_type: str = TO_DESTINATION
    bucket: str = ""
    bucket_region: str = ""
    prefix: str = ""
    kms_key_arn: str = ""
    share: str = ""
    source_type: str = ""
    source_regions: tuple[str, ...] = ()
    include_future_regions: bool = False
    enable_all_ops_data_sources: bool = False
    organization_source: str = ""
    organizational_units: tuple[str, ...] = ()


class DataSyncPort(Protocol):
    """Resource data syncs of one account-Region."""

    def find(self, name: str) -> DataSync | None:
        """Return the sync with this name."""

    def create(self, wanted: DataSync) -> None:
        """Create it."""

    def update(self, wanted: DataSync) -> None:
        """Replace the source of a sync of type ``SyncFromSource``."""

    def delete(self, sync: DataSync) -> None:
        """Delete it; does nothing if it does not exist. The objects in the bucket remain."""


def plan_data_sync(before: DataSync | None, given: Mapping[str, Any], *, present: bool) -> Change[DataSync]:
    """Return the change that the declaration requires. The service can change only the source of ``SyncFromSource``.

    :raises BadInput: an option of the other type is set, or a required option is missing.
    """
    if not present:
        return Change(before, None)
    kind = given.get("sync_type") or (before.sync_type if before else TO_DESTINATION)
    start = before if before and before.sync_type == kind else DataSync(name=given["name"], sync_type=kind)
    wanted = merge(start, given)
    check_data_sync(wanted)
    if before and before != wanted and (kind == TO_DESTINATION or before.sync_type != kind):
        return Change(before, wanted, recreate="a sync can't change its type or destination")
    return Change(before, wanted)


def check_data_sync(wanted: DataSync) -> None:
    """Validate the values against the limits of the service.

    :raises BadInput: names the option.
    """
    limits.matches("name", wanted.name, r".{1,64}", "1 to 64 characters")
    limits.shorter("bucket", wanted.bucket, 2048)
    limits.shorter("bucket_region", wanted.bucket_region, 64)
    limits.shorter("prefix", wanted.prefix, 256)
    limits.matches("kms_key_arn", wanted.kms_key_arn or None, r"arn:.{1,508}", "the ARN of a key")
    limits.shorter("share", wanted.share, 64)
    for region in wanted.source_regions:
        limits.matches("source_regions", region, r".{1,64}", "a Region such as eu-central-1")
    limits.at_most("organizational_units", wanted.organizational_units, 1000)
    for unit in wanted.organizational_units:
        limits.matches("organizational_units", unit, _UNIT, "an organizational unit such as ou-ab12-cdefgh34")
    _check_type(wanted)
    _check_organization(wanted)


def _check_organization(wanted: DataSync) -> None:
    organization = wanted.source_type == "AwsOrganizations"
    if organization and not wanted.organization_source:
        raise BadInput("organization_source", "", "EntireOrganization or OrganizationalUnits")
    if wanted.organization_source and not organization:
        raise BadInput("organization_source", wanted.organization_source, "source_type=AwsOrganizations beside it")
    if (wanted.organization_source == "OrganizationalUnits") != bool(wanted.organizational_units):
        raise BadInput(
            "organizational_units",
            list(wanted.organizational_units),
            "units if, and only if, organization_source=OrganizationalUnits",
        )


def _check_type(wanted: DataSync) -> None:
    empty = DataSync(name=wanted.name, sync_type=wanted.sync_type)
    to_bucket = ("bucket", "bucket_region", "prefix", "kms_key_arn", "share")
    if wanted.sync_type == TO_DESTINATION:
        needed, others = (
            ("bucket", "bucket_region"),
            set(DataSync.__dataclass_fields__) - {*to_bucket, "name", "sync_type"},
        )
    else:
        needed, others = ("source_type", "source_regions"), set(to_bucket)
    for option in needed:
        if not getattr(wanted, option):
            raise BadInput(
                option, getattr(wanted, option), f"a value, which a sync of type {wanted.sync_type} requires"
            )
    for option in sorted(others):
        if getattr(wanted, option) != getattr(empty, option):
            raise BadInput(option, getattr(wanted, option), f"no value with a sync of type {wanted.sync_type}")


def ensure_data_sync(port: DataSyncPort, change: Change[DataSync]) -> DataSync | None:
    """Apply the change and return the resulting sync."""

    def create(sync: DataSync) -> DataSync:
        port.create(sync)
        return sync

    return carry_out(change, create=create, update=port.update, remove=port.delete)


def to_given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the module's options to members of ``DataSync``; the service ignores the order of lists."""
    given = {name: options[name] for name in DataSync.__dataclass_fields__.keys() & options.keys()}
    for name in ("source_regions", "organizational_units"):
        if given[name] is not None:
            given[name] = tuple(sorted(given[name]))
    return given


class DataSyncNoun:
    """Declared resource data sync in one account-Region."""

    def __init__(self, port: DataSyncPort, options: Mapping[str, Any], default_region: str) -> None:
        self._port = port
        self._options = options
        self._region = default_region

    def plan(self) -> Change[DataSync]:
        before, given = self._port.find(self._options["name"]), to_given(self._options)
        if given["bucket"] and not given["bucket_region"] and not (before and before.bucket_region):
            given["bucket_region"] = self._region
        return plan_data_sync(before, given, present=self._options["state"] == "present")

    def apply(self, change: Change[DataSync]) -> DataSync | None:
        return ensure_data_sync(self._port, change)
