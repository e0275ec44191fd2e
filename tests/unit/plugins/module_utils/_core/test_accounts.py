# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts, role names and Regions from what the user wrote."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.accounts import (
    Account,
    partition_of,
    role_arn_for,
    to_accounts,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput

ONE, TWO = "111111111111", "222222222222"
ARN = f"arn:aws:iam::{ONE}:role/patchtide"


def test_three_ways_to_name_an_account() -> None:
    listed = [TWO, ARN, {"id": "333333333333", "name": "data", "external_id": "x"}]
    assert to_accounts(listed, "ops/{account_name}-{account_id}", "common")[1:] == [
        Account(id=ONE, role_arn=ARN, external_id="common"),
        Account(
            id="333333333333",
            name="data",
            role_arn="arn:aws:iam::333333333333:role/ops/data-333333333333",
            external_id="x",
        ),
    ]


def test_without_a_role_the_caller_goes_himself() -> None:
    assert to_accounts([ONE], None, None) == [Account(id=ONE)]


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ([123], r"accounts\[0\].id: '123' is not valid, expected 12 digits in quotes"),
        ([ARN, ONE], "accounts: .* expected each account only once"),
        (
            [{"id": TWO, "role_arn": ARN}],
            r"accounts\[0\].id: '222222222222' is not valid, expected the account of its role",
        ),
        ([{"id": ONE, "role": "x"}], "expected only the keys id, name, role_arn and external_id"),
        (["arn:aws:iam::1:user/x"], "expected an ARN such as arn:aws:iam"),
    ],
)
def test_bad_accounts(listed: list, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        to_accounts(listed, None, None)


@pytest.mark.parametrize("pattern", ["{account}", "{0}", "bad role", "{"])
def test_bad_role_names(pattern: str) -> None:
    with pytest.raises(BadInput, match="role_name: "):
        role_arn_for(ONE, "", pattern)


def test_a_whole_arn_may_be_a_pattern() -> None:
    arn = role_arn_for(ONE, "", "arn:{partition}:iam::{account_id}:role/r", "aws-cn")
    assert arn == f"arn:aws-cn:iam::{ONE}:role/r"


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_partitions(region: str, partition: str) -> None:
    assert partition_of(region) == partition
