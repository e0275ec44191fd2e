# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tenants.yml: what it says, and what is refused with its place."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.tenants.values import Shared, read_tenants

CONTOSO = {"accounts": ["222222222222"]}


def test_what_is_not_said_has_defaults() -> None:
    found = read_tenants({"tenants": {"contoso": CONTOSO}}, "tenants.yml")
    tenant = found.tenants["contoso"]
    assert (tenant.title, tenant.groups, tenant.history, found.shared) == ("contoso", (), "", ())


def test_everything_can_be_said() -> None:
    row = {**CONTOSO, "title": "Contoso & Söhne", "groups": ["plant"], "history": "s3://history/contoso/"}
    statement = {"what": "receiver ops@example.com", "tenants": ["contoso", "fabrikam"], "reason": "ours"}
    data = {"tenants": {"contoso": row, "fabrikam": {"groups": ["hosts"]}}, "shared": [statement]}
    found = read_tenants(data, "tenants.yml")
    assert (found.tenants["contoso"].title, found.tenants["contoso"].history) == (
        "Contoso & Söhne",
        "s3://history/contoso",
    )
    assert found.shared == (Shared(what="receiver ops@example.com", tenants=("contoso", "fabrikam"), reason="ours"),)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ([], "tenants.yml"),
        ({}, "with the member tenants"),
        ({"tenants": {}}, "tenants.yml.tenants"),
        ({"tenants": {"Contoso": CONTOSO}}, "tenants.yml.tenants.Contoso"),
        ({"tenants": {"../contoso": CONTOSO}}, "tenants.yml.tenants.../contoso"),
        ({"tenants": {"contoso": {}}}, "tenants.yml.tenants.contoso: {} is not valid, expected accounts, or groups"),
        ({"tenants": {"contoso": {"accounts": [222]}}}, r"tenants.yml.tenants.contoso.accounts\[0\]"),
        ({"tenants": {"contoso": {**CONTOSO, "acounts": []}}}, "tenants.yml.tenants.contoso.acounts"),
        ({"tenants": {"contoso": {**CONTOSO, "history": "history"}}}, "tenants.yml.tenants.contoso.history"),
        ({"tenants": {"contoso": CONTOSO}, "share": []}, "tenants.yml.share"),
        (
            {"tenants": {"contoso": CONTOSO}, "shared": [{"what": "x", "tenants": ["contoso"], "reason": "y"}]},
            r"tenants.yml.shared\[0\].tenants",
        ),
        (
            {"tenants": {"contoso": CONTOSO}, "shared": [{"what": "x", "tenants": ["contoso", "y"], "reason": "y"}]},
            "expected one of contoso",
        ),
    ],
)
def test_what_is_wrong_is_named(data: Any, place: str) -> None:
    with pytest.raises(BadInput, match=place):
        read_tenants(data, "tenants.yml")


def test_a_node_is_of_its_account_and_of_a_group_only_without_one() -> None:
    """Groups can be made from tags, which whoever has the machine can write."""
    row = {"accounts": ["222222222222", "3B1F4C0E-0000-4000-8000-000000000001"], "groups": ["plant"]}
    tenant = read_tenants({"tenants": {"contoso": row}}, "tenants.yml").tenants["contoso"]
    assert tenant.owns("222222222222", ()) and tenant.owns("", ("all", "plant"))
    assert tenant.owns("3b1f4c0e-0000-4000-8000-000000000001", ()), "Azure writes IDs in both cases"
    assert not tenant.owns("333333333333", ("plant",)) and not tenant.owns("", ()) and not tenant.owns("", ("other",))
