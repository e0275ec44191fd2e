# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What policy documents allow and deny (covers MO-3)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.iam_policies import (
    allowed_actions,
    resource_verdict,
)

PUT, GET = "ssm:PutInventory", "ec2messages:GetMessages"


def document(effect: str = "Allow", **members: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Resource": "*", **members}]}


@pytest.mark.parametrize(
    ("members", "allowed"),
    [
        ({"Action": "*"}, {PUT, GET}),
        ({"Action": "ssm:*"}, {PUT}),
        ({"Action": ["SSM:putinventory"]}, {PUT}),
        ({"Action": ["ssm:Put?nventory", "ec2messages:*Messages"]}, {PUT, GET}),
        ({"Action": "ssm:Put"}, set()),
        ({"Action": "ssm.PutInventory"}, set()),
        ({"NotAction": "ssm:*"}, {GET}),
        ({"Action": "ssm:*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, {PUT}),
    ],
)
def test_statement_allows(members: dict[str, Any], allowed: set[str]) -> None:
    assert allowed_actions([document(**members)], [PUT, GET]) == (allowed, set())


def test_denial_is_told_apart_from_permission() -> None:
    documents = [document(Action="*"), document("Deny", Action=["ssm:Put*"])]
    assert allowed_actions(documents, [PUT, GET]) == ({PUT, GET}, {PUT})


def test_denial_under_a_condition_is_not_counted() -> None:
    condition = {"StringNotEquals": {"aws:RequestedRegion": "eu-central-1"}}
    assert allowed_actions([document("Deny", Action="*", Condition=condition)], [PUT]) == (set(), set())


def test_single_statement_may_stand_without_its_list() -> None:
    assert allowed_actions([{"Statement": {"Effect": "Allow", "Action": PUT}}], [PUT]) == ({PUT}, set())


def test_documents_without_statements_allow_nothing() -> None:
    assert allowed_actions([{}, {"Statement": []}], [PUT]) == (set(), set())


@pytest.mark.parametrize(
    ("statements", "verdict"),
    [
        ([], "denied"),
        ([{"Effect": "Allow", "Action": "*", "Resource": "*"}], "allowed"),
        ([{"Effect": "Allow", "Action": "s3:Put*", "Resource": "*"}], "denied"),
        ([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::a/*"]}], "denied"),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::b/*"}], "denied"),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::a/*"}], "allowed"),
        ([{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"x": 1}}], "conditional"),
        ([{"Effect": effect, "Action": "*", "Resource": "*"} for effect in ("Allow", "Deny")], "denied"),
        (
            [
                {"Effect": "Allow", "Action": "*", "Resource": "*"},
                {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"x": 1}},
            ],
            "conditional",
        ),
    ],
)
def test_what_a_resource_policy_says_of_an_object(statements: list[dict[str, Any]], verdict: str) -> None:
    assert resource_verdict({"Statement": statements}, "s3:GetObject", "arn:aws:s3:::b/*") == verdict
