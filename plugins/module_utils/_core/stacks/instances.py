# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stack instances: which are declared, missing, outdated or too many, and the requests that follow. Pure.

The service names the unit of an instance as the deployment target named it (API reference, StackInstanceSummary), so
that no access to AWS Organizations is needed. An account that leaves a unit or joins it is seen by automatic deployment
only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: Filters of accounts that add or select single accounts, and the one that excludes them.
_NAMED, EXCLUDED = frozenset({"INTERSECTION", "UNION"}), "DIFFERENCE"
#: Not failures: nothing can be deployed there, and nobody can change that but the owner of the account.
SKIPPED = frozenset({"SKIPPED_SUSPENDED_ACCOUNT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A stack of the set. ``unit``: "" for self-managed sets. ``detail``: result of the last operation on it."""

    account: str
    region: str
    unit: str = ""
    status: str = "CURRENT"
    detail: str = "SUCCEEDED"
    reason: str = ""
    drift: str = "NOT_CHECKED"
    drift_checked: str = ""
    stack_id: str = ""

    @property
    def label(self) -> str:
        return f"{self.account}/{self.region}"

    @property
    def failed(self) -> bool:
        """Whether its stack is not what the set declares, and it could be."""
        return self.status != "CURRENT" and self.detail not in SKIPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Declared targets. ``account_filter``: NONE, INTERSECTION, DIFFERENCE or UNION, for service-managed sets."""

    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    account_filter: str = "NONE"

    @property
    def declared(self) -> bool:
        return bool(self.regions)

    def pairs(self) -> frozenset[tuple[str, str]]:
        """Return the declared pairs of unit or account, and Region."""
        single = not self.units or self.account_filter in _NAMED
        units = () if self.account_filter == "INTERSECTION" else self.units
        return frozenset(
            (item, region) for item in (*units, *(self.accounts if single else ())) for region in self.regions
        )

    def holds(self, instance: Instance) -> bool:
        """Return whether an instance belongs to the targets."""
        if self.account_filter == EXCLUDED and instance.account in self.accounts:
            return False
        return bool({(instance.unit, instance.region), (instance.account, instance.region)} & self.pairs())


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one operation is for: units, accounts, or accounts of units as the filter says."""

    regions: tuple[str, ...]
    accounts: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    account_filter: str = "NONE"


def to_targets(options: Mapping[str, Any]) -> Targets:
    """Convert the options of the module ``stack_set``."""
    return Targets(
        regions=tuple(options["target_regions"] or ()),
        accounts=tuple(sorted(set(options["target_accounts"] or ()))),
        units=tuple(sorted(set(options["organizational_units"] or ()))),
        account_filter=options["account_filter"],
    )


def missing(targets: Targets, instances: Collection[Instance], known: Collection[tuple[str, str]]) -> list[Request]:
    """Return what has to be created.

    :param known: pairs of unit and Region that the set has as targets, although a unit may have no accounts.
    """
    there = {(item, row.region) for row in instances for item in (row.unit, row.account)}
    occupied = {row.unit for row in instances}
    there |= {pair for pair in known if pair[0] not in occupied}
    left = targets.pairs() - there
    units = {pair for pair in left if pair[0] in targets.units}
    excluded = targets.accounts if targets.account_filter == EXCLUDED else ()
    found = [
        Request(regions=regions, units=items, accounts=excluded, account_filter=EXCLUDED if excluded else "NONE")
        for regions, items in _grouped(units, targets.regions)
    ]
    for regions, items in _grouped(left - units, targets.regions):
        found.append(
            Request(regions=regions, units=targets.units, accounts=items, account_filter=targets.account_filter)
        )
    return found


def _of_units(units: Collection[str]) -> str:
    return "INTERSECTION" if units else "NONE"


def requests_for(rows: Iterable[Instance], order: Collection[str] = ()) -> list[Request]:
    """Return requests for existing instances: no more than these, in each of their Regions."""
    found = []
    by_unit: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        by_unit.setdefault(row.unit, set()).add((row.account, row.region))
    for unit in sorted(by_unit):
        units = (unit,) if unit else ()
        for regions, accounts in _grouped(by_unit[unit], tuple(order)):
            found.append(Request(regions=regions, accounts=accounts, units=units, account_filter=_of_units(units)))
    return found


def _grouped(
    pairs: Collection[tuple[str, str]], order: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Group items by their Regions, because a request is for all its items in all its Regions."""
    regions: dict[str, set[str]] = {}
    for item, region in pairs:
        regions.setdefault(item, set()).add(region)
    groups: dict[tuple[str, ...], set[str]] = {}
    for item, found in regions.items():
        listed = (*(name for name in order if name in found), *sorted(found - set(order)))
        groups.setdefault(listed, set()).add(item)
    for listed in sorted(groups):
        yield listed, tuple(sorted(groups[listed]))
