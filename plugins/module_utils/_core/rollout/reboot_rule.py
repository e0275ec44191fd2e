# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a node's rule requires a reboot after its install."""

from __future__ import annotations

from ..model import Status
from ..work.final_record import must_reboot
from .state import Rollout


def reboot_is_due(state: Rollout, node_id: str) -> bool:
    """Return whether to reboot the node, from the results of the pre-check and the install in the journal."""
    node, done = state.planned[node_id], state.nodes[node_id].results
    patch, facts = done.get("patch", {}), done.get("precheck", {}).get("facts", {})
    if patch.get("no_retry") and done.get("reboot", {}).get("rebooted"):
        return False  # a further round was refused, and the reboot of the last one has been
    rule = node.get("reboot_rule") or state.wave_of(node_id)["reboot_rule"]
    planned = node["patch_count"] or node.get("start") or patch.get("installed")
    return must_reboot(
        rule,
        pending=bool(patch.get("pending_reboot") or facts.get("pending_reboot")),
        patched=bool(planned and patch.get("status") == Status.SUCCEEDED.value),
    )
