# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reduces botocore's service models to the operations of the inventory: an EC2 client takes 3 ms instead of 20.

100 account-Regions need 300 clients, each of which would otherwise get a method for every operation.
"""

from __future__ import annotations

from typing import Any

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


class Slim:
    """A loader of service models that hides all other operations. Everything else comes from the wrapped loader."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._models: dict[tuple[Any, ...], Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        key = (service_name, type_name, api_version)
        if key not in self._models:
            model = self._loader.load_service_model(service_name, type_name, api_version)
            if type_name == "service-2":
                wanted = {name: item for name, item in model["operations"].items() if name in OPERATIONS}
                model = {**model, "operations": wanted}
            self._models[key] = model
        return self._models[key]
