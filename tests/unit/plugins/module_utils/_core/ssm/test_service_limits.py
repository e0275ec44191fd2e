# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every limit that botocore's service model has for an option is checked before anything is sent.

The table says which member of the API an option becomes; what is too long, too many or of another form comes from
the model. So check mode refuses what the run would fail with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from functools import cache
from typing import Any

import botocore.session
import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.activations import plan_activation
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.associations import (
    plan_association,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.associations import (
    to_given as to_association,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.automation_run import check_automation
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.baselines import plan_baseline
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.baselines import to_given as to_baseline
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.command_run import check_command
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.data_syncs import plan_data_sync
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.documents import check_version, plan_document
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.inventory import (
    check_entries,
    check_items,
    to_items,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.window_targets import plan_window_target
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.window_targets import to_given as to_target
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.window_tasks import plan_window_task
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.window_tasks import to_given as to_task
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.windows import plan_window
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.tags import check_tags

from tests.fakes.answers import model
from tests.fakes.api_members import MODULES, is_left_out

Options = dict[str, Any]
_STRANGE = ("!", "ä", " ", "a b\n", "§§§", "0", "x" * 20, "\x00")


def task(options: Options) -> None:
    base = {"name": "install", "task_arn": "AWS-RunPatchBaseline"}
    given = {**to_task({**base, **options}), "targets": {"InstanceIds": ("i-0123456789abcdef0",)}}
    plan_window_task(None, given, "mw-0123456789abcdef0", present=True)


def target(options: Options) -> None:
    base = {"name": "web", "instance_tags": {"Team": ["web"]}, "owner_information": None, "description": None}
    plan_window_target(None, to_target({**base, **options}), "mw-0123456789abcdef0", present=True)


def association(options: Options) -> None:
    base = {"name": "scan", "document": "AWS-RunPatchBaseline", "instance_tags": {"Team": ["web"]}}
    extra = {"apply_only_at_cron_interval": True, "schedule": "cron(0 3 ? * TUE#2 *)", "output_s3_bucket": "logs"}
    plan_association(None, to_association({**base, **extra, **options}), present=True)


def baseline(options: Options) -> None:
    base = {"name": "web", "operating_system": "AMAZON_LINUX_2023"}
    plan_baseline(None, to_baseline({**base, **options}), present=True)


def document(options: Options) -> None:
    check_version(options)
    base = {"name": "kernel", "content": {"schemaVersion": "2.2", "mainSteps": []}}
    plan_document(None, {**base, **options}, present=True, purge_tags=True, make_default=True)


def activation(options: Options) -> None:
    base = {"description": "wave one", "iam_role": "ssm-hybrid", "valid_hours": 24}
    plan_activation([], {**base, **options}, datetime(2026, 6, 1, tzinfo=timezone.utc), present=True, renew=False)


def command(options: Options) -> None:
    names = (
        *("document_version", "document_hash", "comment", "delivery_timeout", "output_s3_bucket", "output_s3_prefix"),
        *("cloudwatch_log_group", "alarm", "max_concurrency", "max_errors"),
    )
    base = {"document": "AWS-RunShellScript", "instance_ids": ["i-0123456789abcdef0"]}
    check_command({**base, **dict.fromkeys(names), **options})


def automation(options: Options) -> None:
    names = (
        *("document_version", "parameters", "alarm", "max_concurrency", "max_errors"),
        *("client_token", "target_maps", "target_parameter"),
    )
    check_automation({"document": "AWS-RestartEC2Instance", **dict.fromkeys(names), **options})


def window(options: Options) -> None:
    base = {"name": "night", "schedule": "cron(0 3 ? * TUE#2 *)", "duration_hours": 24, "cutoff_hours": 0}
    plan_window(None, {**base, **options}, present=True)


def sync(options: Options) -> None:
    plan_data_sync(None, {"name": "all", "bucket": "logs", "bucket_region": "eu-central-1", **options}, present=True)


def regional(options: Options) -> None:
    base = {"sync_type": "SyncFromSource", "source_type": "AwsOrganizations", "source_regions": ("eu-central-1",)}
    plan_data_sync(None, {"name": "all", **base, "organization_source": "OrganizationalUnits", **options}, present=True)


def tags(options: Options) -> None:
    check_tags(options["tags"])


def run_command(member: str) -> Callable[[Any], Options]:
    return lambda value: {"run_command": {member: value}}


def notify(member: str) -> Callable[[Any], Options]:
    topic = "arn:aws:sns:eu-central-1:111111111111:patching"
    return lambda value: {"run_command": {"notification_arn": topic, member: value}}


def rule(member: str) -> Callable[[Any], Options]:
    return lambda value: {"rules": [{"approve_after_days": 7, member: value}]}


_TASK, _PARAMETERS = "RegisterTaskWithMaintenanceWindow", "RegisterTaskWithMaintenanceWindow.TaskInvocationParameters"
_BASELINE, _RULE = "CreatePatchBaseline", "CreatePatchBaseline.ApprovalRules.PatchRules[]"
#: The check, the options for a value (a name stands for the option of that name), the member it becomes.
ROWS: tuple[tuple[Callable[[Options], None], str | Callable[[Any], Options], str], ...] = (
    (task, "name", f"{_TASK}.Name"),
    (task, "description", f"{_TASK}.Description"),
    (task, "task_arn", f"{_TASK}.TaskArn"),
    (task, "max_concurrency", f"{_TASK}.MaxConcurrency"),
    (task, "max_errors", f"{_TASK}.MaxErrors"),
    (task, "alarm", f"{_TASK}.AlarmConfiguration.Alarms[].Name"),
    (task, run_command("comment"), f"{_PARAMETERS}.RunCommand.Comment"),
    (task, run_command("document_hash"), f"{_PARAMETERS}.RunCommand.DocumentHash"),
    (task, run_command("document_version"), f"{_PARAMETERS}.RunCommand.DocumentVersion"),
    (task, run_command("delivery_timeout"), f"{_PARAMETERS}.RunCommand.TimeoutSeconds"),
    (task, run_command("output_s3_bucket"), f"{_PARAMETERS}.RunCommand.OutputS3BucketName"),
    (task, run_command("output_s3_prefix"), f"{_PARAMETERS}.RunCommand.OutputS3KeyPrefix"),
    (
        task,
        run_command("cloudwatch_log_group"),
        f"{_PARAMETERS}.RunCommand.CloudWatchOutputConfig.CloudWatchLogGroupName",
    ),
    (task, lambda value: {"automation": {"document_version": value}}, f"{_PARAMETERS}.Automation.DocumentVersion"),
    (task, lambda value: {"automation": {"parameters": {"x": value}}}, f"{_PARAMETERS}.Automation.Parameters<>"),
    (task, lambda value: {"automation": {"parameters": {"x": [value]}}}, f"{_PARAMETERS}.Automation.Parameters<>[]"),
    (task, lambda value: {"step_functions": {"input": value}}, f"{_PARAMETERS}.StepFunctions.Input"),
    (task, lambda value: {"step_functions": {"name": value}}, f"{_PARAMETERS}.StepFunctions.Name"),
    (task, lambda value: _function({"client_context": value}), f"{_PARAMETERS}.Lambda.ClientContext"),
    (task, lambda value: _function({"qualifier": value}), f"{_PARAMETERS}.Lambda.Qualifier"),
    (task, lambda value: _function({"payload": value}), f"{_PARAMETERS}.Lambda.Payload"),
    (target, "name", "RegisterTargetWithMaintenanceWindow.Name"),
    (target, "description", "RegisterTargetWithMaintenanceWindow.Description"),
    (target, "owner_information", "RegisterTargetWithMaintenanceWindow.OwnerInformation"),
    (
        target,
        lambda value: {"instance_tags": {value: ["web"]}},
        "RegisterTargetWithMaintenanceWindow.Targets[].Key",
    ),
    (
        target,
        lambda value: {"instance_tags": {"Team": value}},
        "RegisterTargetWithMaintenanceWindow.Targets[].Values",
    ),
    (association, "name", "CreateAssociation.AssociationName"),
    (association, "document", "CreateAssociation.Name"),
    (association, "document_version", "CreateAssociation.DocumentVersion"),
    (association, "schedule", "CreateAssociation.ScheduleExpression"),
    (association, "offset_days", "CreateAssociation.ScheduleOffset"),
    (association, "duration_hours", "CreateAssociation.Duration"),
    (association, "max_concurrency", "CreateAssociation.MaxConcurrency"),
    (association, "max_errors", "CreateAssociation.MaxErrors"),
    (association, "output_s3_bucket", "CreateAssociation.OutputLocation.S3Location.OutputS3BucketName"),
    (association, "output_s3_prefix", "CreateAssociation.OutputLocation.S3Location.OutputS3KeyPrefix"),
    (association, "output_s3_region", "CreateAssociation.OutputLocation.S3Location.OutputS3Region"),
    (association, "target_parameter", "CreateAssociation.AutomationTargetParameterName"),
    (association, "alarm", "CreateAssociation.AlarmConfiguration.Alarms[].Name"),
    (association, "dispatch_role_arn", "CreateAssociation.AssociationDispatchAssumeRole"),
    (association, "target_locations", "CreateAssociation.TargetLocations"),
    (association, lambda value: {"instance_tags": {value: ["web"]}}, "CreateAssociation.Targets[].Key"),
    (baseline, "name", f"{_BASELINE}.Name"),
    (baseline, "description", f"{_BASELINE}.Description"),
    (baseline, "approved_patches", f"{_BASELINE}.ApprovedPatches"),
    (baseline, lambda value: {"approved_patches": [value]}, f"{_BASELINE}.ApprovedPatches[]"),
    (baseline, "rejected_patches", f"{_BASELINE}.RejectedPatches"),
    (baseline, lambda value: {"rejected_patches": [value]}, f"{_BASELINE}.RejectedPatches[]"),
    (baseline, rule("approve_after_days"), f"{_RULE}.ApproveAfterDays"),
    (
        baseline,
        lambda value: {"rules": [{"approve_after_days": None, "approve_until_date": value}]},
        f"{_RULE}.ApproveUntilDate",
    ),
    (baseline, rule("product"), f"{_RULE}.PatchFilterGroup.PatchFilters[].Values"),
    (baseline, lambda value: rule("product")([value]), f"{_RULE}.PatchFilterGroup.PatchFilters[].Values[]"),
    (
        baseline,
        lambda value: {"global_filters": {"PRODUCT": [value]}},
        f"{_BASELINE}.GlobalFilters.PatchFilters[].Values[]",
    ),
    (baseline, lambda value: {"sources": [_source(name=value)]}, f"{_BASELINE}.Sources[].Name"),
    (baseline, lambda value: {"sources": [_source(products=value)]}, f"{_BASELINE}.Sources[].Products"),
    (baseline, lambda value: {"sources": [_source(products=[value])]}, f"{_BASELINE}.Sources[].Products[]"),
    (baseline, lambda value: {"sources": [_source(configuration=value)]}, f"{_BASELINE}.Sources[].Configuration"),
    (document, "name", "CreateDocument.Name"),
    (document, "display_name", "CreateDocument.DisplayName"),
    (document, "target_type", "CreateDocument.TargetType"),
    (document, "version_name", "CreateDocument.VersionName"),
    (document, lambda value: {"requires": ({"name": value},)}, "CreateDocument.Requires[].Name"),
    (document, lambda value: {"requires": ({"name": "abc", "version": value},)}, "CreateDocument.Requires[].Version"),
    (document, "attachments", "CreateDocument.Attachments"),
    (activation, "iam_role", "CreateActivation.IamRole"),
    (activation, "description", "CreateActivation.Description"),
    (activation, "default_instance_name", "CreateActivation.DefaultInstanceName"),
    (activation, "registration_limit", "CreateActivation.RegistrationLimit"),
    (window, "name", "CreateMaintenanceWindow.Name"),
    (window, "description", "CreateMaintenanceWindow.Description"),
    (window, "schedule", "CreateMaintenanceWindow.Schedule"),
    (window, "offset_days", "CreateMaintenanceWindow.ScheduleOffset"),
    (window, "duration_hours", "CreateMaintenanceWindow.Duration"),
    (window, "cutoff_hours", "CreateMaintenanceWindow.Cutoff"),
    (sync, "name", "CreateResourceDataSync.SyncName"),
    (sync, "bucket", "CreateResourceDataSync.S3Destination.BucketName"),
    (sync, "prefix", "CreateResourceDataSync.S3Destination.Prefix"),
    (sync, "bucket_region", "CreateResourceDataSync.S3Destination.Region"),
    (sync, "kms_key_arn", "CreateResourceDataSync.S3Destination.AWSKMSKeyARN"),
    (regional, lambda value: {"source_regions": (value,)}, "CreateResourceDataSync.SyncSource.SourceRegions[]"),
    (
        regional,
        lambda value: {"organizational_units": (value,)},
        "CreateResourceDataSync.SyncSource.AwsOrganizationsSource.OrganizationalUnits[].OrganizationalUnitId",
    ),
    (tags, lambda value: {"tags": {value: "x"}}, "AddTagsToResource.Tags[].Key"),
    (tags, lambda value: {"tags": {"Team": value}}, "AddTagsToResource.Tags[].Value"),
    (automation, "target_locations_url", "StartAutomationExecution.TargetLocationsURL"),
    (automation, "target_locations", "StartAutomationExecution.TargetLocations"),
    (
        automation,
        lambda value: {"target_parameter": value, "target_maps": [{"InstanceId": ["i-0"]}]},
        "StartAutomationExecution.TargetParameterName",
    ),
    (command, "output_s3_region", "SendCommand.OutputS3Region"),
    (document, lambda value: _requires(require_type=value), "CreateDocument.Requires[].RequireType"),
    (document, lambda value: _requires(version_name=value), "CreateDocument.Requires[].VersionName"),
    (document, lambda value: _attachment(values=value), "CreateDocument.Attachments[].Values"),
    (document, lambda value: _attachment(values=[value]), "CreateDocument.Attachments[].Values[]"),
    (document, lambda value: _attachment(name=value), "CreateDocument.Attachments[].Name"),
    (
        lambda options: check_items(options["type"], ()),
        lambda value: {"type": value},
        "PutComplianceItems.ComplianceType",
    ),
    (
        lambda options: check_items("Custom:A", to_items([{"id": "a", "status": "COMPLIANT", **options}])),
        "title",
        "PutComplianceItems.Items[].Title",
    ),
    (
        lambda options: check_entries("Custom:A", ({"Rack": options["value"]},)),
        "value",
        "PutInventory.Items[].Content[]<>",
    ),
    (lambda options: check_entries(options["type"], ()), "type", "PutInventory.Items[].TypeName"),
    (command, "document", "SendCommand.DocumentName"),
    (command, "document_version", "SendCommand.DocumentVersion"),
    (command, "document_hash", "SendCommand.DocumentHash"),
    (command, "comment", "SendCommand.Comment"),
    (command, "delivery_timeout", "SendCommand.TimeoutSeconds"),
    (command, "output_s3_bucket", "SendCommand.OutputS3BucketName"),
    (command, "output_s3_prefix", "SendCommand.OutputS3KeyPrefix"),
    (command, "cloudwatch_log_group", "SendCommand.CloudWatchOutputConfig.CloudWatchLogGroupName"),
    (command, "alarm", "SendCommand.AlarmConfiguration.Alarms[].Name"),
    (command, "max_concurrency", "SendCommand.MaxConcurrency"),
    (command, "max_errors", "SendCommand.MaxErrors"),
    (automation, "document", "StartAutomationExecution.DocumentName"),
    (automation, "document_version", "StartAutomationExecution.DocumentVersion"),
    (automation, "max_concurrency", "StartAutomationExecution.MaxConcurrency"),
    (automation, "max_errors", "StartAutomationExecution.MaxErrors"),
    (automation, lambda value: {"parameters": {"x": value}}, "StartAutomationExecution.Parameters<>"),
    (automation, lambda value: {"parameters": {"x": [value]}}, "StartAutomationExecution.Parameters<>[]"),
    (automation, "alarm", "StartAutomationExecution.AlarmConfiguration.Alarms[].Name"),
)


def _requires(**members: Any) -> Options:
    return {"requires": ({"name": "abc", **members},)}


def _attachment(**members: Any) -> Options:
    return {"attachments": [{"key": "SourceUrl", "values": ["s3://bucket/files"], **members}]}


def _source(**members: Any) -> Options:
    return {"name": "mirror", "products": ["*"], "configuration": "[mirror]", **members}


def _function(members: Options) -> Options:
    return {"task_arn": "arn:aws:lambda:eu-central-1:111111111111:function:SSMNotify", "lambda_function": members}


@cache
def _shapes() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    model = botocore.session.Session().get_component("data_loader").load_service_model("ssm", "service-2")
    return model["operations"], model["shapes"]


def shape_of(path: str) -> Mapping[str, Any]:
    """``Operation.Member.List[].Map<>``: ``[]`` is an entry of a list, ``<>`` a value of a map."""
    operations, shapes = _shapes()
    first, *members = path.split(".")
    shape = shapes[operations[first]["input"]["shape"]]
    for member in members:
        name, marks = re.fullmatch(r"(\w+)([\[\]<>]*)", member).groups()  # type: ignore[union-attr]  # always matches
        shape = shapes[shape["members"][name]["shape"]]
        for mark in re.findall(r"\[\]|<>", marks):
            shape = shapes[shape["member" if mark == "[]" else "value"]["shape"]]
    return shape


def wrong_values(shape: Mapping[str, Any]) -> Iterator[Any]:
    """Values that the shape refuses."""
    kind, most = shape["type"], shape.get("max")
    if kind in ("string", "blob"):
        if most:
            yield "a" * (most + 1)
        if pattern := shape.get("pattern"):
            known = re.compile(pattern.replace(r"\p{L}\p{Z}\p{N}", r"\w\s"))
            yield from [value for value in _STRANGE if not known.search(value)][:3]
    elif kind in ("integer", "long"):
        # 0 clears a number, so that only what is below a minimum of more than 1 is wrong.
        yield from ([most + 1] if most is not None else []) + ([shape["min"] - 1] if shape.get("min", 0) > 1 else [])
    elif kind == "list" and most:
        yield [f"i-{number:017x}" for number in range(most + 1)]


CASES = [
    pytest.param(check, option, value, id=f"{path}-{str(value)[:12]!a}-{len(str(value))}")
    for check, option, path in ROWS
    for value in wrong_values(shape_of(path))
]


@pytest.mark.parametrize(("check", "option", "value"), CASES)
def test_what_the_service_refuses_is_refused_before(
    check: Callable[[Options], None], option: str | Callable[[Any], Options], value: Any
) -> None:
    with pytest.raises(BadInput):
        check({option: value} if isinstance(option, str) else option(value))


def test_each_row_has_a_limit() -> None:
    without = [path for _check, _option, path in ROWS if not list(wrong_values(shape_of(path)))]
    assert not without


#: Parts of members whose limits have no row, and why.
UNTRIED: Mapping[str, str] = {
    "Update": "the same members as when it is created",
    "Deregister": "the same members as when it is registered",
    "Delete": "the name of an object that exists",
    "Cancel": "the ID of an object that exists",
    "Stop": "the ID of an object that exists",
    "RemoveTagsFromResource": "the keys of tags that exist",
    "ModifyDocumentPermission": "accounts, which the declaration checks, in batches of 20",
    ".Tags": "the tags of all resources have one check",
    "TargetLocations[]": "passed on as they are given",
    "TargetMaps": "passed on as they are given",
    ".Targets": "the targets of all resources have one check",
    "InstanceId": "node IDs have one check, and commands are split or refused above 50",
    "ResourceId": "node IDs have one check",
    "AlarmConfiguration.Alarms": "one alarm at most",
    "WindowId": "an ID that was looked up",
    "BaselineId": "an ID that was looked up",
    "PatchGroup": "tried in test_baselines.py",
    "PatchFilters": "tried in test_baselines.py",
    "ApprovalRules.PatchRules": "tried in test_baselines.py",
    "CreatePatchBaseline.Sources": "tried in test_baselines.py",
    "RegistrationMetadata": "tried in test_activations.py",
    "PutComplianceItems": "tried in the contract of inventory",
    "PutInventory": "tried in the contract of inventory",
    "CreateResourceDataSync": "choices, and sizes that are tried in the contract of inventory",
    "UpdateServiceSetting": "settings that exist",
}


def every_member(shape: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield members at any depth, lists and maps themselves included."""
    yield path, shape
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from every_member(member, f"{path}.{name}")
    elif shape.type_name in ("list", "map"):
        inner, mark = (shape.member, "[]") if shape.type_name == "list" else (shape.value, "<>")
        yield from every_member(inner, f"{path}{mark}")


def test_each_limit_of_the_service_has_a_row_or_a_reason() -> None:
    tried = {path for _check, _option, path in ROWS}
    missing = []
    for operations, _named in MODULES.values():
        for operation in operations:
            for path, shape in every_member(model().operation_model(operation).input_shape, operation):
                limited = {**shape.metadata, "type": shape.type_name}
                known = path in tried or is_left_out(operation, path.partition(".")[2]) or "enum" in limited
                if not known and list(wrong_values(limited)) and not any(part in path for part in UNTRIED):
                    missing.append(path)
    assert missing == []
