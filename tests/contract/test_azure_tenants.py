# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscriptions of several tenants in one run: each has the token of its own tenant, and hides no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.patching import Machines
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.places import Subscription, find_subscriptions
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import AccessDenied, PatchtideError

from lab.azure.launch import DEFAULT_ESTATE, AzureLab, azure_lab
from tests.contract.azure_lab import PLANT, SHOP, calls, tenants, vm

OTHER = "99999999-0000-4000-8000-000000000002"
ARC = f"/subscriptions/{PLANT}/resourcegroups/rg-plant/providers/microsoft.hybridcompute/machines/arc-db-01"


def estate(folder: Path, secret: str) -> Path:
    """The lab's estate with the second subscription in a tenant of its own, in which the application has a secret."""
    data = yaml.safe_load(DEFAULT_ESTATE.read_text("utf-8"))
    data["subscriptions"][1]["tenant"] = OTHER
    data["clients"].append({**data["clients"][0], "tenant": OTHER, "secret": secret})
    path = folder / "estate.yml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return path


@pytest.fixture(params=["lab-secret", "expired"])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[AzureLab, bool]]:
    with azure_lab(tmp_path, estate(tmp_path, request.param)) as running:
        yield running, request.param == "lab-secret"


def test_each_subscription_is_reached_through_its_tenant(lab: tuple[AzureLab, bool]) -> None:
    azure, works = lab
    found = tenants(azure)
    assert found.of(SHOP) is found.of(SHOP) is found.of_tenant(azure.client.tenant)
    assert found.of(PLANT) is found.of_tenant(OTHER)
    assert Machines(found.of(SHOP)).view(vm("az-web-01"))["statuses"]
    if works:
        assert Machines(found.of(PLANT)).view(ARC)["name"] == "arc-db-01"
    else:
        with pytest.raises(AccessDenied, match="AADSTS7000215"):
            Machines(found.of(PLANT)).view(ARC)
    assert calls(azure, "POST assessPatches") == 0


def test_a_tenant_that_refuses_is_the_error_of_its_subscriptions(lab: tuple[AzureLab, bool]) -> None:
    azure, works = lab
    wanted = [Subscription(id=SHOP), Subscription(id=PLANT, tenant=OTHER)]
    by_id: dict[str, Any] = {item.id: item for item in find_subscriptions(tenants(azure).of_tenant, wanted)}
    assert by_id[SHOP].error is None and by_id[SHOP].name == "shop"
    assert (by_id[PLANT].error is None) == works
    assert works or isinstance(by_id[PLANT].error, PatchtideError)
