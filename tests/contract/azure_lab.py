# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Azure for tests of adapters: connections, resource IDs, and what was called."""

from __future__ import annotations

from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.arm import Arm
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.credentials import AzureLogin, Credentials
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.tenants import Tenants

from lab.azure.launch import AzureLab

SHOP, PLANT = "22222222-bbbb-4bbb-8bbb-000000000001", "22222222-bbbb-4bbb-8bbb-000000000002"


def vm(name: str) -> str:
    return f"/subscriptions/{SHOP}/resourcegroups/rg-web/providers/microsoft.compute/virtualmachines/{name}"


def login(lab: AzureLab, **more: Any) -> AzureLogin:
    return AzureLogin(arm_endpoint=lab.url, authority=lab.url, ca_bundle=str(lab.ca), **{**lab.login, **more})


def connect(lab: AzureLab, **more: Any) -> Arm:
    """Return a connection that does not wait between tries. :param more: options of the login."""
    found = login(lab, **more)
    return Arm(found, Credentials(found, {}).of(), pause=lambda seconds: None)


def tenants(lab: AzureLab, **more: Any) -> Tenants:
    found = login(lab, **more)
    return Tenants(found, Credentials(found, {}))


def calls(lab: AzureLab, operation: str) -> int:
    return sum(row["count"] for row in lab.get("ledger")["calls"] if row["operation"] == operation)
