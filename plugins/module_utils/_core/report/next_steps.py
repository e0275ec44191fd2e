# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person does next about a node that needs attention, by the code or the status of its outcome."""

from __future__ import annotations

from collections.abc import Mapping

from ..executors import NOT_SERVED
from ..model import Status

_DISK = "Free space on the file systems that are named, then patch the node with the next plan."
_AGENT = "Check that the SSM Agent runs and reaches its endpoints, then scan the node again."
_REBOOT = "Reboot the node in its next window, then scan it again."
_LOOK = "Log in and check the node: nobody knows what ran. Scan it again before it is planned again."
_INSTALL = "Read the node's own words and fix the package or the update on it. A decision to retry works on it again."

#: By code; those that begin with ``precheck_`` are the pre-check's, and ``missed_`` ones nobody worked on.
_BY_CODE: Mapping[str, str] = {
    "patch_failed": _INSTALL,
    "install_failed": _INSTALL,
    "still_missing": "Check whether its repository still offers the patches that are named, then retry or plan again.",
    "installed_rejected": "Decide whether it stays: remove it from the node, or from the baseline's rejected patches.",
    "no_state": "Check that the node reaches its Region's S3 buckets, then scan it again: it reported nothing.",
    "list_failed": "Fix the package manager's configuration or its repositories, then scan the node again.",
    "no_security_metadata": "Use a repository that names its security updates, or patch without security_only.",
    "reboot_failed": "Check the node on its console, reboot it, then scan it again.",
    "not_rebooted": "Reboot the node and check why it ignored the request; then scan it again.",
    "reboot_pending": _REBOOT,
    "pending_reboot": _REBOOT,
    "reboot_unknown": _LOOK,
    "services_down": "Start the services that are named, or decide that they may stay down; their owner knows.",
    "not_compliant": "See what is missing and whether the baseline approves it; plan again.",
    "AgentLost": "Check the node on its console: it did not come back after the reboot.",
    "precheck_disk": _DISK,
    "precheck_lock": "Wait for the other installer or end it, then patch the node with the next plan.",
    "precheck_repositories": "Correct the repository's address or network path; the next plan takes the node.",
    "precheck_agent": _AGENT,
    "precheck_pending_reboot": _REBOOT,
    "missed_offline": _AGENT,
    "missed_undeliverable": _AGENT,
    "missed_refused": "Check the role's permissions in this account-Region. The next plan catches up on it.",
    "missed_gone": "Check whether the instance still exists, and refresh the inventory.",
    "offline": _AGENT,
    "unmanaged": "Install and register the SSM Agent, or exclude the node in the policy with a reason.",
    "stopped": "Start it, or set stopped_nodes.start, or exclude it in the policy with a reason.",
    "not_scanned": "Run scan_compliance again and check why the node is missing in it.",
    "scan_failed": "Fix what its scan reports, then scan and plan again.",
    "no_window": "Let its owner choose a window of the policy with choose_window, or correct the tag.",
    "no_night": "Lengthen the window or plan.valid_days, raise the budgets, or correct the expected minutes.",
    "not_pinned": "Give its patches titles or shorten its list as the reason says, or use pin: baseline.",
    NOT_SERVED: "Correct the host's executor, or exclude it in the policy with a reason.",
    "claimed_elsewhere": "Finish or abort the rollout that holds it, then patch the node with the next plan.",
    "exception": "Nothing, until its exception ends.",
    "freeze": "Nothing, until the freeze ends; the next plan catches up on it.",
}
_BY_STATUS: Mapping[str, str] = {
    Status.FAILED.value: _INSTALL,
    Status.UNREACHABLE.value: "Check the node's network path and its agent or SSH; then scan it again.",
    Status.TIMED_OUT.value: "Check whether an installer still runs on the node; then scan it again.",
    Status.CANCELLED.value: _LOOK,
    Status.UNKNOWN.value: _LOOK,
    Status.REBOOT_PENDING.value: _REBOOT,
    "unfinished": "Run rollout_patches again: it follows the work that was begun and finishes the record.",
    "missed": "Plan again: catch_up.json lists the node, and waves that select missed take it first.",
    Status.SKIPPED.value: "Fix what the pre-check found, then patch the node with the next plan.",
    "scanned": "Plan and run a rollout.",
    "succeeded": "Scan it again.",
    "no_op": "Scan it again.",
}


def next_step(status: str, code: str) -> str:
    """Return one or two sentences; "" where nobody has to do anything that we know of."""
    return _BY_CODE.get(code) or _BY_STATUS.get(status, "")
