# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of stages on directly reached hosts that gave no answer, or one that makes no sense."""

from __future__ import annotations

from typing import Any

from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.model import Status
from ...module_utils._core.work.final_record import error
from ...module_utils._core.work.node_answer import words
from .base import Work
from .connection_errors import HostError


def unreadable(work: Work, why: PatchtideError) -> dict[str, Any]:
    """Return the result of a host with an invalid answer: unknown, or nothing done if the work had not begun."""
    if work.stage == "precheck":
        finding = {"check": "probe", "ok": False, "text": words(why)}
        return {"outcome": "skip", "findings": [finding], "facts": {}}
    return {"status": Status.UNKNOWN.value, "error": error("unreadable", str(why))}


def lost(work: Work, why: PatchtideError) -> dict[str, Any]:
    """Return the result of a host on which a stage did not begin, or that did not answer a reading stage."""
    unreachable = isinstance(why, HostError) or work.trouble
    status = Status.UNREACHABLE if unreachable else Status.FAILED
    result: dict[str, Any] = {"status": status.value, "error": error(why.code, str(why))}
    if work.stage == "precheck":
        finding = {"check": "connection", "ok": False, "text": words(why)}
        return {**result, "outcome": "skip", "findings": [finding], "facts": {}}
    if work.stage == "reboot":
        return {**result, "status": Status.FAILED.value, "rebooted": False}
    return result
