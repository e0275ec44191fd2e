# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance profiles and roles through the EC2 and IAM APIs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from .._core.arns import name_of
from .._core.errors import ServiceError
from .._core.ssm.instance_roles import RolePolicies
from .errors import aws_errors
from .paging import read_all

#: Values of one filter of DescribeInstances (EC2 API reference).
_CHUNK = 200
_ALIVE = ["pending", "running", "stopping", "stopped"]


class Ec2InstanceRoles:
    """The ``InstanceRolePort`` of one account-Region."""

    def __init__(self, ec2: Any, iam: Any) -> None:
        """``ec2`` and ``iam`` are the clients of this account-Region."""
        self._ec2 = ec2
        self._iam = iam

    def profiles(self, instance_ids: Sequence[str] | None, filters: Mapping[str, Any]) -> dict[str, str]:
        """One read per 200 instances."""
        ids = list(instance_ids or [])
        chunks = [ids[at : at + _CHUNK] for at in range(0, len(ids), _CHUNK)] or ([[]] if instance_ids is None else [])
        rows = [row for chunk in chunks for row in self._instances(chunk, filters)]
        return {row["InstanceId"]: name_of(row.get("IamInstanceProfile", {}).get("Arn", "")) for row in rows}

    def _instances(self, ids: list[str], filters: Mapping[str, Any]) -> list[dict[str, Any]]:
        wanted = {"instance-state-name": _ALIVE, **filters, **({"instance-id": ids} if ids else {})}
        listed = [
            {"Name": key, "Values": [str(item) for item in (value if isinstance(value, list) else [value])]}
            for key, value in wanted.items()
        ]
        found = read_all(self._ec2, "list instances", "describe_instances", "Reservations", 1000, Filters=listed)
        return [row for reservation in found for row in reservation["Instances"]]

    def role_of(self, profile: str) -> str | None:
        try:
            with aws_errors(f"read instance profile {profile}"):
                roles = self._iam.get_instance_profile(InstanceProfileName=profile)["InstanceProfile"]["Roles"]
        except ServiceError as error:
            if error.code == "NoSuchEntity":
                return None
            raise
        return str(roles[0]["RoleName"]) if roles else ""

    def policies_of(self, role: str, enough: str) -> RolePolicies:
        """One read if ``enough`` is attached. Otherwise two, one per inline policy and two per attached policy."""
        action, operation = f"list policies of role {role}", "list_attached_role_policies"
        attached = read_all(self._iam, action, operation, "AttachedPolicies", 100, RoleName=role)
        arns = tuple(row["PolicyArn"] for row in attached)
        if enough in arns:
            return RolePolicies(attached=arns)
        names = read_all(self._iam, action, "list_role_policies", "PolicyNames", 100, RoleName=role)
        documents = [self._inline(role, str(name)) for name in names] + [self._managed(arn) for arn in arns]
        return RolePolicies(attached=arns, documents=tuple(documents))

    def _inline(self, role: str, name: str) -> dict[str, Any]:
        with aws_errors(f"read policy {name} of role {role}"):
            return _document(self._iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])

    def _managed(self, arn: str) -> dict[str, Any]:
        with aws_errors(f"read policy {arn}"):
            version = self._iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            reply = self._iam.get_policy_version(PolicyArn=arn, VersionId=version)
        return _document(reply["PolicyVersion"]["Document"])

    def associate(self, instance_id: str, profile: str) -> None:
        try:
            with aws_errors(f"associate {instance_id} with the instance profile {profile}"):
                self._ec2.associate_iam_instance_profile(InstanceId=instance_id, IamInstanceProfile={"Name": profile})
        except ServiceError as error:
            # It exists if botocore repeated a call whose answer was lost.
            if error.code != "IncorrectState" or self.profiles([instance_id], {}).get(instance_id) != profile:
                raise

    def attach(self, role: str, policy_arn: str) -> None:
        with aws_errors(f"attach {policy_arn} to role {role}"):
            self._iam.attach_role_policy(RoleName=role, PolicyArn=policy_arn)


def _document(value: Any) -> dict[str, Any]:
    """botocore decodes the documents of some operations; those of others are URL-encoded JSON."""
    return dict(value) if isinstance(value, Mapping) else dict(json.loads(unquote(value)))
