# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Run Command's statuses and the patch state mean for a node."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Status
from .ports import PatchState

#: Our own words beside the service's: it waited until its command expired; the service refused the command; the node is
#: no valid target any more; the deadline was over and nobody knows how it ended.
NEVER_BEGAN, REFUSED, NOT_VALID, NO_END = "NeverBegan", "Refused", "NotValid", "NoEnd"
#: Statuses of an invocation that waits for its turn or for the agent.
WAITING = frozenset({"Pending", "Delayed"})

#: Run Command's StatusDetails (spaces removed) that end an invocation, and what they mean for the node.
#: Delivery problems and platform mismatches do not count against MaxErrors, so a command can be Success
#: although nodes were never reached (SSM user guide, "Understanding command statuses"): judge per invocation.
ENDED: Mapping[str, Status] = {
    "Success": Status.SUCCEEDED,
    "Failed": Status.FAILED,
    "ExecutionTimedOut": Status.TIMED_OUT,
    "TimedOut": Status.TIMED_OUT,
    # Given to whatever is InProgress, Pending or Delayed when the command expires, also in mid-install (API reference,
    # Command.ExpiresAfter; aws/amazon-ssm-agent#289). One that was seen waiting until then is NEVER_BEGAN instead.
    "DeliveryTimedOut": Status.UNKNOWN,
    "Undeliverable": Status.UNREACHABLE,
    "Cancelled": Status.CANCELLED,
    "Terminated": Status.CANCELLED,
    "InvalidPlatform": Status.FAILED,
    "AccessDenied": Status.FAILED,
    NEVER_BEGAN: Status.UNREACHABLE,
    REFUSED: Status.UNREACHABLE,
    NOT_VALID: Status.UNREACHABLE,
    NO_END: Status.UNKNOWN,
}


def patch_status(status: Status, state: PatchState | None) -> Status:
    """Return how an Install ended for a node: the state it left behind outranks the invocation's word.

    AWS-RunPatchBaseline may report Failed after everything was installed (aws/amazon-ssm-agent#681).
    """
    if status is Status.FAILED and state and state.operation == "Install" and not state.counts.get("failed_count", 0):
        return Status.SUCCEEDED
    return status
