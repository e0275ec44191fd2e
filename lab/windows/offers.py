# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Updates that an update server has for a simulated Windows host, and which of them win_updates selects."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Categories that are searched if none are given, and those with a short name (win_updates.ps1).
_DEFAULT = ("CriticalUpdates", "SecurityUpdates", "UpdateRollups")
_SHORT = {
    "CriticalUpdates": "Critical Updates",
    "DefinitionUpdates": "Definition Updates",
    "DeveloperKits": "Developer Kits",
    "FeaturePacks": "Feature Packs",
    "SecurityUpdates": "Security Updates",
    "ServicePacks": "Service Packs",
    "UpdateRollups": "Update Rollups",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An update that the update server has for the host. ``seconds``: how long its install takes."""

    kb: str
    title: str
    categories: tuple[str, ...] = ("Security Updates",)
    seconds: float = 120.0
    reboot: bool = False
    hidden: bool = False
    optional: bool = False

    @property
    def id(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, self.kb or self.title))

    def to_info(self) -> dict[str, Any]:
        """Source: win_updates.ps1, ``Format-UpdateInfo``, as far as the action plugin reads it."""
        return {
            "id": self.id,
            "title": self.title,
            "kb": [self.kb] if self.kb else [],
            "categories": list(self.categories),
            "is_hidden": self.hidden,
            "browse_only": self.optional,
        }


def left_out(offer: Offer, args: Mapping[str, Any]) -> list[str]:
    """Why an update is not selected. Source: win_updates.ps1: unanchored, any case, over title and KBs as one text."""
    text = f"{offer.title}{offer.kb}"
    accept, reject = _list(args.get("accept_list")), _list(args.get("reject_list"))
    wanted = [_SHORT.get(item, item).lower() for item in _list(args.get("category_names")) or _DEFAULT]
    mine = [item.lower() for item in offer.categories]
    found = {
        "accept_list": bool(accept) and not any(re.search(item, text, re.IGNORECASE) for item in accept),
        "reject_list": any(re.search(item, text, re.IGNORECASE) for item in reject),
        "hidden": offer.hidden,
        "category_names": "*" not in wanted and not set(wanted) & set(mine),
        "skip_optional": bool(args.get("skip_optional")) and offer.optional,
    }
    return [name for name, yes in found.items() if yes]


def _list(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, (list, tuple)) else [str(value)] if value else []
