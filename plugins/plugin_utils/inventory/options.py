# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection, accounts and account-Regions from the options of an inventory file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...module_utils._aws.errors import aws_errors
from ...module_utils._aws.fleet_gather import Wish
from ...module_utils._aws.known_regions import check_regions
from ...module_utils._aws.organizations import Organization
from ...module_utils._aws.session import Connection, Sessions, each_place
from ...module_utils._core.accounts import Account, partition_of, role_arn_for, to_accounts
from ...module_utils._core.errors import BadInput, PatchtideError
from ...module_utils._core.fleet.filters import Filters
from ...module_utils._core.fleet.regions import is_pattern, pick_regions, to_fleet_places
from ...module_utils._core.model import Place

GetOption = Callable[[str], Any]


def to_fleet_connection(option: GetOption) -> Connection:
    """Return the connection of amazon.aws's credential options."""
    profile, key = option("profile") or None, option("access_key") or None
    if profile and key:
        raise BadInput("profile", profile, "either a profile or access keys, not both")
    return Connection(
        profile=profile,
        access_key=key,
        secret_key=option("secret_key") or None,
        session_token=option("session_token") or None,
        endpoint_url=option("endpoint_url") or None,
        session_name=option("session_name"),
    )


def to_wish(option: GetOption, filters: Filters) -> Wish:
    """Return the data to request from every account-Region."""
    facts = option("facts")
    instances = option("instances") and filters.wants_instances
    return Wish(
        instances=instances,
        tags=option("tags"),
        managed_filters=filters.to_ssm(instances),
        instance_filters=filters.to_ec2(),
        want_patch_states="patch_states" in facts,
        want_missing="missing_patches" in facts,
        want_patch_information="patch_information" in facts,
        want_windows="next_window" in facts,
        want_connectors="cloud_connectors" in facts,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Account-Regions to query, account names by number, and why the Regions of accounts could not be listed."""

    places: list[Place]
    names: dict[str, str]
    errors: dict[str, PatchtideError] = field(default_factory=dict)


def find_places(option: GetOption, sessions: Sessions) -> Found:
    """Return every account in its Regions. If they cannot be listed, an account is queried in one Region only."""
    home = _home(option, sessions)
    accounts = _accounts(option, sessions, home)
    wanted = [str(region) for region in option("regions") or [home]]
    check_regions([region for region in wanted if not is_pattern(region)])
    errors: dict[str, PatchtideError] = {}
    regions = {account.id: wanted for account in accounts}
    if any(map(is_pattern, wanted)):
        entries = [to_fleet_places([account], {account.id: [home]})[0] for account in accounts]
        for place, enabled, error in each_place(entries, lambda place: _enabled_regions(sessions, place)):
            number = str(place.account)
            if error:
                errors[number] = error
            regions[number] = pick_regions(wanted, enabled or (), option("exclude_regions")) or (
                [home] if error else []
            )
    elif option("exclude_regions"):
        regions = {account.id: pick_regions(wanted, (), option("exclude_regions")) for account in accounts}
    names = {account.id: account.name for account in accounts if account.name}
    return Found(places=to_fleet_places(accounts, regions), names=names, errors=errors)


def _home(option: GetOption, sessions: Sessions) -> str:
    """Return the Region for requests that do not depend on a Region."""
    named = [region for region in option("regions") if not is_pattern(region)]
    found = option("region") or (named[0] if named else sessions.default_region)
    if not found and not option("regions"):
        raise BadInput("regions", None, "Regions, or all; else region, AWS_REGION or the Region of the profile")
    return str(found or "us-east-1")


def _accounts(option: GetOption, sessions: Sessions, home: str) -> list[Account]:
    """Return the accounts to query: the given ones, those of the organization, or the caller's own."""
    listed, hub, organization = option("accounts"), option("assume_role_arn"), option("organizations")
    if sum(map(bool, (listed, hub, organization is not None))) > 1:
        raise BadInput("accounts", listed or hub, "only one of accounts, organizations and assume_role_arn")
    if organization is not None:
        return _organization_accounts(option, organization, sessions, home)
    if listed or hub:
        return to_accounts(listed or [hub], option("role_name"), option("external_id"), partition_of(home))
    return [Account(id=sessions.account(Place(region=home)))]


def _organization_accounts(
    option: GetOption, wanted: Mapping[str, Any], sessions: Sessions, home: str
) -> list[Account]:
    """Return the active accounts of the organization. The caller's own needs no role, all others do."""
    partition, role_name = partition_of(home), option("role_name")
    if not role_name:
        raise BadInput("role_name", role_name, "the role to assume in the accounts of the organization")
    entry = Place(region=home, role_arn=wanted.get("role_arn"), external_id=wanted.get("external_id"))
    client = sessions.client("organizations", entry)
    rows = Organization(client).accounts(wanted.get("units") or (), wanted.get("exclude_units") or ())
    excluded = {str(item) for item in wanted.get("exclude_accounts") or ()}
    own = sessions.account(Place(region=home))
    return [
        Account(
            id=row["Id"],
            name=row.get("Name", ""),
            role_arn=None if row["Id"] == own else role_arn_for(row["Id"], row.get("Name", ""), role_name, partition),
            external_id=None if row["Id"] == own else option("external_id"),
        )
        for row in rows
        if row["Id"] not in excluded and row.get("Name") not in excluded
    ]


def _enabled_regions(sessions: Sessions, place: Place) -> Sequence[str]:
    with aws_errors(f"list the enabled Regions of account {place.account}"):
        reply = sessions.client("ec2", place).describe_regions(AllRegions=False)
    return [row["RegionName"] for row in reply["Regions"]]
