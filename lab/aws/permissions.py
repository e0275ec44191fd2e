# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What roles may do: those of the estate what its policies say, those that somebody made what IAM has of them.

A policy of the estate is a file of ``examples/iam``, or ``spoke``: the policies of the role in
``templates/spoke.template`` with everything on. A role of the estate without policies may do everything. Resources are
known for S3, SendCommand and what starts, stops and tags instances; of every other call they are ``*``, which only a
statement for all resources names. Actions: service authorization reference,
https://docs.aws.amazon.com/service-authorization/latest/reference/.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import yaml
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends

from .iam_evaluation import allows
from .ssm.backend import place_of
from .world import world

_ROOT = Path(__file__).parents[2]
_PREFIXES = {"tagging": "tag", "monitoring": "cloudwatch"}
_S3_OBJECT = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
_KEY_USES = {"s3:GetObject": "kms:Decrypt", "s3:PutObject": "kms:GenerateDataKey"}
_S3_BUCKET = {"GET": "ListBucket", "HEAD": "ListBucket", "PUT": "CreateBucket", "DELETE": "DeleteBucket"}
#: Members of EC2's requests that name instances.
_INSTANCES = {
    **dict.fromkeys(("StartInstances", "StopInstances"), "InstanceId."),
    **dict.fromkeys(("CreateTags", "DeleteTags"), "ResourceId."),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a role did: the actions that its call needs, and why it is refused, in the words of IAM; "" if it is not."""

    role: str
    actions: tuple[str, ...]
    refusal: str


def judge(call: Mapping[str, str], path: str) -> Verdict | None:
    """Say whether the role that makes a call may do so; ``None`` if no role does, or if it needs no permission.

    ``call``: account, region, key, service, operation (the HTTP method for S3) and body. ``path``: of the request,
    which names S3's bucket and key.
    """
    account = call["account"]
    name = _role_of(account, call["key"]).rpartition("/")[2]
    action, resources = _action(call, path) if name else ("", [])
    if not name or action == "sts:GetCallerIdentity":  # needs no permission (STS API reference)
        return None
    policies = _policies(account, name)
    needed = [(action, item) for item in resources] + list(_also(call, path, action))
    actions = tuple(dict.fromkeys(action for action, _resource in needed))
    for asked, item in needed if policies is not None else ():
        if not allows(policies or (), asked, item, partial(_facts, call, item)):
            why = (
                f"User: arn:aws:sts::{account}:assumed-role/{name} is not authorized to perform: {asked} on resource: "
                f"{item} because no identity-based policy allows the {asked} action"
            )
            return Verdict(name, actions, why)
    return Verdict(name, actions, "")


def _also(call: Mapping[str, str], path: str, action: str) -> Iterator[tuple[str, str]]:
    """What a service asks for beside the action itself.

    Whoever associates a profile passes its role (IAM user guide, "Grant a user permissions to pass a role to an AWS
    service"). Objects in a bucket that encrypts with a KMS key need the key: GenerateDataKey to write, Decrypt to read
    (S3 user guide, "Using server-side encryption with AWS KMS keys", required permissions).
    """
    account = call["account"]
    if action == "ec2:AssociateIamInstanceProfile":
        given = parse_qs(call["body"])
        named = given.get("IamInstanceProfile.Name") or given.get("IamInstanceProfile.Arn") or [""]
        profiles = iam_backends[account]["aws"].instance_profiles.values()
        found = [role for item in profiles if named[0] in (item.name, item.arn) for role in item.roles]
        yield from (("iam:PassRole", role.arn) for role in found)
    if action in _KEY_USES:
        bucket = path.lstrip("/").partition("/")[0]
        held = next((item.buckets[bucket] for item in _s3_backends() if bucket in item.buckets), None)
        rule = ((held.encryption or {}) if held else {}).get("Rule", {})
        key = (rule[0] if isinstance(rule, list) else rule).get("ApplyServerSideEncryptionByDefault", {})
        if key.get("SSEAlgorithm") == "aws:kms" and key.get("KMSMasterKeyID"):
            yield _KEY_USES[action], key["KMSMasterKeyID"]


def _s3_backends() -> list[Any]:
    return [backend for backends in list(s3_backends.values()) for backend in backends.values()]


def _policies(account: str, name: str) -> list[dict[str, Any]] | None:
    """Return the policies of a role; None if nothing limits it."""
    estate = world().estate.account(account)
    role = next((role for role in estate.roles if role.name == name), None) if estate else None
    if role is not None:
        return [found for name in role.policies for found in _of_estate(name, account)] if role.policies else None
    made = next((role for role in iam_backends[account]["aws"].roles.values() if role.name == name), None)
    if made is None:
        return None
    attached = [policy.document for policy in made.managed_policies.values()]
    return [json.loads(text) if isinstance(text, str) else text for text in (*made.policies.values(), *attached)]


def _action(call: Mapping[str, str], path: str) -> tuple[str, list[str]]:
    service, operation = call["service"], call["operation"]
    if service == "s3":
        bucket, _, key = path.lstrip("/").partition("/")
        name = (_S3_OBJECT if key else _S3_BUCKET).get(operation, operation)
        return f"s3:{name}", [f"arn:aws:s3:::{bucket}{'/' if key else ''}{key}"]
    return f"{_PREFIXES.get(service, service)}:{operation}", _resources(call) or ["*"]


def _resources(call: Mapping[str, str]) -> list[str]:
    operation, account, region = call["operation"], call["account"], call["region"]
    if call["service"] == "ssm" and operation == "SendCommand":
        request = json.loads(call["body"])
        document = str(request.get("DocumentName", ""))
        owner = "" if document.startswith("AWS-") else account
        nodes = [_arn(account, region, node) for node in request.get("InstanceIds") or []]
        return [f"arn:aws:ssm:{region}:{owner}:document/{document}", *nodes]
    if call["service"] == "ec2" and operation in _INSTANCES:
        given = parse_qs(call["body"]).items()
        return [
            _arn(account, region, value)
            for key, values in given
            for value in values
            if key.startswith(_INSTANCES[operation])
        ]
    return []


def _arn(account: str, region: str, node: str) -> str:
    kind = "ssm:{}:{}:managed-instance" if node.startswith("mi-") else "ec2:{}:{}:instance"
    return f"arn:aws:{kind.format(region, account)}/{node}"


def _facts(call: Mapping[str, str], resource: str) -> dict[str, str]:
    """Return the tags of a node as both condition keys that SendCommand reads; EC2 reads the first."""
    node = place_of(call["account"], call["region"]).nodes.get(resource.rpartition("/")[2])
    prefixes = ("aws:ResourceTag/", "ssm:resourceTag/") if call["service"] == "ssm" else ("aws:ResourceTag/",)
    return {f"{prefix}{key}": value for prefix in prefixes for key, value in (node.tags if node else {}).items()}


@cache
def _of_estate(name: str, account: str) -> list[dict[str, Any]]:
    """Read policies; the bucket that a user puts into them may be any here."""
    if name != "spoke":
        return [json.loads((_ROOT / "examples" / "iam" / f"{name}.json").read_text().replace("YOUR-LIST-BUCKET", "*"))]
    template = yaml.load((_ROOT / "templates" / "spoke.template").read_text("utf-8"), _Template)
    made = [item["Properties"] for item in template["Resources"].values() if item["Type"] == "AWS::IAM::Policy"]
    rollout = [item["PolicyDocument"] for item in made if item["Roles"] == ["RolloutRole"]]
    values = {"AWS::Partition": "aws", "AWS::AccountId": account, "ListBucket": "*", "ListKey": "*"}
    return [_filled(document, values) for document in rollout]


class _Template(yaml.SafeLoader):
    """Reads functions as what is in them; of ``!If``, the last value, which limits nothing."""


def _function(loader: _Template, name: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        values = loader.construct_sequence(node, deep=True)
        return values[-1] if name == "If" else values
    assert isinstance(node, yaml.ScalarNode), "no function of CloudFormation takes a mapping in a short form here"
    value = loader.construct_scalar(node)
    return None if value == "AWS::NoValue" else value


_Template.add_multi_constructor("!", _function)


def _filled(data: Any, values: Mapping[str, str]) -> Any:
    if isinstance(data, dict):
        return {key: _filled(item, values) for key, item in data.items()}
    if isinstance(data, list):
        return [_filled(item, values) for item in data]
    for name, value in values.items() if isinstance(data, str) else ():
        data = data.replace(f"${{{name}}}", value)
    return data


_ROLES: dict[str, str] = {}


def _role_of(account: str, access_key: str) -> str:
    """Return the ARN of the role that issued a session's key; "" for a user's key. Issued keys never change hands."""
    if access_key.startswith("AKIA"):
        return ""
    if access_key not in _ROLES:
        session = sts_backends[account]["aws"].get_assumed_role_from_access_key(access_key)
        _ROLES[access_key] = session.role_arn if session else ""
    return _ROLES[access_key]
