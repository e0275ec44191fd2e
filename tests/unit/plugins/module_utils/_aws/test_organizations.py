# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which accounts an organization has."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.organizations import Organization
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import AccessDenied
from botocore.exceptions import ClientError

TREE = {"r-1": ["ou-a", "ou-b"], "ou-a": ["ou-c"], "ou-b": [], "ou-c": []}
ACCOUNTS = {"r-1": ["1"], "ou-a": ["2"], "ou-b": ["3", "4"], "ou-c": ["5"]}


class FakeOrganization:
    """Pages of one account; account 4 is suspended."""

    def list_roots(self) -> dict[str, Any]:
        return {"Roots": [{"Id": "r-1"}]}

    def list_accounts(self, NextToken: str = "0") -> dict[str, Any]:
        return self._page([item for listed in ACCOUNTS.values() for item in listed], NextToken)

    def list_accounts_for_parent(self, ParentId: str, NextToken: str = "0") -> dict[str, Any]:
        return self._page(ACCOUNTS[ParentId], NextToken)

    def list_organizational_units_for_parent(self, ParentId: str) -> dict[str, Any]:
        return {"OrganizationalUnits": [{"Id": item} for item in TREE[ParentId]]}

    def _page(self, ids: list[str], token: str) -> dict[str, Any]:
        at = int(token)
        rows = [{"Id": item, "Status": "SUSPENDED" if item == "4" else "ACTIVE"} for item in ids[at : at + 1]]
        return {"Accounts": rows, **({"NextToken": str(at + 1)} if at + 1 < len(ids) else {})}


@pytest.mark.parametrize(
    ("units", "excluded", "found"),
    [
        ([], [], "1235"),
        (["ou-a"], [], "25"),
        (["ou-a", "ou-c"], [], "25"),
        ([], ["ou-a"], "13"),
        (["r-1"], ["ou-c", "ou-b"], "12"),
    ],
)
def test_accounts(units: list[str], excluded: list[str], found: str) -> None:
    rows = Organization(FakeOrganization()).accounts(units, excluded)
    assert "".join(row["Id"] for row in rows) == found


def test_a_refusal_says_what_was_tried() -> None:
    class Denied:
        def list_accounts(self) -> None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "ListAccounts")

    with pytest.raises(AccessDenied, match="Could not list the accounts of the organization: AccessDeniedException"):
        Organization(Denied()).accounts()
