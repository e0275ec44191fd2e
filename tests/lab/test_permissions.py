# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role may do what its policies allow, and is told which action is missing."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import DATA, WEB, Fleet


def client(fleet: Fleet, service: str, account: str = WEB, role: str = "patchtide") -> Any:
    import boto3

    arn = f"arn:aws:iam::{account}:role/{role}"
    keys = fleet.lab.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], "eu-central-1")
    return session.client(service, endpoint_url=fleet.lab.url)


def refused(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**request)
    found = error.value.response["Error"]
    return found["Code"], found["Message"]


def test_what_the_policies_name_is_allowed(fleet: Fleet) -> None:
    assert client(fleet, "ssm").describe_patch_baselines()["BaselineIdentities"]
    assert client(fleet, "ec2").describe_instances()["Reservations"]
    assert client(fleet, "sts").get_caller_identity()["Account"] == WEB


def test_the_rest_is_refused_with_the_missing_action(fleet: Fleet) -> None:
    """IAM user guide, "Troubleshoot access denied error messages"."""
    code, text = refused(client(fleet, "ssm").create_activation, IamRole="x")
    who = f"User: arn:aws:sts::{WEB}:assumed-role/patchtide is not authorized to perform: ssm:CreateActivation"
    assert code == "AccessDeniedException" and text.startswith(who)
    code, text = refused(client(fleet, "ec2").terminate_instances, InstanceIds=["i-0123456789abcdef0"])
    assert code == "UnauthorizedOperation" and "ec2:TerminateInstances" in text


def test_objects_of_a_bucket_are_not_the_bucket(fleet: Fleet) -> None:
    """Service authorization reference, S3: s3:PutObject is for objects, s3:CreateBucket for buckets."""
    where = {"LocationConstraint": "eu-central-1"}
    fleet.lab.client("s3", account=WEB).create_bucket(Bucket="allowed", CreateBucketConfiguration=where)
    s3 = client(fleet, "s3")
    s3.put_object(Bucket="allowed", Key="lists/one.json", Body=b"[]")
    assert s3.get_object(Bucket="allowed", Key="lists/one.json")["Body"].read() == b"[]"
    assert "s3:CreateBucket" in refused(s3.create_bucket, Bucket="other", CreateBucketConfiguration=where)[1]
    assert "s3:ListBucket" in refused(s3.list_objects_v2, Bucket="allowed")[1]
    assert "s3:DeleteObject" in refused(s3.delete_object, Bucket="allowed", Key="lists/one.json")[1]


def test_a_role_without_policies_is_not_restricted(fleet: Fleet) -> None:
    assert client(fleet, "iam", DATA, "patchtide-open").list_users()["Users"]
    assert "iam:ListUsers" in refused(client(fleet, "iam").list_users)[1]
