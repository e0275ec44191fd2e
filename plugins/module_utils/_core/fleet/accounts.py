# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which accounts and Regions an inventory spans, from what the user wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ..errors import BadInput
from ..model import Place

_ACCOUNT_ID = re.compile(r"\d{12}")
_ROLE_ARN = re.compile(r"arn:(aws[a-z-]*):iam::(\d{12}):role/[\w+=,.@/-]+")
_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("us-iso-", "aws-iso"),
    ("eu-isoe-", "aws-iso-e"),
    ("eusc-", "aws-eusc"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account and the role that leads into it; without a role the caller's own identity is used."""

    id: str
    name: str = ""
    role_arn: str | None = None
    external_id: str | None = None


def partition_of(region: str) -> str:
    """The partition a Region belongs to, which is the second part of every ARN there."""
    return next((partition for prefix, partition in _PARTITIONS if region.startswith(prefix)), "aws")


def to_accounts(
    listed: Sequence[Any], role_name: str | None, external_id: str | None, partition: str = "aws"
) -> list[Account]:
    """Return the accounts that an option ``accounts`` names.

    An entry is an account number, a role ARN, or a mapping with ``id``, ``name``, ``role_arn`` and ``external_id``.

    :param role_name: the role of accounts without a role ARN; may contain ``{account_id}`` and ``{account_name}``.
    :param external_id: the external id of accounts that don't name their own.
    """
    found = [_to_account(f"accounts[{at}]", item, role_name, external_id, partition) for at, item in enumerate(listed)]
    ids = [account.id for account in found]
    if twice := sorted({item for item in ids if ids.count(item) > 1}):
        raise BadInput("accounts", twice, "each account only once")
    return found


def role_arn_for(account_id: str, name: str, role_name: str, partition: str = "aws") -> str:
    """Return the ARN of a role name pattern in an account; a whole ARN may be a pattern as well."""
    try:
        filled = role_name.format(account_id=account_id, account_name=name, partition=partition)
    except (KeyError, IndexError, ValueError) as error:
        raise BadInput(
            "role_name", role_name, "a role name; only {account_id}, {account_name} and {partition} are replaced"
        ) from error
    arn = filled if filled.startswith("arn:") else f"arn:{partition}:iam::{account_id}:role/{filled.strip('/')}"
    if not _ROLE_ARN.fullmatch(arn):
        raise BadInput("role_name", role_name, "a role name such as patchtide or ops/patchtide-{account_id}")
    return arn


def pick_regions(wanted: Sequence[str], enabled: Iterable[str], excluded: Sequence[str] = ()) -> list[str]:
    """Return the enabled Regions that the patterns (``all``, ``eu-*``) name, and those named outright, sorted."""
    patterns = ["*" if item == "all" else item for item in wanted]
    outright = {item for item in patterns if not is_pattern(item)}
    found = outright | {region for region in enabled if any(fnmatchcase(region, item) for item in patterns)}
    return sorted(region for region in found if not any(fnmatchcase(region, item) for item in excluded))


def is_pattern(region: str) -> bool:
    """Whether the enabled Regions must be known to tell which Regions are meant."""
    return region == "all" or any(char in region for char in "*?[")


def to_fleet_places(accounts: Sequence[Account], regions: Mapping[str, Sequence[str]]) -> list[Place]:
    """Return the places of all accounts, sorted, each account in its own Regions (by account number)."""
    places = [
        Place(region=region, account=account.id, role_arn=account.role_arn, external_id=account.external_id)
        for account in accounts
        for region in regions[account.id]
    ]
    return sorted(places, key=lambda place: (place.account or "", place.region))


def _to_account(option: str, item: Any, role_name: str | None, external_id: str | None, partition: str) -> Account:
    if not isinstance(item, Mapping):
        item = {"role_arn": item} if str(item).startswith("arn:") else {"id": item}
    if unknown := sorted(set(item) - {"id", "name", "role_arn", "external_id"}):
        raise BadInput(option, unknown, "only the keys id, name, role_arn and external_id")
    account_id, name, arn = (str(item.get(key) or "") for key in ("id", "name", "role_arn"))
    if arn:
        matched = _ROLE_ARN.fullmatch(arn)
        if not matched:
            raise BadInput(f"{option}.role_arn", arn, "an ARN such as arn:aws:iam::111122223333:role/patchtide")
        if account_id and account_id != matched[2]:
            raise BadInput(f"{option}.id", account_id, f"the account of its role, {matched[2]}")
        account_id = matched[2]
    if not _ACCOUNT_ID.fullmatch(account_id):
        raise BadInput(f"{option}.id", account_id, "12 digits in quotes, such as '111122223333'")
    if not arn and role_name:
        arn = role_arn_for(account_id, name, role_name, partition)
    return Account(id=account_id, name=name, role_arn=arn or None, external_id=item.get("external_id") or external_id)
