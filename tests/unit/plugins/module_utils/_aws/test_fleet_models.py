# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of rollouts have the operations that the table of permissions names, and no others."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.fleet_models import slim_for_rollouts
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.permissions import operations
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.run_command import to_invocation
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.session import Connection, Sessions, _to_moment
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place

AT = datetime(2026, 6, 1, 20, 0, tzinfo=timezone.utc)
PLACE = Place(region="eu-central-1")


def test_what_the_table_names_can_be_called_and_nothing_else() -> None:
    sessions = Sessions(Connection(access_key="key", secret_key="secret"), wrap_loader=slim_for_rollouts)
    ssm = sessions.client("ssm", PLACE)
    assert ssm.can_paginate("describe_instance_patches") and ssm.send_command and not hasattr(ssm, "create_document")
    assert sessions.client("ec2", PLACE).start_instances and not hasattr(sessions.client("ec2", PLACE), "run_instances")


class Row(dict[str, Any]):
    """Remembers which members are read."""

    def __init__(self, **members: Any) -> None:
        super().__init__(members)
        self.read: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)


def test_rows_of_commands_have_the_members_that_are_read_and_no_others() -> None:
    sessions = Sessions(Connection(access_key="key", secret_key="secret"), wrap_loader=slim_for_rollouts)
    model = sessions.client("ssm", PLACE).meta.service_model
    plugin = Row(ResponseStartDateTime=AT, ResponseFinishDateTime=AT)
    row = Row(InstanceId="i-1", Status="Success", CommandPlugins=[plugin])
    to_invocation(row)
    assert row.read == set(model.shape_for("CommandInvocation").members)
    assert plugin.read == set(model.shape_for("CommandPlugin").members)
    assert "PatchGroup" in model.shape_for("InstancePatchState").members


def test_services_whose_operations_iam_names_otherwise_are_whole() -> None:
    sessions = Sessions(Connection(access_key="key", secret_key="secret"), wrap_loader=slim_for_rollouts)
    assert sessions.client("s3", PLACE).head_object and sessions.client("elbv2", PLACE).register_targets


def test_operations_are_those_of_all_policies() -> None:
    assert operations("sts") == {"AssumeRole"} and "GetCalendarState" in operations("ssm") > {"SendCommand"}


def test_times_of_answers_are_utc() -> None:
    """JSON services tell seconds since 1970, XML ones ISO 8601 (botocore's parsers)."""
    expected = datetime(2026, 6, 1, 20, 0, 0, 250000, timezone.utc)
    assert _to_moment(1780344000.25) == expected == _to_moment("2026-06-01T20:00:00.25Z")
    assert _to_moment(1780344000.25).utcoffset() == expected.utcoffset()
