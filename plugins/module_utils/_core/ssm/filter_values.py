# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of patch filters, checked against those that the service lists. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from ..errors import BadInput
from ..text import nearest
from .baselines import Baseline, Filters

#: Filter keys whose values DescribePatchProperties lists.
LISTED_KEYS = frozenset({"PRODUCT", "PRODUCT_FAMILY", "CLASSIFICATION", "MSRC_SEVERITY", "PRIORITY", "SEVERITY"})
_SHOWN = 12
#: Returns the values of a key for an operating system and a patch set (``OS`` or ``APPLICATION``); none if unknown.
Listing = Callable[[str, str, str], Collection[str]]


def check_filter_values(before: Baseline | None, wanted: Baseline, listing: Listing) -> None:
    """Refuse a new filter value that the service would refuse ("Invalid Filter Value: … for Key: …").

    Values that the baseline has already are left alone: the service keeps those of products that it no longer lists.
    Values with a wildcard are left to the service.

    :raises BadInput: with the option's path, and the value that may be meant.
    """
    had = {(key, value) for _where, filters in _filters(before) for key, values in filters.items() for value in values}
    for where, filters in _filters(wanted):
        patch_set = (filters.get("PATCH_SET") or ("OS",))[0]
        for key in sorted(LISTED_KEYS & filters.keys()):
            fresh = [value for value in filters[key] if "*" not in value and (key, value) not in had]
            known = listing(wanted.operating_system, key, patch_set) if fresh else ()
            for value in fresh if known else ():
                if value not in known:
                    raise BadInput(f"{where}.{key}", value, _advice(value, sorted(known), wanted.operating_system))


def _filters(baseline: Baseline | None) -> Iterator[tuple[str, Filters]]:
    if baseline is not None:
        yield "global_filters", baseline.global_filters
        yield from ((f"rules[{at}].filters", rule.filters) for at, rule in enumerate(baseline.rules))


def _advice(value: str, known: list[str], system: str) -> str:
    by_lower = {one.lower(): one for one in known}
    close = by_lower.get(nearest(value.lower(), by_lower))
    if value.lower() in ("all", "any"):
        return "'*' for all values"
    shown = ", ".join(known[:_SHOWN]) + (f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else "")
    meant = f"{close}? " if close else ""
    return f"{meant}Values for {system}: {shown}"
