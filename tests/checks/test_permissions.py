# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions that are documented are those of the one table, and AWS has such actions."""

from __future__ import annotations

import re
import sys

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.permissions import POLICIES
from botocore import xform_name

from tests.checks.source import PLUGINS, ROOT, python_files

sys.path.insert(0, str(ROOT / "tools"))
from permissions import files


def test_the_files_with_permissions_are_those_of_the_table() -> None:
    made = dict(files())
    assert len(made) == 9 and all(path.read_text("utf-8") == text for path, text in made.items()), (
        "run tools/permissions.py"
    )


#: Calls that a service makes with the caller's permission: S3 for objects that a KMS key encrypts, EC2 for the role in
#: an instance profile, a permission without an operation (IAM user guide, "Pass a role"), Athena for the tables of a
#: query (Athena user guide, "Fine-grained access to databases and tables").
BY_SERVICES = {"kms:Decrypt", "kms:GenerateDataKey", "iam:PassRole", "glue:GetDatabase", "glue:GetTable"}
#: Calls whose names are put together.
COMPOSED = {"ec2:StartInstances", "ec2:StopInstances"}
#: Operations that IAM knows by another name (S3 API reference, ListObjectsV2, permissions).
OPERATIONS = {"s3:ListBucket": "s3:ListObjectsV2"}


def test_each_permission_has_a_call() -> None:
    """What nothing calls is no permission that a role needs."""
    text = "\n".join(path.read_text("utf-8") for path in python_files(PLUGINS) if path.name != "permissions.py")
    actions = {action for policy in POLICIES.values() for purpose in policy for action in purpose.actions}
    calls = {name: xform_name(OPERATIONS.get(name, name).partition(":")[2]) for name in actions}
    unused = {name for name, call in calls.items() if not re.search(rf"\b{call}\b", text)}
    assert unused == BY_SERVICES | COMPOSED


@pytest.mark.parametrize("name", POLICIES)
def test_iam_policies_name_actions_that_exist_once_in_order(name: str) -> None:
    import botocore.session

    session = botocore.session.get_session()
    services = {"ssm": "ssm", "ec2": "ec2", "s3": "s3", "tag": "resourcegroupstaggingapi", "cloudwatch": "cloudwatch"}
    services["elasticloadbalancing"] = "elbv2"
    services |= {
        name: name
        for name in ("sts", "organizations", "dynamodb", "kms", "sns", "iam", "directconnect", "athena", "glue")
    }
    for purpose in POLICIES[name]:
        assert list(purpose.actions) == sorted(set(purpose.actions)), purpose.sid
        for action in purpose.actions:
            if action == "iam:PassRole":
                continue
            service, _colon, operation = OPERATIONS.get(action, action).partition(":")
            assert operation in session.get_service_model(services[service]).operation_names, action
