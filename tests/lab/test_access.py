# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts, keys and roles: nobody gets further than the estate says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from lab.aws.launch import environment

from .conftest import DATA, WEB, Fleet

Refused = Callable[..., str]


def arn(account: str, role: str) -> str:
    return f"arn:aws:iam::{account}:role/{role}"


def test_an_assumed_role_is_in_its_own_account(fleet: Fleet) -> None:
    import boto3

    keys = fleet.lab.client("sts").assume_role(RoleArn=arn(WEB, "patchtide"), RoleSessionName="test")["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], "eu-central-1")
    ssm = session.client("ssm", endpoint_url=fleet.lab.url)
    assert len(ssm.describe_instance_properties(MaxResults=1000)["InstanceProperties"]) == 22


@pytest.mark.parametrize(
    "request_",
    [
        {"RoleArn": arn(WEB, "nobody")},
        {"RoleArn": arn("999999999999", "patchtide")},
        {"RoleArn": arn(DATA, "patchtide-denied")},
        {"RoleArn": arn(DATA, "patchtide")},
        {"RoleArn": arn(DATA, "patchtide"), "ExternalId": "wrong"},
    ],
)
def test_roles_that_may_not_be_assumed(fleet: Fleet, refused: Refused, request_: dict[str, str]) -> None:
    assert refused(fleet.lab.client("sts").assume_role, RoleSessionName="test", **request_) == "AccessDenied"


def test_the_external_id_opens_its_role(fleet: Fleet) -> None:
    sts = fleet.lab.client("sts")
    request = {"RoleArn": arn(DATA, "patchtide"), "RoleSessionName": "test", "ExternalId": "lab-data-team"}
    assert sts.assume_role(**request)["AssumedRoleUser"]["Arn"].startswith(f"arn:aws:sts::{DATA}:")


def test_only_the_home_account_is_trusted(fleet: Fleet, refused: Refused) -> None:
    sts = fleet.lab.client("sts", account=DATA)
    assert refused(sts.assume_role, RoleArn=arn(WEB, "patchtide"), RoleSessionName="test") == "AccessDenied"


def test_a_role_made_at_run_time_trusts_whom_it_names(fleet: Fleet) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    fleet.lab.client("iam", account=WEB).create_role(RoleName="new", AssumeRolePolicyDocument=policy)
    answer = fleet.lab.client("sts").assume_role(RoleArn=arn(WEB, "new"), RoleSessionName="test")
    assert answer["Credentials"]["SecretAccessKey"]


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("ssm", "list_commands", "UnrecognizedClientException"),
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("ec2", "describe_instances", "AuthFailure"),
    ],
)
def test_a_key_nobody_issued_opens_nothing(fleet: Fleet, refused: Refused, service: str, call: str, code: str) -> None:
    stranger: Any = fleet.lab.client(service, account="000000000000")
    assert refused(getattr(stranger, call)) == code


def test_the_environment_has_what_clients_and_the_collection_need(fleet: Fleet) -> None:
    told = environment(fleet.lab.url, fleet.lab.access_key)
    assert told["AWS_ENDPOINT_URL"] == fleet.lab.url
    assert told["PATCHTIDE_CLOCK"].endswith("/moto-api/patchtide/clock")
    assert told["AWS_ACCESS_KEY_ID"] == "AKIA111111111111LAB0"
