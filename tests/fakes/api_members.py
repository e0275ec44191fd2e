# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which option of which module an input member of the SSM API becomes, and which members are no options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from tests.fakes.answers import model

_TARGETS = {"Targets[].Key": "instance_tags", "Targets[].Values[]": "instance_tags"}
_TAGS = {"Tags[].Key": "tags", "Tags[].Value": "tags"}
_ALARM = {
    "AlarmConfiguration.Alarms[].Name": "alarm",
    "AlarmConfiguration.IgnorePollAlarmFailure": "ignore_alarm_failure",
}
_OUTPUT = {"OutputS3BucketName": "output_s3_bucket", "OutputS3KeyPrefix": "output_s3_prefix"}
_LOG = "CloudWatchOutputConfig.CloudWatchLogGroupName"
_FILTERS = ("PatchFilters[].Key", "PatchFilters[].Values[]")
_RULE = "ApprovalRules.PatchRules[].PatchFilterGroup."
_ORGANIZATION = "SyncSource.AwsOrganizationsSource."
_RUN_COMMAND = "TaskInvocationParameters.RunCommand."
_LOCATION = "TargetLocations[]."
_WINDOW = {
    "StartDate": "start",
    "EndDate": "end",
    "ScheduleTimezone": "timezone",
    "ScheduleOffset": "offset_days",
    "Duration": "duration_hours",
    "Cutoff": "cutoff_hours",
    **_TAGS,
}
_ASSOCIATION = {
    **_TARGETS,
    **_TAGS,
    **_ALARM,
    "Name": "document",
    "ScheduleExpression": "schedule",
    "ScheduleOffset": "offset_days",
    "Duration": "duration_hours",
    "OutputLocation.S3Location.OutputS3BucketName": "output_s3_bucket",
    "OutputLocation.S3Location.OutputS3KeyPrefix": "output_s3_prefix",
    "AssociationName": "name",
    "AutomationTargetParameterName": "target_parameter",
    "CalendarNames[]": "calendars",
    "AssociationDispatchAssumeRole": "dispatch_role_arn",
    "TargetLocations[].": "target_locations",
}
_WINDOW_TARGET = {
    **_TARGETS,
    "WindowId": "window",
    "WindowTargetId": "target_id",
    "ResourceType": "resource_group",
}
_TASK = {
    **_ALARM,
    "WindowId": "window",
    "WindowTaskId": "task_id",
    "Targets[].Key": "window_targets",
    "Targets[].Values[]": "window_targets",
    f"{_RUN_COMMAND}{_LOG}": "run_command.cloudwatch_log_group",
    f"{_RUN_COMMAND}CloudWatchOutputConfig.CloudWatchOutputEnabled": "run_command.cloudwatch_output",
    f"{_RUN_COMMAND}OutputS3BucketName": "run_command.output_s3_bucket",
    f"{_RUN_COMMAND}OutputS3KeyPrefix": "run_command.output_s3_prefix",
    f"{_RUN_COMMAND}TimeoutSeconds": "run_command.delivery_timeout",
    f"{_RUN_COMMAND}ServiceRoleArn": "run_command.notification_role_arn",
    **{
        f"TaskInvocationParameters.Lambda.{member}": f"lambda_function.{option}"
        for member, option in (("ClientContext", "client_context"), ("Qualifier", "qualifier"), ("Payload", "payload"))
    },
}
_BASELINE = {
    **_TAGS,
    "BaselineId": "name",
    **dict.fromkeys((f"GlobalFilters.{name}" for name in _FILTERS), "global_filters"),
    **dict.fromkeys((f"{_RULE}{name}" for name in _FILTERS), "rules.filters"),
    "AvailableSecurityUpdatesComplianceStatus": "available_security_updates_status",
}
_SYNC = {
    "SyncName": "name",
    "S3Destination.BucketName": "bucket",
    "S3Destination.Region": "bucket_region",
    "S3Destination.AWSKMSKeyARN": "kms_key_arn",
    "S3Destination.DestinationDataSharing.DestinationDataSharingType": "share",
    f"{_ORGANIZATION}OrganizationSourceType": "organization_source",
    f"{_ORGANIZATION}OrganizationalUnits[].OrganizationalUnitId": "organizational_units",
}
_NODES = {"InstanceId": "instance_ids", "ResourceId": "instance_ids"}
_GROUP = {"PatchGroup": "name", "BaselineId": "baselines"}
_DOCUMENT = {**_TAGS, "AccountIdsToAdd[]": "shared_with", "AccountIdsToRemove[]": "shared_with"}
_AUTOMATION = {
    **_TARGETS,
    **_TAGS,
    **_ALARM,
    "DocumentName": "document",
    "TargetParameterName": "target_parameter",
    "TargetLocationsURL": "target_locations_url",
    "AutomationExecutionId": "execution_id",
    "Type": "stop_type",
    f"{_LOCATION}TargetLocationMaxConcurrency": "target_locations.max_concurrency",
    f"{_LOCATION}TargetLocationMaxErrors": "target_locations.max_errors",
    f"{_LOCATION}IncludeChildOrganizationUnits": "target_locations.include_child_units",
    f"{_LOCATION}Targets[].Key": "target_locations.targets",
    f"{_LOCATION}Targets[].Values[]": "target_locations.targets",
    f"{_LOCATION}TargetLocationAlarmConfiguration.Alarms[].Name": "target_locations.alarm",
    f"{_LOCATION}TargetLocationAlarmConfiguration.IgnorePollAlarmFailure": "target_locations.ignore_alarm_failure",
}
_COMMAND = {
    **_TARGETS,
    **_OUTPUT,
    **_ALARM,
    "DocumentName": "document",
    "TimeoutSeconds": "delivery_timeout",
    "ServiceRoleArn": "notification_role_arn",
    _LOG: "cloudwatch_log_group",
}
_ACTIVATION = {
    **_TAGS,
    "ExpirationDate": "valid_hours",
    "RegistrationMetadata[].Key": "registration_metadata",
    "RegistrationMetadata[].Value": "registration_metadata",
}

