# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes a plan excludes, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..executors import NOT_SERVED, SSM, find, needs_agent, unserved
from ..nodes import Candidate, matches
from ..policy.values import Policy
from .covered import is_by_baseline
from .node_windows import NO_NIGHT, NO_WINDOW
from .pinning import NOT_PINNED
from .wave import is_stopped, patch_count

#: Who patches a machine of Azure besides us, by ``auto_patching``.
AUTO_PATCHED: Mapping[str, str] = {
    "platform": "Azure patches it at times that the platform chooses (AutomaticByPlatform)",
    "hotpatch": "Azure patches it by hotpatching, at times that the platform chooses",
    "os": "Windows Update patches it by itself (AutomaticByOS)",
}
#: Codes of nodes that should be patched but can't be; other codes stand for a decision, or for nothing to do.
TROUBLE = (NOT_SERVED, "unmanaged", "offline", "stopped", "not_scanned", "scan_failed", NOT_PINNED, NO_WINDOW, NO_NIGHT)


def exclusion(
    node: Candidate, scan: Mapping[str, Any] | None, policy: Policy, unscanned: str | None
) -> tuple[str, str] | None:
    """Return (code, reason) if the node is excluded before waves are formed.

    :param scan: the node's record in the scan.
    :param unscanned: why the node is not in the scan.
    """
    if why := excluded_by(policy, node):
        return "policy", why
    if node.auto_patching and policy.patching.auto_patched == "exclude":
        return "auto_patched", f"{AUTO_PATCHED[node.auto_patching]} (patching.auto_patched is exclude)"
    if why := not_served(node, scan):
        return NOT_SERVED, why
    if why := unmanaged(node):
        return "unmanaged", why
    starts = is_stopped(node) and will_start(node, policy)
    if starts and is_by_baseline(node):  # its baseline decides on the night what is missing
        return None
    if node.state and node.state not in ("running", "Online") and not starts:
        return "stopped", f"the instance is {node.state}"
    if needs_agent(node.executor) and node.ping_status and node.ping_status != "Online":
        return "offline", f"the agent is not online ({node.ping_status})"
    if scan is None:
        return "not_scanned", unscanned or "not in the scan"
    if scan["status"] not in ("succeeded", "no_op"):
        text = (scan.get("error") or {}).get("text") or scan["status"]
        return "scan_failed", f"the scan failed: {text}"
    if patch_count(scan) == 0 and not scan.get("pending_reboot"):
        return "nothing_to_install", "no approved patch is missing"
    return None


def excluded_by(policy: Policy, node: Candidate) -> str:
    """Return why the policy excludes the node; nothing if it does not."""
    reasons = (rule.reason or "excluded by the policy" for rule in policy.exclude if matches(node, rule.select))
    return next(reasons, "")


def not_served(node: Candidate, scan: Mapping[str, Any] | None) -> str:
    """Return why no executor can patch the node, according to this version or to the controller that scanned it."""
    error = (scan or {}).get("error") or {}
    if node.executor and error.get("code") == NOT_SERVED:
        return str(error["text"])
    return unserved(node.executor) if node.executor else ""


def unmanaged(node: Candidate) -> str:
    """Return which service should know the node but does not; nothing if none has to."""
    row = find(node.executor) if node.executor else SSM
    if row is None or (node.executor and (node.managed or not row.needs_agent)):
        return ""
    return f"not managed by {row.title}"


def will_start(node: Candidate, policy: Policy) -> bool:
    """Return whether the policy starts a stopped node for its wave."""
    return policy.stopped_nodes.start and matches(node, policy.stopped_nodes.select)
