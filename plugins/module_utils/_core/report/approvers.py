# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who approved a rollout, as its journal says. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .story import Story


def approvers(story: Story) -> list[dict[str, Any]]:
    """Return the approvals of a rollout: ``by``, ``at`` (when it was accepted, or typed), ``source``, ``reason``,
    ``roles`` and ``waves``, the waves that began with it; both are empty unless people signed.
    """
    typed = story.started.approval if story.started else None
    if typed and typed.get("source") != "trust":
        return [{"roles": [], "waves": [], **typed}]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for wave, (at, event) in story.approvals.items():
        for proof in event.proofs:
            known = {"by": str(proof.get("principal") or ""), "source": str(proof.get("source") or "")}
            roles = [str(role) for role in proof.get("roles") or ()]
            key = (known["by"], str(proof.get("statement")))
            found.setdefault(key, {**known, "at": at, "roles": roles, "reason": _reason(proof), "waves": []})
            found[key]["waves"].append(wave)
    if found or not typed:
        return list(found.values())
    return [
        {
            "by": str(row.get("principal") or ""),
            "at": "",
            "source": str(row.get("source") or ""),
            "reason": str(row.get("reason") or ""),
            "roles": list(row.get("roles") or ()),
            "waves": [],
        }
        for row in typed.get("counted") or ()
    ]


def _reason(proof: Mapping[str, Any]) -> str:
    """Return the reason in a signed statement; what AWX keeps has none."""
    try:
        found = json.loads(str(proof.get("statement")))
    except ValueError:
        return ""
    return str(found.get("reason") or "") if isinstance(found, dict) else ""
