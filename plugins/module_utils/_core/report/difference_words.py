# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nodes show beside the plan, in words, by the code of a difference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Codes that only inform; the others need a reader.
INFORMATION = ("newly_approved",)
_WORDS: Mapping[str, tuple[str, str]] = {
    "withdrawn": ("Withdrawn", "planned, and no longer offered or replaced, so not installed"),
    "unplanned": ("Unplanned", "installed by the rollout though not planned, such as a dependency"),
    "removed": ("Removed", "installed before the work and not any more"),
    "unplanned_here": ("Unplanned here", "installed here, and planned for another node of the same list"),
    "by_unknown": ("Changed by others", "changed during the work, and not by the rollout"),
    "installed_rejected": ("Installed though rejected", "installed, and the baseline rejects it"),
    "unclear": ("Unclear", "planned; the node shows neither that it is installed, nor that it is missing or withdrawn"),
    "newly_approved": ("Newly approved", "missing now, and approved after the plan; information only"),
}


def differences(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the differences of a report, those that need a reader first: ``code, label, text, nodes, patches``."""
    found = summary["differences"]
    order = [*_WORDS, *(code for code in found if code not in _WORDS)]
    return [
        {
            "code": code,
            "label": label(code),
            "text": _WORDS.get(code, ("", ""))[1],
            "nodes": found[code]["nodes"],
            "patches": [f"{patch} ({count:,})" for patch, count in found[code]["patches"].items()],
        }
        for code in order
        if code in found
    ]


def label(code: str) -> str:
    """Return what a difference is called."""
    return _WORDS[code][0] if code in _WORDS else code.replace("_", " ")