#: Module: its operations, and the options of members that are not called like the member.
MODULES: Mapping[str, tuple[tuple[str, ...], Mapping[str, str]]] = {
    "ssm_activation": (("CreateActivation",), _ACTIVATION),
    "ssm_association": (("CreateAssociation", "UpdateAssociation"), _ASSOCIATION),
    "ssm_automation": (("StartAutomationExecution", "StopAutomationExecution"), _AUTOMATION),
    "ssm_command": (("SendCommand", "CancelCommand"), _COMMAND),
    "ssm_compliance_items": (("PutComplianceItems",), _NODES),
    "ssm_document": (("CreateDocument", "UpdateDocument", "DeleteDocument", "ModifyDocumentPermission"), _DOCUMENT),
    "ssm_inventory": (("PutInventory", "DeleteInventory"), _NODES),
    "ssm_maintenance_window": (("CreateMaintenanceWindow", "UpdateMaintenanceWindow"), _WINDOW),
    "ssm_maintenance_window_execution": (
        ("CancelMaintenanceWindowExecution",),
        {"WindowExecutionId": "execution_id"},
    ),
    "ssm_maintenance_window_target": (
        ("RegisterTargetWithMaintenanceWindow", "UpdateMaintenanceWindowTarget"),
        _WINDOW_TARGET,
    ),
    "ssm_maintenance_window_task": (("RegisterTaskWithMaintenanceWindow", "UpdateMaintenanceWindowTask"), _TASK),
    "ssm_managed_node": (("UpdateManagedInstanceRole", "DeregisterManagedInstance"), _NODES),
    "ssm_patch_baseline": (("CreatePatchBaseline", "UpdatePatchBaseline", "RegisterDefaultPatchBaseline"), _BASELINE),
    "ssm_patch_group": (
        ("RegisterPatchBaselineForPatchGroup", "DeregisterPatchBaselineForPatchGroup"),
        _GROUP,
    ),
    "ssm_resource_data_sync": (
        ("CreateResourceDataSync", "UpdateResourceDataSync", "DeleteResourceDataSync"),
        _SYNC,
    ),
    "ssm_resource_tags": (
        ("AddTagsToResource", "RemoveTagsFromResource"),
        {**_TAGS, "ResourceId": "resource_ids", "TagKeys[]": "tags"},
    ),
    "ssm_service_setting": (("UpdateServiceSetting",), {"SettingValue": "value"}),
}
_IDEMPOTENT = "the module makes it, so that a repeated call creates nothing twice"
_REPLACE = "always true: an update clears what is not declared"
_LEGACY = "deprecated by the service; what a task has is kept"
#: Members that are no options, and why: by ``Operation.Member``, or by the member of all operations.
LEFT_OUT: Mapping[str, str] = {
    "ClientToken": _IDEMPOTENT,
    "Replace": _REPLACE,
    "CreateAssociation.InstanceId": "of documents of schema 1.2; the service refuses it for all others",
    "UpdateAssociation.AssociationVersion": "the module updates the latest version",
    "SendCommand.CloudWatchOutputConfig.CloudWatchOutputEnabled": "true if cloudwatch_log_group is set",
    "PutComplianceItems.ResourceType": "ManagedInstance is the only one",
    "PutComplianceItems.ExecutionSummary.ExecutionTime": "the time of the run",
    "PutComplianceItems.ItemContentHash": "the module compares the items themselves",
    "PutComplianceItems.UploadType": "PARTIAL is only valid for association compliance, which is the service's own",
    "UpdateDocument.DocumentVersion": "the module updates the latest version",
    "DeleteDocument.DocumentVersion": "the module deletes the document with all versions",
    "DeleteDocument.VersionName": "the module deletes the document with all versions",
    "ModifyDocumentPermission.PermissionType": "Share is the only one",
    "ModifyDocumentPermission.SharedDocumentVersion": "the default version is shared, which make_default sets",
    "PutInventory.Items[].CaptureTime": "the time of the run",
    "PutInventory.Items[].ContentHash": "the module compares the content itself",
    "PutInventory.Items[].Context": "for the service's own inventory types",
    "DeleteInventory.DryRun": "check mode shows what would be deleted",
    "DeleteInventory.SchemaDeleteOption": "DisableSchema leaves a type that looks like one in use",
    "RegisterTaskWithMaintenanceWindow.TaskParameters<>.Values[]": _LEGACY,
    "UpdateMaintenanceWindowTask.TaskParameters<>.Values[]": _LEGACY,
    **dict.fromkeys(
        (f"RegisterTaskWithMaintenanceWindow.LoggingInfo.S3{n}" for n in ("BucketName", "KeyPrefix", "Region")), _LEGACY
    ),
    **dict.fromkeys(
        (f"UpdateMaintenanceWindowTask.LoggingInfo.S3{n}" for n in ("BucketName", "KeyPrefix", "Region")), _LEGACY
    ),
    "CreateResourceDataSync.S3Destination.SyncFormat": "JsonSerDe is the only one",
}


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def leaves(shape: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield members and their shapes; ``[]`` is an entry of a list, ``<>`` a value of a map of structures."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from leaves(member, f"{path}.{name}" if path else name)
    elif shape.type_name == "list":
        yield from leaves(shape.member, f"{path}[]")
    elif shape.type_name == "map" and shape.value.type_name == "structure":
        yield from leaves(shape.value, f"{path}<>")
    else:
        yield path, shape


def options_of(spec: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, row in spec.items():
        yield f"{prefix}{name}", row
        yield from options_of(row.get("options", {}), f"{prefix}{name}.")


def spec_of(module: str) -> dict[str, Mapping[str, Any]]:
    found = import_module(f"ansible_collections.patchtide.hybrid.plugins.modules.{module}")
    return dict(options_of(found.SPEC))


def option_of(member: str, named: Mapping[str, str], options: Mapping[str, Any]) -> str | None:
    """Return the option of a member: the one that the table names, or the one of the same name."""
    if member in named:
        return named[member]
    if found := next(
        (option for start, option in named.items() if start.endswith(".") and member.startswith(start)), None
    ):
        return found
    *parents, last = [snake(re.sub(r"[\[\]<>]", "", part)) for part in member.split(".")]
    same = [name for name in options if name.rpartition(".")[2] == last]
    under = [name for name in same if name.rpartition(".")[0].rpartition(".")[2] in parents]
    found = under or [name for name in same if name == last] or same
    return found[0] if len(found) == 1 else None


def is_left_out(operation: str, member: str) -> bool:
    """Whether a member is no option of any module."""
    return f"{operation}.{member}" in LEFT_OUT or member in LEFT_OUT


def members() -> Iterator[tuple[str, str, str, Any]]:
    """Yield module, operation, member and the member's shape."""
    for module, (operations, _named) in MODULES.items():
        for operation in operations:
            for member, shape in leaves(model().operation_model(operation).input_shape):
                yield module, operation, member, shape
