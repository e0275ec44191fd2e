# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch baselines through the SSM API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.baselines import ApprovalRule, Baseline, only_one
from .convert import to_tag_list
from .errors import aws_errors
from .tags import describe_tags, ensure_tags


class SsmBaselines:
    """The ``BaselinePort`` of one place; ``client`` is that place's SSM client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def find(self, name: str) -> Baseline | None:
        """Three reads: the list filtered by name, the baseline, its tags; one more for the default of its OS."""
        with aws_errors("list patch baselines"):
            pages = self._client.get_paginator("describe_patch_baselines").paginate(
                Filters=[{"Key": "NAME_PREFIX", "Values": [name]}, {"Key": "OWNER", "Values": ["Self"]}]
            )
            rows = [row for page in pages for row in page["BaselineIdentities"] if row["BaselineName"] == name]
        return only_one(name, [self._get(row) for row in rows])

    def _get(self, row: Mapping[str, Any]) -> Baseline:
        baseline_id = row["BaselineId"]
        with aws_errors(f"read patch baseline {baseline_id}"):
            data = self._client.get_patch_baseline(BaselineId=baseline_id)
        tags = describe_tags(self._client, "PatchBaseline", baseline_id)
        return from_api(data, tags, bool(row.get("DefaultBaseline")))

    def create(self, wanted: Baseline) -> str:
        with aws_errors(f"create patch baseline {wanted.name}"):
            reply = self._client.create_patch_baseline(
                OperatingSystem=wanted.operating_system, Tags=to_tag_list(wanted.tags), **to_api(wanted)
            )
        return str(reply["BaselineId"])

    def update(self, wanted: Baseline) -> None:
        with aws_errors(f"update patch baseline {wanted.name}"):
            self._client.update_patch_baseline(BaselineId=wanted.baseline_id, Replace=True, **to_api(wanted))

    def set_tags(self, baseline_id: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        ensure_tags(self._client, "PatchBaseline", baseline_id, before, after)

    def set_default(self, baseline_id: str) -> None:
        with aws_errors(f"make patch baseline {baseline_id} the default"):
            self._client.register_default_patch_baseline(BaselineId=baseline_id)

    def restore_default(self, operating_system: str) -> None:
        with aws_errors(f"restore the AWS default patch baseline of {operating_system}"):
            pages = self._client.get_paginator("describe_patch_baselines").paginate(
                Filters=[{"Key": "OWNER", "Values": ["AWS"]}]
            )
            rows = [row for page in pages for row in page["BaselineIdentities"]]
            found = [row for row in rows if row["OperatingSystem"] == operating_system and _is_aws_default(row)]
            self._client.register_default_patch_baseline(BaselineId=found[0]["BaselineId"])

    def delete(self, baseline_id: str) -> None:
        with aws_errors(f"delete patch baseline {baseline_id}"):
            self._client.delete_patch_baseline(BaselineId=baseline_id)


def _is_aws_default(row: Mapping[str, Any]) -> bool:
    """AWS publishes AWS-DefaultPatchBaseline for Windows and AWS-<OS>DefaultPatchBaseline for each Linux."""
    return str(row["BaselineName"]).endswith("DefaultPatchBaseline")


def to_api(wanted: Baseline) -> dict[str, Any]:
    """Return the members that CreatePatchBaseline and UpdatePatchBaseline share."""
    description = {"Description": wanted.description} if wanted.description else {}  # the service refuses ""
    return {
        "Name": wanted.name,
        **description,
        "ApprovalRules": {"PatchRules": [_rule_to_api(rule) for rule in wanted.rules]},
        "ApprovedPatches": list(wanted.approved_patches),
        "ApprovedPatchesComplianceLevel": wanted.approved_patches_compliance_level,
        "ApprovedPatchesEnableNonSecurity": wanted.approved_patches_enable_non_security,
        "RejectedPatches": list(wanted.rejected_patches),
        "RejectedPatchesAction": wanted.rejected_patches_action,
    }


def from_api(data: Mapping[str, Any], tags: Mapping[str, str], is_default: bool) -> Baseline:
    """Read what GetPatchBaseline returns."""
    return Baseline(
        name=data["Name"],
        operating_system=data.get("OperatingSystem", "WINDOWS"),
        description=data.get("Description", ""),
        rules=tuple(_rule_from_api(rule) for rule in data.get("ApprovalRules", {}).get("PatchRules", [])),
        approved_patches=tuple(data.get("ApprovedPatches", [])),
        approved_patches_compliance_level=data.get("ApprovedPatchesComplianceLevel", "UNSPECIFIED"),
        approved_patches_enable_non_security=data.get("ApprovedPatchesEnableNonSecurity", False),
        rejected_patches=tuple(data.get("RejectedPatches", [])),
        rejected_patches_action=data.get("RejectedPatchesAction", "ALLOW_AS_DEPENDENCY"),
        tags=tags,
        is_default=is_default,
        baseline_id=data["BaselineId"],
    )


def _rule_to_api(rule: ApprovalRule) -> dict[str, Any]:
    data: dict[str, Any] = {
        "PatchFilterGroup": {
            "PatchFilters": [{"Key": key, "Values": list(values)} for key, values in rule.filters.items()]
        },
        "ComplianceLevel": rule.compliance_level,
        "EnableNonSecurity": rule.enable_non_security,
    }
    if rule.approve_after_days is not None:
        data["ApproveAfterDays"] = rule.approve_after_days
    if rule.approve_until_date is not None:
        data["ApproveUntilDate"] = rule.approve_until_date
    return data


def _rule_from_api(data: Mapping[str, Any]) -> ApprovalRule:
    filters = data.get("PatchFilterGroup", {}).get("PatchFilters", [])
    return ApprovalRule(
        filters={item["Key"]: tuple(item["Values"]) for item in filters},
        compliance_level=data.get("ComplianceLevel", "UNSPECIFIED"),
        approve_after_days=data.get("ApproveAfterDays"),
        approve_until_date=data.get("ApproveUntilDate"),
        enable_non_security=data.get("EnableNonSecurity", False),
    )
