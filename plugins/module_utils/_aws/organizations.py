# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts of an organization or of some of its organizational units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .errors import aws_errors

Row = Mapping[str, Any]


class Organization:
    """Reads AWS Organizations. ``client`` belongs to the management account or a delegated administrator."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def accounts(self, units: Sequence[str] = (), excluded_units: Sequence[str] = ()) -> list[Row]:
        """Return the active accounts as the API describes them (``Id``, ``Name``, …), sorted by number.

        :param units: organizational units or roots, with all units below them; none means the whole organization.
        :param excluded_units: units to exclude, with all units below them.
        """
        if units or excluded_units:
            rows = [row for unit in units or self._roots() for row in self._below(unit, frozenset(excluded_units))]
        else:
            rows = list(self._list("list_accounts", "Accounts", "the accounts of the organization"))
        found = {row["Id"]: row for row in rows if (row.get("State") or row.get("Status")) == "ACTIVE"}
        return [found[number] for number in sorted(found)]

    def _roots(self) -> list[str]:
        return [row["Id"] for row in self._list("list_roots", "Roots", "the roots of the organization")]

    def _below(self, unit: str, excluded: frozenset[str]) -> Iterator[Row]:
        if unit in excluded:
            return
        yield from self._list("list_accounts_for_parent", "Accounts", f"the accounts of {unit}", ParentId=unit)
        children = self._list(
            "list_organizational_units_for_parent", "OrganizationalUnits", f"the units below {unit}", ParentId=unit
        )
        for child in children:
            yield from self._below(child["Id"], excluded)

    def _list(self, operation: str, member: str, what: str, **request: str) -> Iterator[Row]:
        token: str | None = None
        while True:
            with aws_errors(f"list {what}"):
                reply = getattr(self._client, operation)(**request, **({"NextToken": token} if token else {}))
            yield from reply.get(member) or ()
            if not (token := reply.get("NextToken")):
                return
