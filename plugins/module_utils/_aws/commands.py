# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of Run Command with every member of SendCommand: the ``CommandPort`` of one account-Region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any

from .._core.clock import Clock
from .._core.errors import ServiceError
from .._core.ssm.command_run import CommandState, DetailedInvocation
from .._core.ssm.parameters import to_parameters
from .._core.ssm.targets import Targets
from .convert import to_plain, to_target_list, to_time
from .errors import aws_errors
from .paging import read_all, without_empty
from .run_command import SsmFleet, to_invocation

_MEMBERS = {
    "document_version": "DocumentVersion",
    "document_hash": "DocumentHash",
    "document_hash_type": "DocumentHashType",
    "delivery_timeout": "TimeoutSeconds",
    "output_s3_region": "OutputS3Region",
    "output_s3_bucket": "OutputS3BucketName",
    "output_s3_prefix": "OutputS3KeyPrefix",
    "max_concurrency": "MaxConcurrency",
    "max_errors": "MaxErrors",
    "notification_role_arn": "ServiceRoleArn",
}


class SsmCommands(SsmFleet):
    """Adds to the fleet's port: any parameter of SendCommand, commands and their states."""

    def find_recent(self, comment: str, document: str, seconds: float, clock: Clock) -> str | None:
        return self.find(comment, document, clock.now() - timedelta(seconds=seconds))

    def state(self, command_id: str) -> CommandState | None:
        try:
            rows = self.read(command_id=command_id)
        except ServiceError as error:
            if error.code != "InvalidCommandId":
                raise
            return None
        return to_state(rows[0]) if rows else None

    def read(
        self, command_id: str | None = None, instance_id: str | None = None, filters: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """Return the rows of ListCommands, newest first."""
        request = without_empty({"CommandId": command_id, "InstanceId": instance_id})
        if filters:
            request["Filters"] = [{"key": key, "value": value} for key, value in filters.items()]
        return read_all(self._client, "list commands", "list_commands", "Commands", 50, **request)

    def detailed(self, command_id: str) -> list[DetailedInvocation]:
        """Return the invocation of each node with its steps."""
        action, operation = f"read command {command_id} in {self.place.label}", "list_command_invocations"
        rows = read_all(self._client, action, operation, "CommandInvocations", 50, CommandId=command_id, Details=True)
        return [to_detailed(row) for row in rows]

    def cancel_nodes(self, command_id: str, node_ids: Sequence[str]) -> None:
        with aws_errors(f"cancel command {command_id} in {self.place.label}"):
            self._client.cancel_command(CommandId=command_id, InstanceIds=list(node_ids))


def to_members(options: Mapping[str, Any], targets: Targets, comment: str) -> dict[str, Any]:
    """Return the members of SendCommand for the options of ``ssm_command``."""
    members = {member: options[option] for option, member in _MEMBERS.items()}
    members |= {"DocumentName": options["document"], "Comment": comment}
    if options["parameters"]:
        members["Parameters"] = {key: list(value) for key, value in to_parameters(options["parameters"]).items()}
    if "InstanceIds" in targets:
        members["InstanceIds"] = list(targets["InstanceIds"])
    else:
        members["Targets"] = to_target_list(targets)
    if options["cloudwatch_log_group"]:
        group = {"CloudWatchLogGroupName": options["cloudwatch_log_group"], "CloudWatchOutputEnabled": True}
        members["CloudWatchOutputConfig"] = group
    if options["notification_arn"]:
        members["NotificationConfig"] = {
            "NotificationArn": options["notification_arn"],
            "NotificationEvents": options["notification_events"],
            "NotificationType": options["notification_type"],
        }
    if options["alarm"]:
        alarms = [{"Name": options["alarm"]}]
        members["AlarmConfiguration"] = {
            "Alarms": alarms,
            "IgnorePollAlarmFailure": options.get("ignore_alarm_failure", False),
        }
    return without_empty(members)


def to_detailed(row: Mapping[str, Any]) -> DetailedInvocation:
    """Convert one row of ListCommandInvocations with all its steps. Times are to the second, as in all results."""
    found = to_invocation(row)
    steps = [plugin for plugin in row.get("CommandPlugins") or [] if plugin.get("ResponseStartDateTime")]
    members = {field.name: getattr(found, field.name) for field in fields(found)}
    members["started_at"] = to_time(steps[0]["ResponseStartDateTime"]) if steps else None
    members["ended_at"] = to_time(steps[-1].get("ResponseFinishDateTime")) or None if steps else None
    plugins = tuple(to_plain(row.get("CommandPlugins") or []))
    return DetailedInvocation(**members, name=row.get("InstanceName", ""), plugins=plugins)


def to_state(row: Mapping[str, Any]) -> CommandState:
    """Convert one row of ListCommands. The names of the document's parameters are kept."""
    members = to_plain(row)
    members["parameters"] = dict(row.get("Parameters") or {})
    return CommandState(command_id=row["CommandId"], status=row["Status"], members=members)
