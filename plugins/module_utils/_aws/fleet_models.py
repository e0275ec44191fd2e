# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reduces botocore's service models to the operations that are called: an EC2 client takes 3 ms instead of 20.

100 account-Regions need 300 clients, each of which would otherwise get a method for every operation: a megabyte.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from .permissions import operations

#: What the inventory calls, of all services.
OPERATIONS = frozenset(
    {
        "AssumeRole",
        "DescribeInstanceInformation",
        "DescribeInstancePatches",
        "DescribeInstancePatchStates",
        "DescribeInstanceProperties",
        "DescribeInstances",
        "DescribeMaintenanceWindows",
        "DescribeMaintenanceWindowTargets",
        "DescribeRegions",
        "GetCallerIdentity",
        "GetInventory",
        "GetObject",
        "GetResources",
        "ListAccounts",
        "ListAccountsForParent",
        "ListCloudConnectors",
        "ListObjectsV2",
        "ListOrganizationalUnitsForParent",
        "ListRoots",
    }
)


#: What rollouts and scans call, by botocore's name of the service; others are left whole.
ROLLOUT_OPERATIONS = {service: operations(service) for service in ("ec2", "ssm")}


#: What rollouts and scans read of a command's rows (``to_invocation``), by service and shape: botocore looks for every
#: member that it knows in each of them, which is a third of what a look at 50 nodes costs.
READ_MEMBERS: Mapping[str, Mapping[str, Set[str]]] = {
    "ssm": {
        "CommandInvocation": frozenset({"InstanceId", "Status", "StatusDetails", "CommandPlugins"}),
        "CommandPlugin": frozenset({"ResponseCode", "Output", "ResponseStartDateTime", "ResponseFinishDateTime"}),
    }
}


def slim_for_rollouts(loader: Any) -> Slim:
    """Wrap a loader for action plugins, which need no operation that ``permissions.py`` does not name."""
    return Slim(loader, ROLLOUT_OPERATIONS, READ_MEMBERS)


class Slim:
    """A loader of service models that hides operations, and members of answers. All else is the wrapped loader's.

    :param by_service: the operations to keep; services that it does not name keep all. Without it, ``OPERATIONS``.
    :param members: by service and shape the members to keep; shapes that it does not name keep all.
    """

    def __init__(
        self,
        loader: Any,
        by_service: Mapping[str, Set[str]] | None = None,
        members: Mapping[str, Mapping[str, Set[str]]] | None = None,
    ) -> None:
        self._loader = loader
        self._by_service = by_service
        self._members = members or {}
        self._models: dict[tuple[Any, ...], Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        key = (service_name, type_name, api_version)
        if key not in self._models:
            model = self._loader.load_service_model(service_name, type_name, api_version)
            kept = OPERATIONS if self._by_service is None else self._by_service.get(service_name)
            if type_name == "service-2" and kept is not None:
                wanted = {name: item for name, item in model["operations"].items() if name in kept}
                model = {**model, "operations": wanted, "shapes": self._shapes(service_name, model["shapes"])}
            self._models[key] = model
        return self._models[key]

    def _shapes(self, service_name: str, shapes: Mapping[str, Any]) -> dict[str, Any]:
        kept = dict(shapes)
        for name, members in self._members.get(service_name, {}).items():
            found = {member: shape for member, shape in shapes[name]["members"].items() if member in members}
            kept[name] = {**shapes[name], "members": found}
        return kept
