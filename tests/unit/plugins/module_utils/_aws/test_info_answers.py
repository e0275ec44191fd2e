# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The info modules return every member that the service answers (botocore's service model), or it stands here why not.

Each member of an answer gets another value in turn; a member is dropped if the module's result stays the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.activations import SsmActivations
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.associations_info import read_associations
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.baselines_info import (
    BaselineReader,
    PatchGroupReader,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.commands import SsmCommands, to_state
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.compliance import SsmCompliance
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.data_syncs import SsmDataSyncs, from_api, to_status
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.documents import SsmDocuments, calendar_state
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.inventory import read_inventory
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.managed_nodes import SsmManagedNodes
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.service_settings import SsmServiceSettings
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.window_executions import WindowExecutions
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.windows_info import WindowReader
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.compliance import PATCH_STATES, read_compliance

from tests.fakes.answers import dropped

NODE, WINDOW = "i-0123456789abcdef0", "mw-0123456789abcdef0"


class AnyOption(dict[str, Any]):
    """Options of a module, of which those not given are ``None``."""

    def __missing__(self, key: str) -> None:
        return None


def commands(client: Any) -> Any:
    sessions = SimpleNamespace(client=lambda *_args, **_more: client, account=lambda _place: "111111111111")
    port = SsmCommands(Place(account="111111111111", region="eu-central-1"), sessions)
    return [(to_state(row), port.detailed("c")) for row in port.read()]


def syncs(client: Any) -> Any:
    return [(from_api(row), to_status(row)) for row in SsmDataSyncs(client).rows()]


def documents(client: Any) -> Any:
    return SsmDocuments(client).read(AnyOption(owner="Self", content=True, versions=True, sharing=True))


#: Module, what it reads with, values that members must have so that everything is read.
READERS: Mapping[str, tuple[Callable[[Any], Any], Mapping[str, Any]]] = {
    "ssm_activation_info": (lambda client: SsmActivations(client).read(), {}),
    "ssm_association_info": (
        lambda client: read_associations(client, AnyOption(executions=1, targets=True)),
        {},
    ),
    "ssm_calendar_state_info": (lambda client: calendar_state(client, ["freeze"], None), {}),
    "ssm_command_info": (commands, {}),
    "ssm_document_info": (documents, {"GetDocument.Content": "{}", "GetDocument.DocumentFormat": "JSON"}),
    "ssm_inventory_info": (
        lambda client: read_inventory(client, AnyOption(types=["AWS:InstanceInformation"])),
        {},
    ),
    "ssm_maintenance_window_info": (
        lambda client: WindowReader(client).read(AnyOption(targets=True, tasks=True, occurrences=1)),
        {
            "GetMaintenanceWindowTask.TaskType": "RUN_COMMAND",
            "GetMaintenanceWindow.StartDate": "2026-01-01T00:00:00Z",
            "GetMaintenanceWindow.EndDate": "2027-01-01T00:00:00Z",
        },
    ),
    "ssm_maintenance_window_execution_info": (
        lambda client: WindowExecutions(client).read(AnyOption(window=WINDOW, limit=1, invocations=True)),
        {},
    ),
    "ssm_managed_node_info": (
        lambda client: SsmManagedNodes(client).read(
            AnyOption(connection_status=True, associations=True, inventory=["AWS:InstanceInformation"])
        ),
        {},
    ),
    "ssm_patch_baseline_info": (
        lambda client: BaselineReader(client).read(AnyOption(owner="all", effective_patches=True)),
        {"GetPatchBaseline.OperatingSystem": "WINDOWS"},
    ),
    "ssm_patch_group_info": (
        lambda client: PatchGroupReader(client).read(
            AnyOption(names=["web"], state_counts=True, operating_systems=["SUSE"])
        ),
        {"DescribePatchGroups.Mappings[].PatchGroup": "web"},
    ),
    "ssm_patch_compliance_info": (
        lambda client: read_compliance(SsmCompliance(client, "here"), [NODE], None, list(PATCH_STATES)),
        {"DescribeInstancePatchStates.InstancePatchStates[].InstanceId": NODE},
    ),
    "ssm_resource_data_sync_info": (syncs, {}),
    "ssm_service_setting": (lambda client: SsmServiceSettings(client).read("/ssm/x"), {}),
}
_OF_THE_COMMAND = "the same for all nodes, and a member of the command"
#: Beginnings of members that are left out, and why.
LEFT_OUT: Mapping[str, str] = {
    "ListAssociations.": "DescribeAssociation has all of it, and more",
    "DescribeAssociation.AssociationDescription.InstanceId": "of documents of schema 1.2, which have no targets",
    "DescribeAssociation.AssociationDescription.Status.": "of documents of schema 1.2; Overview has the state",
    "ListCommandInvocations.CommandInvocations[].CommandId": _OF_THE_COMMAND,
    "ListCommandInvocations.CommandInvocations[].Comment": _OF_THE_COMMAND,
    "ListCommandInvocations.CommandInvocations[].Document": _OF_THE_COMMAND,
    "ListCommandInvocations.CommandInvocations[].RequestedDateTime": _OF_THE_COMMAND,
    "ListCommandInvocations.CommandInvocations[].ServiceRole": _OF_THE_COMMAND,
    "ListCommandInvocations.CommandInvocations[].NotificationConfig": _OF_THE_COMMAND,
    "ListCommandInvocations.CommandInvocations[].CloudWatchOutputConfig": _OF_THE_COMMAND,
    "ListCommandInvocations.CommandInvocations[].Status": "StatusDetails is finer",
    "ListCommandInvocations.CommandInvocations[].TraceOutput": "of the agent, for its developers",
    "ListCommandInvocations.CommandInvocations[].Standard": "each step has its own",
    "GetDocument.": "the list of documents and of versions has all of it but the content",
    "DescribeDocumentPermission.AccountSharingInfoList": "the accounts stand in AccountIds; the version cannot be set",
    "GetInventory.Entities[].Data<>.TypeName": "it is the key of the map",
    "DescribeMaintenanceWindows.": "GetMaintenanceWindow has all of it",
    "DescribeMaintenanceWindowTasks.": "GetMaintenanceWindowTask has all of it",
    "GetMaintenanceWindowTask.TaskInvocationParameters.": "of tasks of another type",
    "DescribeMaintenanceWindowTargets.Targets[].ResourceType": "it follows from the keys of the targets",
    "DescribeMaintenanceWindowSchedule.": "the window that was asked for",
    "GetConnectionStatus.Target": "the node that was asked for",
    "ListInventoryEntries.": "the node and the type that were asked for",
    "DescribePatchBaselines.": "GetPatchBaseline has all of it",
    "DescribeInstancePatchStates.InstancePatchStates[].OwnerInformation": "always empty (API reference)",
    "GetPatchBaselineForPatchGroup.": "the group and the operating system that were asked for",
    "ListResourceDataSync.ResourceDataSyncItems[].S3Destination.SyncFormat": "JsonSerDe is the only one",
    "GetServiceSetting.": "the module of a state returns what it declares",
}


def is_left_out(path: str) -> bool:
    return any(path.startswith(start) for start in LEFT_OUT)


@pytest.mark.parametrize("module", sorted(READERS))
def test_what_the_service_answers_is_returned(module: str) -> None:
    read, fixed = READERS[module]
    assert [path for path in dropped(read, fixed) if not is_left_out(path)] == []


def test_what_is_left_out_is_left_out() -> None:
    """A reason that no member needs any more goes."""
    paths = [path for read, fixed in READERS.values() for path in dropped(read, fixed)]
    assert [start for start in LEFT_OUT if not any(path.startswith(start) for path in paths)] == []
