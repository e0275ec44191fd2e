# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Associations of State Manager through the SSM API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.errors import ServiceError
from .._core.ssm.associations import Association, to_maps
from .._core.ssm.parameters import to_parameters
from .._core.ssm.windows import only_one
from .convert import from_target_list, to_tag_list, to_target_list
from .errors import aws_errors
from .once import create_once
from .paging import read_all, without_empty
from .tags import describe_tags, ensure_tags

GONE = "AssociationDoesNotExist"


class SsmAssociations:
    """The ``AssociationPort`` of one account-Region."""

    def __init__(self, client: Any, once: Any) -> None:
        """``client`` is the SSM client; ``once`` one without retries, for CreateAssociation."""
        self._client = client
        self._once = once

    def find(self, name: str) -> Association | None:
        """Three reads: the list filtered by name, the association, its tags."""
        association_id = self._id_of(name)
        return self.get(association_id) if association_id else None

    def _id_of(self, name: str) -> str | None:
        filters = [{"key": "AssociationName", "value": name}]
        action = f"look up association {name}"
        rows = read_all(self._client, action, "list_associations", "Associations", 50, AssociationFilterList=filters)
        return only_one("association", name, [row["AssociationId"] for row in rows])

    def for_all_nodes(self, document: str) -> list[str]:
        """One read. The case of the target's key does not count: the console writes it in another one."""
        filters = [{"key": "Name", "value": document}]
        action = f"list associations of {document}"
        rows = read_all(self._client, action, "list_associations", "Associations", 50, AssociationFilterList=filters)
        everywhere = [{"key": "instanceids", "values": ["*"]}]
        return [
            str(row.get("AssociationName") or row["AssociationId"])
            for row in rows
            if [{"key": item["Key"].lower(), "values": item["Values"]} for item in row.get("Targets", [])] == everywhere
        ]

    def get(self, association_id: str) -> Association | None:
        try:
            with aws_errors(f"read association {association_id}"):
                reply = self._client.describe_association(AssociationId=association_id)
        except ServiceError as error:
            if error.code == GONE:
                return None
            raise
        tags = describe_tags(self._client, "Association", association_id)
        return from_api(reply["AssociationDescription"], tags)

    def create(self, wanted: Association) -> str:
        members = {**to_api(wanted), "Tags": to_tag_list(wanted.tags) or None}

        def call() -> str:
            with aws_errors(f"create association {wanted.name}"):
                reply = self._once.create_association(**without_empty(members))
            return str(reply["AssociationDescription"]["AssociationId"])

        return create_once(call, lambda: self._id_of(wanted.name))

    def update(self, wanted: Association) -> None:
        """UpdateAssociation clears parameters that are not set (API reference), so all are sent."""
        with aws_errors(f"update association {wanted.name or wanted.association_id}"):
            self._client.update_association(AssociationId=wanted.association_id, **to_api(wanted))

    def set_tags(self, association_id: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        ensure_tags(self._client, "Association", association_id, before, after)

    def delete(self, association_id: str) -> None:
        try:
            with aws_errors(f"delete association {association_id}"):
                self._client.delete_association(AssociationId=association_id)
        except ServiceError as error:
            if error.code != GONE:
                raise


def to_api(wanted: Association) -> dict[str, Any]:
    """Return the members that CreateAssociation and UpdateAssociation share."""
    s3 = {
        "OutputS3BucketName": wanted.output_s3_bucket,
        "OutputS3KeyPrefix": wanted.output_s3_prefix,
        "OutputS3Region": wanted.output_s3_region,
    }
    alarm = {"Alarms": [{"Name": wanted.alarm}], "IgnorePollAlarmFailure": wanted.ignore_alarm_failure}
    members = {
        "Name": wanted.document,
        "AssociationName": wanted.name,
        "DocumentVersion": wanted.document_version,
        "Parameters": {key: list(values) for key, values in wanted.parameters.items()} or None,
        "Targets": to_target_list(wanted.targets) or None,
        "ScheduleExpression": wanted.schedule,
        "ScheduleOffset": wanted.offset_days or None,
        "ApplyOnlyAtCronInterval": wanted.apply_only_at_cron_interval,
        "Duration": wanted.duration_hours or None,
        "CalendarNames": list(wanted.calendars) or None,
        "MaxConcurrency": wanted.max_concurrency,
        "MaxErrors": wanted.max_errors,
        "ComplianceSeverity": wanted.compliance_severity,
        "SyncCompliance": wanted.sync_compliance,
        "OutputLocation": {"S3Location": without_empty(s3)} if wanted.output_s3_bucket else None,
        "AutomationTargetParameterName": wanted.target_parameter,
        "TargetMaps": [{key: list(item) for key, item in row.items()} for row in wanted.target_maps] or None,
        "TargetLocations": list(wanted.target_locations) or None,
        "AlarmConfiguration": alarm if wanted.alarm else None,
        "AssociationDispatchAssumeRole": wanted.dispatch_role_arn,
    }
    return without_empty(members)


def _own_parameters(row: Mapping[str, Any]) -> dict[str, Any]:
    """Without the association's own ID, which the service adds for AWS-RunPatchBaselineAssociation (user guide, that
    document's parameter AssociationId).
    """
    return {
        name: values
        for name, values in row.get("Parameters", {}).items()
        if (name, list(values)) != ("AssociationId", [row["AssociationId"]])
    }


def from_api(row: Mapping[str, Any], tags: Mapping[str, str]) -> Association:
    """Convert the answer of DescribeAssociation."""
    s3 = row.get("OutputLocation", {}).get("S3Location", {})
    alarm = row.get("AlarmConfiguration", {})
    return Association(
        name=row.get("AssociationName", ""),
        document=row["Name"],
        document_version=row.get("DocumentVersion", "$DEFAULT"),
        parameters=to_parameters(_own_parameters(row)),
        targets=from_target_list(row.get("Targets")),
        schedule=row.get("ScheduleExpression", ""),
        offset_days=row.get("ScheduleOffset", 0),
        apply_only_at_cron_interval=row.get("ApplyOnlyAtCronInterval", False),
        duration_hours=row.get("Duration", 0),
        calendars=tuple(sorted(row.get("CalendarNames", []))),
        max_concurrency=row.get("MaxConcurrency", ""),
        max_errors=row.get("MaxErrors", ""),
        compliance_severity=row.get("ComplianceSeverity", "UNSPECIFIED"),
        sync_compliance=row.get("SyncCompliance", "AUTO"),
        output_s3_bucket=s3.get("OutputS3BucketName", ""),
        output_s3_prefix=s3.get("OutputS3KeyPrefix", ""),
        output_s3_region=s3.get("OutputS3Region", ""),
        target_parameter=row.get("AutomationTargetParameterName", ""),
        target_maps=to_maps(row.get("TargetMaps", [])),
        target_locations=tuple(row.get("TargetLocations", [])),
        alarm=next((item["Name"] for item in alarm.get("Alarms", [])), ""),
        ignore_alarm_failure=alarm.get("IgnorePollAlarmFailure", False),
        dispatch_role_arn=row.get("AssociationDispatchAssumeRole", ""),
        tags=tags,
        association_id=row["AssociationId"],
    )
