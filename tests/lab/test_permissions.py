# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role may do what its policies allow, and is told which action is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.history_bucket import HistoryBucket
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.permissions import (
    CONTROLLER,
    HISTORY_BUCKET,
    HISTORY_KEY,
    to_policy,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import ServiceError
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.publish import find_format, publish
from botocore.exceptions import ClientError

from tests.fakes.history_months import Estate

from .conftest import DATA, SHARED, WEB, Fleet


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


def test_a_role_passes_the_role_in_a_profile(fleet: Fleet) -> None:
    """IAM user guide, "Grant a user permissions to pass a role to an AWS service"."""
    iam, ec2 = fleet.lab.client("iam", account=DATA), fleet.lab.client("ec2", account=DATA)
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{SHARED}:root"}}
    iam.create_role(RoleName="attacher", AssumeRolePolicyDocument=json.dumps(document(trust)))
    allow = {"Effect": "Allow", "Action": "ec2:AssociateIamInstanceProfile", "Resource": "*"}
    iam.put_role_policy(RoleName="attacher", PolicyName="p", PolicyDocument=json.dumps(document(allow)))
    node = ec2.run_instances(ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    profile = {"Name": "patchtide-node"}
    attach = client(fleet, "ec2", DATA, "attacher").associate_iam_instance_profile
    code, text = refused(attach, InstanceId=node, IamInstanceProfile=profile)
    assert (
        code == "UnauthorizedOperation" and f"iam:PassRole on resource: arn:aws:iam::{DATA}:role/patchtide-node" in text
    )
    more = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": f"arn:aws:iam::{DATA}:role/patchtide-*"}
    iam.put_role_policy(RoleName="attacher", PolicyName="q", PolicyDocument=json.dumps(document(more)))
    assert attach(InstanceId=node, IamInstanceProfile=profile)["IamInstanceProfileAssociation"]
    actions = [
        (row["action"], row["refused"]) for row in fleet.lab.get("ledger")["actions"] if row["role"] == "attacher"
    ]
    assert ("iam:PassRole", True) in actions and ("iam:PassRole", False) in actions


def test_objects_that_a_key_encrypts_need_the_key(fleet: Fleet) -> None:
    """S3 user guide, "Using server-side encryption with AWS KMS keys (SSE-KMS)", permissions."""
    admin = fleet.lab.client("s3", account=WEB)
    admin.create_bucket(Bucket="secret", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    key = f"arn:aws:kms:eu-central-1:{WEB}:key/11111111-2222-4333-8444-555555555555"
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    admin.put_bucket_encryption(Bucket="secret", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3 = client(fleet, "s3")
    text = refused(s3.put_object, Bucket="secret", Key="one", Body=b"")[1]
    assert f"kms:GenerateDataKey on resource: {key}" in text
    admin.put_object(Bucket="secret", Key="one", Body=b"")
    assert "kms:Decrypt" in refused(s3.get_object, Bucket="secret", Key="one")[1]


def test_the_controllers_policy_keeps_a_history_and_each_statement_of_it_is_needed(fleet: Fleet) -> None:
    admin, iam = fleet.lab.client("s3", account=WEB), fleet.lab.client("iam", account=WEB)
    admin.create_bucket(Bucket="past", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    key = "11111111-2222-4333-8444-555555555555"
    arn = f"arn:aws:kms:eu-central-1:{WEB}:key/{key}"
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}}
    admin.put_bucket_encryption(Bucket="past", ServerSideEncryptionConfiguration={"Rules": [rule]})
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{SHARED}:root"}}
    iam.create_role(RoleName="historian", AssumeRolePolicyDocument=json.dumps(document(trust)))

    def allow(*without: str) -> None:
        purposes = tuple(item for item in CONTROLLER if item.sid not in without)
        text = json.dumps(to_policy(purposes)).replace(HISTORY_BUCKET, "past").replace(HISTORY_KEY, key)
        iam.put_role_policy(RoleName="historian", PolicyName="p", PolicyDocument=text)

    def keep() -> None:
        store = HistoryBucket(client(fleet, "s3", WEB, "historian"), "past", "production")
        for run in Estate(1, 1).runs():
            publish(store, run, find_format(store, "jsonl", True), "2026-11-28T00:00:00.000Z")
        assert list(store.names("published"))

    for sid, action in (
        ("KeepHistory", "s3:GetObject"),
        ("EncryptHistory", "kms:Decrypt"),
        ("FindHistory", "s3:ListBucket"),
    ):
        allow(sid)
        with pytest.raises(ServiceError, match=action):
            keep()
    allow()
    keep()


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
