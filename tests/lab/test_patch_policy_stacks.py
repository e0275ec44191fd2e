# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A patch policy of the template scans, and is what the collection detects as one of Quick Setup."""

from __future__ import annotations

import json

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.patch_policies import is_patch_policy

from tests.checks.source import ROOT

from .conftest import WEB, Fleet


def test_a_patch_policy_of_the_template_scans_and_is_detected(fleet: Fleet) -> None:
    baseline = {"value": "pb-0123456789abcdef0", "label": "x", "description": "x", "disabled": False}
    given = {"Baselines": json.dumps({"UBUNTU": baseline}), "Regions": "eu-central-1"}
    given |= {"NodeTagKey": "ScanBy", "NodeTagValue": "quick"}
    stacks = fleet.lab.client("cloudformation", account=WEB)
    stacks.create_stack(
        StackName="scan",
        TemplateBody=(ROOT / "templates" / "patch_policy.template").read_text("utf-8"),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    ssm = fleet.lab.client("ssm", account=WEB)
    (found,) = ssm.list_associations()["Associations"]
    assert found["AssociationName"].startswith("AWS-QuickSetup-PatchPolicy-")
    row = ssm.describe_association(AssociationId=found["AssociationId"])["AssociationDescription"]
    assert row["Parameters"]["Operation"] == ["Scan"] and is_patch_policy(row["Parameters"])
    assert row["Targets"] == [{"Key": "tag:ScanBy", "Values": ["quick"]}]
    stacks.delete_stack(StackName="scan")
    assert not ssm.list_associations()["Associations"]
