# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nodes that are not on AWS say of themselves in their inventory, and which tags follow from it. Pure.

AWS Prescriptive Guidance has on-premises nodes state ``{"Patch Group": …, "Maintenance Window": …}`` as the inventory
type ``Custom:PatchInformation`` ("Automated patching for non-immutable instances in the hybrid cloud", on-premises).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import BadInput
from ..tags import SPACED_MAINTENANCE_WINDOW, SPACED_PATCH_GROUP, TagKeys, check_tags

TYPE = "Custom:PatchInformation"
PATCH_GROUP, MAINTENANCE_WINDOW = SPACED_PATCH_GROUP, SPACED_MAINTENANCE_WINDOW


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedTags:
    """``missing``: tags that the node lacks. ``remarks``: what differs from its tags, and what no tag holds."""

    missing: Mapping[str, str]
    remarks: tuple[str, ...] = ()


def stated_tags(entry: Mapping[str, str], tags: Mapping[str, str], keys: TagKeys) -> StatedTags:
    """Return the tags that a node's statement adds. A tag that it has stays: its owner may have chosen it later."""
    missing: dict[str, str] = {}
    remarks = []
    for name, key in ((PATCH_GROUP, keys.patch_group), (MAINTENANCE_WINDOW, keys.maintenance_window)):
        value = str(entry.get(name) or "").strip()
        if not value:
            continue
        there = tags.get(key, "")
        if there and there != value:
            remarks.append(f"its inventory states {name} {value!r}, its tag {key} has {there!r}")
        elif not there:
            try:
                check_tags({key: value}, "tags")
                missing[key] = value
            except BadInput as error:
                remarks.append(f"its inventory states {name} {value!r}, which no tag holds: expected {error.expected}")
    return StatedTags(missing=missing, remarks=tuple(remarks))
