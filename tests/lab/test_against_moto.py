# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our answers beside moto's own, where moto has the operation: others read the same service and wrote this.

Every member moto answers must be in ours with the same type, unless a line here says why not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from .conftest import Fleet

Client = Any
WINDOW = {"Name": "w01", "Schedule": "rate(7 days)", "Duration": 2, "Cutoff": 1, "AllowUnassociatedTargets": False}
TARGETS = [{"Key": "tag:PatchGroup", "Values": ["WEB-DEV"]}]


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("ssm", region_name="eu-central-1")


def create_baseline(client: Client, lab: Fleet | None) -> dict[str, Any]:
    return dict(client.create_patch_baseline(Name="one", OperatingSystem="SUSE"))


def describe_baselines(client: Client, lab: Fleet | None) -> dict[str, Any]:
    client.create_patch_baseline(Name="one", OperatingSystem="SUSE", Description="text")
    rows = client.describe_patch_baselines()["BaselineIdentities"]
    return next(dict(row) for row in rows if row["BaselineName"] == "one")


def bound_group(client: Client, lab: Fleet | None) -> dict[str, Any]:
    baseline = client.create_patch_baseline(Name="one", OperatingSystem="SUSE")["BaselineId"]
    client.register_patch_baseline_for_patch_group(BaselineId=baseline, PatchGroup="G")
    return dict(client.get_patch_baseline_for_patch_group(PatchGroup="G", OperatingSystem="SUSE"))


def default_of_unbound_group(client: Client, lab: Fleet | None) -> dict[str, Any]:
    return dict(client.get_patch_baseline_for_patch_group(PatchGroup="nobody", OperatingSystem="SUSE"))


def window(client: Client, lab: Fleet | None) -> dict[str, Any]:
    return dict(client.get_maintenance_window(WindowId=client.create_maintenance_window(**WINDOW)["WindowId"]))


def window_row(client: Client, lab: Fleet | None) -> dict[str, Any]:
    client.create_maintenance_window(**WINDOW)
    return dict(client.describe_maintenance_windows()["WindowIdentities"][0])


def target_row(client: Client, lab: Fleet | None) -> dict[str, Any]:
    made = client.create_maintenance_window(**WINDOW)["WindowId"]
    client.register_target_with_maintenance_window(WindowId=made, ResourceType="INSTANCE", Targets=TARGETS, Name="t01")
    return dict(client.describe_maintenance_window_targets(WindowId=made)["Targets"][0])


def task_row(client: Client, lab: Fleet | None) -> dict[str, Any]:
    made = client.create_maintenance_window(**WINDOW)["WindowId"]
    request = {"WindowId": made, "ResourceType": "INSTANCE", "Targets": TARGETS}
    target = client.register_target_with_maintenance_window(**request)["WindowTargetId"]
    task = {"TaskType": "RUN_COMMAND", "TaskArn": "AWS-RunPatchBaseline", "MaxConcurrency": "1", "MaxErrors": "1"}
    targets = [{"Key": "WindowTargetIds", "Values": [target]}]
    client.register_task_with_maintenance_window(WindowId=made, Targets=targets, **task)
    return dict(client.describe_maintenance_window_tasks(WindowId=made)["Tasks"][0])


def sent_command(client: Client, lab: Fleet | None) -> dict[str, Any]:
    node = lab.id("web-dev-01") if lab else "i-0123456789abcdef0"
    request = {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["# patchtide:probe:1"]}}
    return dict(client.send_command(InstanceIds=[node], **request)["Command"])


def invocation(client: Client, lab: Fleet | None) -> dict[str, Any]:
    command = sent_command(client, lab)
    if lab:
        lab.lab.advance(30)
    return dict(client.get_command_invocation(CommandId=command["CommandId"], InstanceId=command["InstanceIds"][0]))


def tags(client: Client, lab: Fleet | None) -> dict[str, Any]:
    made = client.create_maintenance_window(**WINDOW)["WindowId"]
    client.add_tags_to_resource(ResourceType="MaintenanceWindow", ResourceId=made, Tags=[{"Key": "a", "Value": "b"}])
    return dict(client.list_tags_for_resource(ResourceType="MaintenanceWindow", ResourceId=made))


#: members that moto answers and we do not, with the reason
LEFT_OUT = {
    "sent_command": {"NotificationConfig"},  # moto makes one up when none was asked for
}


@pytest.mark.parametrize(
    "ask",
    [
        create_baseline,
        describe_baselines,
        bound_group,
        default_of_unbound_group,
        window,
        window_row,
        target_row,
        task_row,
        sent_command,
        invocation,
        tags,
    ],
)
def test_every_member_of_motos_answer_is_in_ours(
    fleet: Fleet, moto: Client, ask: Callable[[Client, Fleet | None], dict[str, Any]]
) -> None:
    theirs = ask(moto, None)
    ours = ask(fleet.ssm("web-dev-01"), fleet)
    kinds = {name: type(value) for name, value in theirs.items() if value not in (None, "", [], {})}
    missing = set(kinds) - set(ours) - LEFT_OUT.get(ask.__name__, set())
    assert not missing
    assert {name: type(ours[name]) for name in kinds if name in ours} == {n: k for n, k in kinds.items() if n in ours}


def test_the_aws_owned_baselines_are_the_ones_moto_ships(fleet: Fleet, moto: Client) -> None:
    for system in ("WINDOWS", "UBUNTU", "AMAZON_LINUX_2023"):
        request = {"PatchGroup": "nobody", "OperatingSystem": system}
        theirs = moto.get_patch_baseline_for_patch_group(**request)["BaselineId"]
        assert fleet.ssm("web-dev-01").get_patch_baseline_for_patch_group(**request)["BaselineId"] == theirs


def test_motos_instant_success_is_not_ours(fleet: Fleet, moto: Client) -> None:
    assert sent_command(moto, None)["Status"] == "Success"
    assert sent_command(fleet.ssm("web-dev-01"), fleet)["Status"] == "Pending"
