# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts and the roles that lead into them, from what the user wrote. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .arns import Arn, parse_arn
from .errors import BadInput
from .model import Place

_ACCOUNT_ID = re.compile(r"\d{12}")
_ROLE = re.compile(r"role/[\w+=,.@/-]+")
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
    """An AWS account and the role that leads into it; without a role the caller's own identity is used."""

    id: str = ""
    name: str = ""
    role_arn: str | None = None
    external_id: str | None = None

    def place(self, region: str) -> Place:
        """Return the account in a Region."""
        return Place(region=region, account=self.id or None, role_arn=self.role_arn, external_id=self.external_id)


def role_of(arn: str | None) -> Arn | None:
    """Return the parts of a role's ARN; ``None`` if it is not that of an IAM role."""
    found = parse_arn(arn or "", "iam", "role")
    return found if found and _ACCOUNT_ID.fullmatch(found.account) and _ROLE.fullmatch(found.resource) else None


def partition_of(region: str) -> str:
    """The partition a Region belongs to, which is the second part of every ARN there."""
    return next((partition for prefix, partition in _PARTITIONS if region.startswith(prefix)), "aws")


def to_accounts(
    listed: Sequence[Any], role_name: str | None = None, external_id: str | None = None, partition: str = "aws"
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
    if not role_of(arn):
        raise BadInput("role_name", role_name, "a role name such as patchtide or ops/patchtide-{account_id}")
    return arn


def _to_account(option: str, item: Any, role_name: str | None, external_id: str | None, partition: str) -> Account:
    if not isinstance(item, Mapping):
        item = {"role_arn": item} if str(item).startswith("arn:") else {"id": item}
    if unknown := sorted(set(item) - {"id", "name", "role_arn", "external_id"}):
        raise BadInput(option, unknown, "only the keys id, name, role_arn and external_id")
    account_id, name, arn = (str(item.get(key) or "") for key in ("id", "name", "role_arn"))
    if arn:
        role = role_of(arn)
        if not role:
            raise BadInput(f"{option}.role_arn", arn, "an ARN such as arn:aws:iam::111122223333:role/patchtide")
        if account_id and account_id != role.account:
            raise BadInput(f"{option}.id", account_id, f"the account of its role, {role.account}")
        account_id = role.account
    if not _ACCOUNT_ID.fullmatch(account_id):
        raise BadInput(f"{option}.id", account_id, "12 digits in quotes, such as '111122223333'")
    if not arn and role_name:
        arn = role_arn_for(account_id, name, role_name, partition)
    return Account(id=account_id, name=name, role_arn=arn or None, external_id=item.get("external_id") or external_id)
