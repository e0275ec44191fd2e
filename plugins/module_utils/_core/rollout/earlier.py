# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was known of a node before it was taken up again. Only a check of the node may replace it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model import Status
from ..work.node_answer import words
from .state import LOST, NodeState

#: Statuses of an install that changed nothing.
NOTHING_RAN = (Status.SKIPPED.value, Status.UNREACHABLE.value, Status.NO_OP.value)
#: Code of the final record of a node for which the window had no time left.
LEFT_OVER = "missed_out_of_time"


def remembered(node: NodeState) -> Mapping[str, str]:
    """Return what to keep of a final record that is withdrawn; nothing new if the node was never changed."""
    final = node.final
    if final is None or final["status"] == Status.SKIPPED.value:
        return node.earlier
    why = final.get("error") or {}
    return {"status": str(final["status"]), "code": str(why.get("code") or ""), "text": str(why.get("text") or "")}


def was_worked_on(node: NodeState) -> bool:
    """Return whether an install may have run on a node that has no final record yet."""
    patch = node.results.get("patch", {})
    return bool(patch.get("ran_before")) or patch.get("status") not in (None, *NOTHING_RAN)


def is_left_over(node: NodeState) -> bool:
    """Return whether the window ended before the node's work ended or began."""
    final = node.final or {}
    code = (final.get("error") or {}).get("code")
    skipped = final.get("status") == Status.SKIPPED.value and code == LEFT_OVER
    return skipped or final.get("status") == Status.REBOOT_PENDING.value


def before_the_reboot(final: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Return the results of the stages before a postponed reboot, from the node's final record."""
    facts = {"boot_id": final.get("boot_id_after"), "kernel": final.get("kernel_after"), "pending_reboot": True}
    patch = {
        "status": Status.SUCCEEDED.value,
        "installed": final.get("installed") or [],
        "pending_reboot": True,
        "started_at": final.get("started_at"),
    }
    return {"precheck": {"facts": facts}, "patch": patch}


def with_earlier(node: NodeState, record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a final record that includes what was known before.

    A record that was made without a check of the node, because it was skipped or could not be reached, keeps the
    earlier status: a node whose outcome is unknown remains unknown, even if it is skipped later.
    """
    earlier = node.earlier
    if not earlier:
        return record
    evidence = {**(record.get("evidence") or {}), "earlier": dict(earlier)}
    if record.get("status") not in LOST:
        return {**record, "evidence": evidence}
    why = record.get("error") or {}
    text = words(f"{why.get('text') or 'not looked at'}; before that {earlier['status']}: {earlier['text']}")
    code = str(why.get("code") or earlier["code"])
    return {**record, "status": earlier["status"], "error": {"code": code, "text": text}, "evidence": evidence}
