# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Determines the Regions of each account that an inventory covers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from ..accounts import Account
from ..model import Place


def pick_regions(wanted: Sequence[str], enabled: Iterable[str], excluded: Sequence[str] = ()) -> list[str]:
    """Return the enabled Regions that match the patterns (``all``, ``eu-*``) and the literally named ones, sorted."""
    patterns = ["*" if item == "all" else item for item in wanted]
    literal = {item for item in patterns if not is_pattern(item)}
    found = literal | {region for region in enabled if any(fnmatchcase(region, item) for item in patterns)}
    return sorted(region for region in found if not any(fnmatchcase(region, item) for item in excluded))


def meant_region(region: str, known: Collection[str]) -> str:
    """Return the Regions that may be meant by one that is not known; "" if it may exist all the same.

    A name that differs only in its number may be a Region that is newer than the list.
    """
    if region in known:
        return ""
    from difflib import get_close_matches  # an error needs it, a module's start does not

    near = get_close_matches(region, sorted(known), n=2, cutoff=0.8)
    return "" if any(_area(name) == _area(region) for name in near) else " or ".join(sorted(near))


def _area(region: str) -> str:
    return region.rstrip("0123456789")


def is_pattern(region: str) -> bool:
    """Return whether resolving this entry requires the list of enabled Regions."""
    return region == "all" or any(char in region for char in "*?[")


def to_fleet_places(accounts: Sequence[Account], regions: Mapping[str, Sequence[str]]) -> list[Place]:
    """Return the account-Regions, sorted. ``regions`` are keyed by account number."""
    places = [account.place(region) for account in accounts for region in regions[account.id]]
    return sorted(places, key=lambda place: (place.account or "", place.region))
