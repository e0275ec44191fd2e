# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ARNs: whose they are and what they name, in every partition."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.arns import name_of, parse_arn


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_an_arn_tells_partition_region_and_account(partition: str) -> None:
    found = parse_arn(f"arn:{partition}:dynamodb:eu-west-1:111122223333:table/ledger", "dynamodb", "table")
    assert found and (found.partition, found.region, found.account) == (partition, "eu-west-1", "111122223333")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ledger",
        "arn:aws:iam::111122223333",
        "arn:gcp:iam::1:role/x",
        "arn:aws:iam::1:user/x",
        "arn:aws:sts::1:role/x",
    ],
)
def test_another_text_or_kind_is_none(text: str) -> None:
    assert parse_arn(text, "iam", "role") is None


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("arn:aws:iam::111122223333:role/ops/patchtide", "patchtide"),
        ("arn:aws:lambda:eu-west-1:111122223333:function:SSM-check", "SSM-check"),
        ("arn:aws:ssm:eu-west-1:111122223333:patchbaseline/pb-0c", "pb-0c"),
        ("pb-0c", "pb-0c"),
        ("", ""),
    ],
)
def test_what_an_arn_names(arn: str, name: str) -> None:
    assert name_of(arn) == name
