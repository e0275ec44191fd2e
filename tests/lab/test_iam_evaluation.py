# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies as IAM evaluates them (IAM user guide, policy evaluation logic, and condition operators)."""

from __future__ import annotations

from typing import Any

import pytest

from lab.aws.iam_evaluation import allows, trusts

NODE = "arn:aws:ec2:eu-central-1:111111111111:instance/i-1"
TAGGED = {"StringEquals": {"aws:ResourceTag/Patching": "yes"}}


def row(**members: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "*", **members}


def may(*rows: dict[str, Any], action: str = "ssm:SendCommand", tag: str | None = None) -> bool:
    facts = {"aws:ResourceTag/Patching": tag} if tag else {}
    return allows([{"Statement": [item]} for item in rows], action, NODE, lambda: facts)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], False),
        ([row()], True),
        ([row(Action=["ssm:List*", "SSM:sendcommand"])], True),
        ([row(Action="ssm:Send")], False),
        ([row(Resource="arn:aws:ec2:*:111111111111:instance/*")], True),
        ([row(Resource=["arn:aws:ec2:*:222222222222:instance/*"])], False),
        ([row(Resource="arn:aws:ec2:*:111111111111:instance/i-[1]")], False),
        ([row(Effect="Deny")], False),
        ([row(), row(Effect="Deny", Resource="*/i-2")], True),
        ([row(), row(Effect="Deny")], False),
        ([row(), row(Effect="Deny", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.1"}})], False),
        ([row(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.1"}})], False),
        ([row(Condition=TAGGED)], False),
    ],
)
def test_what_is_allowed(rows: list[dict[str, Any]], expected: bool) -> None:
    assert may(*rows) == expected


def test_conditions_need_every_key_and_any_value() -> None:
    assert may(row(Condition=TAGGED), tag="yes") and not may(row(Condition=TAGGED), tag="Yes")
    both = {"StringEquals": {"aws:ResourceTag/Patching": ["no", "yes"], "aws:ResourceTag/Other": "x"}}
    assert not may(row(Condition=both), tag="yes")
    assert not may(row(Condition={"StringEquals": {"aws:ResourceTag/Patching": "y*"}}), tag="yes")
    assert may(row(Condition={"StringLike": {"aws:ResourceTag/Patching": ["n*", "y?s"]}}), tag="yes")


def test_a_call_whose_resource_is_unknown_needs_all_resources() -> None:
    """Actions without resource types are authorized on ``*`` (service authorization reference)."""
    assert allows([{"Statement": row()}], "ssm:SendCommand", "*")
    assert not allows([{"Statement": row(Resource=NODE)}], "ssm:SendCommand", "*")


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, True),
        ({"Principal": {"AWS": ["222222222222", "*"]}}, True),
        ({"Principal": {"AWS": "222222222222"}}, False),
        ({"Principal": {"Service": "ec2.amazonaws.com"}}, False),
        ({"Action": "sts:AssumeRoleWithSAML"}, False),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"StringEquals": {"sts:ExternalId": "contoso"}}}, True),
        ({"Condition": {"StringEquals": {"sts:ExternalId": "other"}}}, False),
        ({"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}, False),
    ],
)
def test_whom_a_role_trusts(members: dict[str, Any], expected: bool) -> None:
    base = {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"}
    document = {"Statement": [{**base, **members}]}
    assert trusts(document, ["111111111111"], {"sts:ExternalId": "contoso"}) == expected
