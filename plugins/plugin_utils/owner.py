# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Determines which owner asks: a person in person, never a schedule."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..module_utils._core.owners.window_choices import NotOwner
from ..module_utils._core.text import plain
from .operator import find_operator


def requester(task_vars: Mapping[str, Any]) -> str:
    """Return who asks. Of AWX's jobs only those that a person launched say so; it writes its variables over all others.

    :raises NotOwner: nobody in person asks.
    """
    if os.environ.get("JOB_ID") or task_vars.get("awx_job_id") or task_vars.get("tower_job_id"):
        kind = task_vars.get("awx_job_launch_type") or task_vars.get("tower_job_launch_type")
        if kind not in ("manual", "relaunch"):
            raise NotOwner(f"A job that is launched by {plain(kind)} has no person; owners launch it themselves.")
    found = find_operator(task_vars)
    return found.awx_user or found.login
