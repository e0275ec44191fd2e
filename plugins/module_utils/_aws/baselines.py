# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch baselines through the SSM API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .._core.errors import AccessDenied, BadInput, NotFound, ServiceError
from .._core.ssm.baselines import ApprovalRule, Baseline, Filters, PatchSource, only_one
from .convert import to_tag_list
from .errors import aws_errors
from .paging import read_all, to_filters, without_empty
from .tags import describe_tags, ensure_tags

Row = Mapping[str, Any]


class SsmBaselines:
    """The ``BaselinePort`` of one account-Region; ``client`` is its SSM client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def find(self, name: str) -> Baseline | None:
        """Three reads: the list filtered by name, the baseline, its tags."""
        rows = self._rows(NAME_PREFIX=name, OWNER="Self")
        found = [row for row in rows if row["BaselineName"] == name]
        return only_one(name, [self._get(row["BaselineId"], bool(row.get("DefaultBaseline"))) for row in found])

    def get(self, baseline_id: str) -> Baseline | None:
        """Three reads: the baseline, its tags, the default baseline of its operating system."""
        try:
            found = self._get(baseline_id)
        except NotFound:
            return None
        with aws_errors(f"read the default patch baseline of {found.operating_system}"):
            reply = self._client.get_default_patch_baseline(OperatingSystem=found.operating_system)
        return replace(found, is_default=reply.get("BaselineId") == baseline_id)

    def _rows(self, **filters: str) -> list[dict[str, Any]]:
        return read_all(
            self._client,
            "list patch baselines",
            "describe_patch_baselines",
            "BaselineIdentities",
            100,
            Filters=to_filters(**filters),
        )

    def _get(self, baseline_id: str, is_default: bool = False) -> Baseline:
        with aws_errors(f"read patch baseline {baseline_id}"):
            data = self._client.get_patch_baseline(BaselineId=baseline_id)
        return from_api(data, describe_tags(self._client, "PatchBaseline", baseline_id), is_default)

    def create(self, wanted: Baseline) -> str:
        request = self._to_request(wanted)
        with aws_errors(f"create patch baseline {wanted.name}"):
            reply = self._client.create_patch_baseline(
                OperatingSystem=wanted.operating_system, Tags=to_tag_list(wanted.tags), **request
            )
        return str(reply["BaselineId"])

    def update(self, wanted: Baseline) -> None:
        request = self._to_request(wanted)
        with aws_errors(f"update patch baseline {wanted.name}"):
            self._client.update_patch_baseline(BaselineId=wanted.baseline_id, Replace=True, **request)

    def _to_request(self, wanted: Baseline) -> dict[str, Any]:
        member = "AvailableSecurityUpdatesComplianceStatus"
        known = self._client.meta.service_model.operation_model("CreatePatchBaseline").input_shape.members
        status = wanted.available_security_updates_status
        if status and member not in known:
            raise BadInput(
                "available_security_updates_status", status, "no value: it requires botocore 1.38.24 or later"
            )
        return {**to_api(wanted), **({member: status} if status else {})}

    def set_tags(self, baseline_id: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        ensure_tags(self._client, "PatchBaseline", baseline_id, before, after)

    def set_default(self, baseline_id: str) -> None:
        with aws_errors(f"make patch baseline {baseline_id} the default"):
            self._client.register_default_patch_baseline(BaselineId=baseline_id)

    def restore_default(self, operating_system: str) -> None:
        action = f"restore the AWS default patch baseline of {operating_system}"
        rows = [row for row in self._rows(OWNER="AWS") if row["OperatingSystem"] == operating_system]
        found = [row for row in rows if _is_aws_default(row)]
        if not found:
            raise ServiceError(action, "NotFound", "AWS lists no default baseline for it")
        with aws_errors(action):
            self._client.register_default_patch_baseline(BaselineId=found[0]["BaselineId"])

    def delete(self, baseline_id: str) -> None:
        with aws_errors(f"delete patch baseline {baseline_id}"):
            self._client.delete_patch_baseline(BaselineId=baseline_id)

    def filter_values(self, operating_system: str, key: str, patch_set: str) -> tuple[str, ...]:
        """One read a key. Without the right to it nothing is known, and the service checks the values itself."""
        wanted = {"OperatingSystem": operating_system, "Property": key}
        wanted |= {"PatchSet": patch_set} if operating_system == "WINDOWS" else {}
        try:
            rows = read_all(
                self._client,
                f"list the values of {key} for {operating_system}",
                "describe_patch_properties",
                "Properties",
                50,
                **wanted,
            )
        except AccessDenied:
            return ()
        return tuple(row["Name"] for row in rows if "Name" in row)


def _is_aws_default(row: Row) -> bool:
    """Default baselines of AWS: AWS-DefaultPatchBaseline for Windows, AWS-<OS>DefaultPatchBaseline for each Linux."""
    return str(row["BaselineName"]).endswith("DefaultPatchBaseline")


def to_api(wanted: Baseline) -> dict[str, Any]:
    """Return the members that CreatePatchBaseline and UpdatePatchBaseline share."""
    members = {
        "Name": wanted.name,
        "Description": wanted.description,
        "GlobalFilters": _filters_to_api(wanted.global_filters),
        "ApprovalRules": {"PatchRules": [_rule_to_api(rule) for rule in wanted.rules]},
        "ApprovedPatches": list(wanted.approved_patches),
        "ApprovedPatchesComplianceLevel": wanted.approved_patches_compliance_level,
        "ApprovedPatchesEnableNonSecurity": wanted.approved_patches_enable_non_security,
        "RejectedPatches": list(wanted.rejected_patches),
        "RejectedPatchesAction": wanted.rejected_patches_action,
        "Sources": [
            {"Name": source.name, "Products": list(source.products), "Configuration": source.configuration}
            for source in wanted.sources
        ],
    }
    return without_empty(members)


def from_api(data: Row, tags: Mapping[str, str], is_default: bool) -> Baseline:
    """Convert the answer of GetPatchBaseline."""
    return Baseline(
        name=data["Name"],
        operating_system=data.get("OperatingSystem", "WINDOWS"),
        description=data.get("Description", ""),
        global_filters=_filters_from_api(data.get("GlobalFilters")),
        rules=tuple(_rule_from_api(rule) for rule in data.get("ApprovalRules", {}).get("PatchRules", [])),
        approved_patches=tuple(sorted(data.get("ApprovedPatches", []))),
        approved_patches_compliance_level=data.get("ApprovedPatchesComplianceLevel", "UNSPECIFIED"),
        approved_patches_enable_non_security=data.get("ApprovedPatchesEnableNonSecurity", False),
        rejected_patches=tuple(sorted(data.get("RejectedPatches", []))),
        rejected_patches_action=data.get("RejectedPatchesAction", "ALLOW_AS_DEPENDENCY"),
        sources=tuple(
            PatchSource(name=item["Name"], products=tuple(item["Products"]), configuration=item["Configuration"])
            for item in data.get("Sources", [])
        ),
        available_security_updates_status=data.get("AvailableSecurityUpdatesComplianceStatus"),
        tags=tags,
        is_default=is_default,
        patch_groups=tuple(sorted(data.get("PatchGroups", []))),
        baseline_id=data["BaselineId"],
    )


def _filters_to_api(filters: Filters) -> dict[str, Any]:
    return {"PatchFilters": [{"Key": key, "Values": list(values)} for key, values in filters.items()]}


def _filters_from_api(data: Row | None) -> Filters:
    return {item["Key"]: tuple(item["Values"]) for item in (data or {}).get("PatchFilters", [])}


def _rule_to_api(rule: ApprovalRule) -> dict[str, Any]:
    members = {
        "PatchFilterGroup": _filters_to_api(rule.filters),
        "ComplianceLevel": rule.compliance_level,
        "EnableNonSecurity": rule.enable_non_security,
        "ApproveAfterDays": rule.approve_after_days,
        "ApproveUntilDate": rule.approve_until_date,
    }
    return without_empty(members)


def _rule_from_api(data: Row) -> ApprovalRule:
    return ApprovalRule(
        filters=_filters_from_api(data.get("PatchFilterGroup")),
        compliance_level=data.get("ComplianceLevel", "UNSPECIFIED"),
        approve_after_days=data.get("ApproveAfterDays"),
        approve_until_date=data.get("ApproveUntilDate"),
        enable_non_security=data.get("EnableNonSecurity", False),
    )
