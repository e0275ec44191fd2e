# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of an inventory file to connection, accounts and places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..module_utils._aws.errors import aws_errors
from ..module_utils._aws.session import Connection, Sessions
from ..module_utils._core.errors import BadInput
from ..module_utils._core.fleet_accounts import (
    Account,
    is_pattern,
    partition_of,
    pick_regions,
    to_accounts,
    to_fleet_places,
)
from ..module_utils._core.model import Place

GetOption = Callable[[str], Any]


def to_fleet_connection(option: GetOption) -> Connection:
    """Return the connection that the credential options of amazon.aws describe."""
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


def to_fleet_accounts(option: GetOption, sessions: Sessions, region: str) -> list[Account]:
    """Return the accounts to ask: those listed, or the caller's own."""
    listed = option("accounts") or []
    if hub := option("assume_role_arn"):
        if listed:
            raise BadInput("assume_role_arn", hub, "either assume_role_arn or accounts, not both")
        listed = [hub]
    if listed:
        return to_accounts(listed, option("role_name"), option("external_id"), partition_of(region))
    return [Account(id=sessions.account(Place(region=region)))]


def first_region(option: GetOption, sessions: Sessions) -> str:
    """Return a Region to ask questions in that are not about a Region."""
    named = [region for region in option("regions") or [] if not is_pattern(region)]
    found = option("region") or (named[0] if named else sessions.default_region)
    if not found and not option("regions"):
        raise BadInput("regions", None, "Regions, or all; else region, AWS_REGION or the Region of the profile")
    return str(found or "us-east-1")


def find_places(option: GetOption, sessions: Sessions, accounts: Sequence[Account], home: str) -> list[Place]:
    """Return every account in its Regions; enabled Regions are asked for only where a pattern needs them."""
    wanted = option("regions") or [home]
    excluded = option("exclude_regions") or []
    needs_listing = any(is_pattern(item) for item in wanted)
    regions = {
        account.id: pick_regions(wanted, enabled_regions(sessions, account, home) if needs_listing else (), excluded)
        for account in accounts
    }
    return to_fleet_places(accounts, regions)


def enabled_regions(sessions: Sessions, account: Account, home: str) -> list[str]:
    """Return the Regions that are enabled in an account."""
    place = Place(region=home, account=account.id, role_arn=account.role_arn, external_id=account.external_id)
    with aws_errors(f"list the enabled Regions of account {account.id}"):
        reply = sessions.client("ec2", place).describe_regions(AllRegions=False)
    return [row["RegionName"] for row in reply["Regions"]]
