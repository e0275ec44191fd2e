# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The IAM permissions that the collection needs, by purpose: the one source of policies, templates and documentation.

Names of actions: service authorization reference, https://docs.aws.amazon.com/service-authorization/latest/reference/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Users put the bucket of their policy's ``patching.buckets``, its key, their role, table, topic, and the bucket of
#: their history with its key in place of these.
LIST_BUCKET, LIST_KEY, ROLE = "YOUR-LIST-BUCKET", "YOUR-LIST-KEY", "YOUR-ROLE"
TABLE, TOPIC = "YOUR-TABLE", "YOUR-TOPIC"
HISTORY_BUCKET, HISTORY_KEY = "YOUR-HISTORY-BUCKET", "YOUR-HISTORY-KEY"
#: What the collection sends with SendCommand; AWS's own documents have no account in their ARN.
DOCUMENTS = (
    "AWS-InstallWindowsUpdates",
    "AWS-RunPatchBaseline",
    "AWS-RunPowerShellScript",
    "AWS-RunShellScript",
    "AWS-UpdateSSMAgent",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """One statement of a policy. ``needed``: when, as Markdown. ``actions``: in the order of the alphabet.

    ``per_node``: those of the actions that IAM can limit to nodes with a tag.
    """

    sid: str
    needed: str
    actions: tuple[str, ...]
    resource: str = "*"
    per_node: tuple[str, ...] = ()

    @property
    def always(self) -> bool:
        """Whether every estate needs it."""
        return self.needed.startswith("always")

    def to_statement(self) -> dict[str, Any]:
        """Return the statement as IAM reads it."""
        return {"Sid": self.sid, "Effect": "Allow", "Action": list(self.actions), "Resource": self.resource}


READ = (
    Purpose(
        sid="ReadTheEstate",
        needed="always",
        actions=(
            "ec2:DescribeInstances",
            "ec2:DescribeRegions",
            "ssm:DescribeAssociation",
            "ssm:DescribeInstanceInformation",
            "ssm:DescribeInstancePatchStates",
            "ssm:DescribeInstancePatches",
            "ssm:DescribeInstanceProperties",
            "ssm:DescribeMaintenanceWindowTargets",
            "ssm:DescribeMaintenanceWindowTasks",
            "ssm:DescribeMaintenanceWindows",
            "ssm:DescribePatchBaselines",
            "ssm:DescribePatchGroups",
            "ssm:DescribePatchProperties",
            "ssm:GetDefaultPatchBaseline",
            "ssm:GetInventory",
            "ssm:GetMaintenanceWindow",
            "ssm:GetMaintenanceWindowTask",
            "ssm:GetPatchBaseline",
            "ssm:GetPatchBaselineForPatchGroup",
            "ssm:ListAssociations",
            "ssm:ListInventoryEntries",
            "ssm:ListTagsForResource",
            "tag:GetResources",
        ),
    ),
)
ROLLOUT = (
    Purpose(
        sid="WritePolicyResources",
        needed="the collection manages baselines, patch groups, windows or tags of hybrid nodes",
        actions=(
            "ssm:AddTagsToResource",
            "ssm:CreateMaintenanceWindow",
            "ssm:CreatePatchBaseline",
            "ssm:DeleteMaintenanceWindow",
            "ssm:DeletePatchBaseline",
            "ssm:DeregisterPatchBaselineForPatchGroup",
            "ssm:DeregisterTargetFromMaintenanceWindow",
            "ssm:DeregisterTaskFromMaintenanceWindow",
            "ssm:RegisterDefaultPatchBaseline",
            "ssm:RegisterPatchBaselineForPatchGroup",
            "ssm:RegisterTargetWithMaintenanceWindow",
            "ssm:RegisterTaskWithMaintenanceWindow",
            "ssm:RemoveTagsFromResource",
            "ssm:UpdateMaintenanceWindow",
            "ssm:UpdateMaintenanceWindowTarget",
            "ssm:UpdateMaintenanceWindowTask",
            "ssm:UpdatePatchBaseline",
        ),
    ),
    Purpose(
        sid="RunCommands",
        needed="always: scans are commands too",
        actions=(
            "ssm:CancelCommand",
            "ssm:GetCommandInvocation",
            "ssm:ListCommandInvocations",
            "ssm:ListCommands",
            "ssm:SendCommand",
        ),
        per_node=("ssm:SendCommand",),
    ),
    Purpose(
        sid="ShowStateInConsole",
        needed="`custom_compliance` of `scan_compliance`",
        actions=("ssm:ListResourceComplianceSummaries", "ssm:PutComplianceItems"),
    ),
    Purpose(
        sid="StartAndStopNodes",
        needed="`stopped_nodes.start`",
        actions=("ec2:StartInstances", "ec2:StopInstances"),
        per_node=("ec2:StartInstances", "ec2:StopInstances"),
    ),
    Purpose(
        sid="TagNodes",
        needed="`stopped_nodes.start`, `tags.patch_now`, `tags.last_patched`, `choose_window`, `sync_exceptions`",
        actions=("ec2:CreateTags", "ec2:DeleteTags", "ec2:DescribeTags"),
        per_node=("ec2:CreateTags", "ec2:DeleteTags"),
    ),
    Purpose(
        sid="DrainLoadBalancers",
        needed="`hooks.load_balancer.drain`",
        actions=(
            "elasticloadbalancing:DeregisterTargets",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetHealth",
            "elasticloadbalancing:RegisterTargets",
        ),
    ),
    Purpose(
        sid="ReadAlarms",
        needed="a health check with `alarm`",
        actions=("cloudwatch:DescribeAlarms",),
    ),
    Purpose(
        sid="WriteOverrideLists",
        needed="`patching.pin: list`; name your buckets",
        actions=("s3:GetObject", "s3:PutObject"),
        resource=f"arn:aws:s3:::{LIST_BUCKET}/*",
    ),
    Purpose(
        sid="EncryptOverrideLists",
        needed="`patching.pin: list`, and the buckets have a KMS key of your own",
        actions=("kms:Decrypt", "kms:GenerateDataKey"),
        resource=f"arn:aws:kms:*:*:key/{LIST_KEY}",
    ),
)
ENROLLMENT = (
    Purpose(
        sid="ReadNetworks",
        needed="`check_connectivity`",
        actions=(
            "directconnect:DescribeVirtualInterfaces",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcAttribute",
            "ec2:DescribeVpcEndpoints",
            "ec2:DescribeVpcs",
            "ec2:DescribeVpnConnections",
        ),
    ),
    Purpose(
        sid="ReadInstanceRoles",
        needed="`enroll_nodes`",
        actions=(
            "iam:GetInstanceProfile",
            "iam:GetPolicy",
            "iam:GetPolicyVersion",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
        ),
    ),
    Purpose(
        sid="AttachInstanceProfiles",
        needed="`enrollment.instance_profile`; `iam:PassRole` on the role in the profile suffices",
        actions=("ec2:AssociateIamInstanceProfile", "iam:PassRole"),
    ),
    Purpose(
        sid="AttachRolePolicies",
        needed="`enrollment.role_policy_arn`; allow that policy alone with the condition `iam:PolicyARN`",
        actions=("iam:AttachRolePolicy",),
    ),
    Purpose(
        sid="RegisterMachines",
        needed="`enrollment.onboarding`, the role `onboard_node`; `iam:PassRole` on the role of the nodes suffices",
        actions=(
            "iam:PassRole",
            "ssm:CreateActivation",
            "ssm:DeleteActivation",
            "ssm:DeregisterManagedInstance",
            "ssm:DescribeActivations",
        ),
    ),
)
CONTROLLER = (
    Purpose(
        sid="AssumeRoles",
        needed="always, if accounts have roles",
        actions=("sts:AssumeRole",),
        resource=f"arn:aws:iam::*:role/{ROLE}",
    ),
    Purpose(
        sid="FindAccounts",
        needed="`organizations` in the inventory file",
        actions=(
            "organizations:ListAccounts",
            "organizations:ListAccountsForParent",
            "organizations:ListOrganizationalUnitsForParent",
            "organizations:ListRoots",
        ),
    ),
    Purpose(sid="FindRegions", needed="`regions: [all]`", actions=("ec2:DescribeRegions",)),
    Purpose(
        sid="KeepClaimsAndLedgers",
        needed="claims, journals, child plans or exceptions in a DynamoDB table",
        actions=(
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:Scan",
        ),
        resource=f"arn:aws:dynamodb:*:*:table/{TABLE}",
    ),
    Purpose(
        sid="CreateLedgers",
        needed="the table of exceptions does not exist yet",
        actions=("dynamodb:CreateTable", "dynamodb:DescribeTable"),
        resource=f"arn:aws:dynamodb:*:*:table/{TABLE}",
    ),
    Purpose(
        sid="ReadChangeCalendars",
        needed="`freeze.change_calendars`",
        actions=("ssm:GetCalendarState", "ssm:GetDocument"),
    ),
    Purpose(
        sid="QueryTheHistory",
        needed="`athena` of `patchtide_query`, `patchtide_athena`; name your workgroup, database and tables",
        actions=(
            "athena:GetQueryExecution",
            "athena:GetQueryResults",
            "athena:GetWorkGroup",
            "athena:StartQueryExecution",
            "athena:StopQueryExecution",
            "glue:GetDatabase",
            "glue:GetTable",
        ),
    ),
    Purpose(
        sid="SendNotices",
        needed="`notices.routes[].sns`; name your topics",
        actions=("sns:Publish",),
        resource=f"arn:aws:sns:*:*:{TOPIC}",
    ),
    Purpose(
        sid="KeepHistory",
        needed="`patchtide_history` or `patchtide_reports` is a bucket; name it",
        actions=("s3:GetObject", "s3:PutObject"),
        resource=f"arn:aws:s3:::{HISTORY_BUCKET}/*",
    ),
    Purpose(
        sid="CleanHistory",
        needed="`history_cleanup` on a bucket",
        actions=("s3:DeleteObject",),
        resource=f"arn:aws:s3:::{HISTORY_BUCKET}/*",
    ),
    Purpose(
        sid="FindHistory",
        needed="`patchtide_history` is a bucket: without it, S3 denies access where an object is absent",
        actions=("s3:ListBucket",),
        resource=f"arn:aws:s3:::{HISTORY_BUCKET}",
    ),
    Purpose(
        sid="EncryptHistory",
        needed="`patchtide_history` is a bucket with a KMS key of your own",
        actions=("kms:Decrypt", "kms:GenerateDataKey"),
        resource=f"arn:aws:kms:*:*:key/{HISTORY_KEY}",
    ),
)
#: Policies by name: three for the role in each account, and one for the controller's own credentials.
POLICIES: Mapping[str, tuple[Purpose, ...]] = {
    "read-only": READ,
    "rollout": ROLLOUT,
    "enrollment": ENROLLMENT,
    "controller": CONTROLLER,
}


def operations(service: str) -> frozenset[str]:
    """Return the operations of a service that the collection may call. IAM names those of S3 in another way."""
    purposes = (purpose for policy in POLICIES.values() for purpose in policy)
    actions = (action.partition(":") for purpose in purposes for action in purpose.actions)
    return frozenset(name for prefix, _colon, name in actions if prefix == service)


def to_policy(purposes: tuple[Purpose, ...]) -> dict[str, Any]:
    """Return an identity-based policy document."""
    return {"Version": "2012-10-17", "Statement": [purpose.to_statement() for purpose in purposes]}
