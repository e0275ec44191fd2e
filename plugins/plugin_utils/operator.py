# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Determines who runs a step. Neither extra variables nor the environment alone identify a person."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from typing import Any

from ..module_utils._core.text import plain
from ..module_utils._core.trust.operator import Operator

#: Launches by a person. AWX writes no user into the variables of other launches (schedules, webhooks, callbacks), so
#: their data can forge one. AWX always writes the launch type itself, over all extra variables:
#: ansible/awx, awx/main/models/unified_jobs.py and jobs.py (awx_meta_vars).
_BY_HAND = ("manual", "relaunch")
#: AWX sets it for each job: ansible/awx, awx/main/tasks/jobs.py (build_env).
_AWX_JOB_DIR = "AWX_PRIVATE_DATA_DIR"


def find_operator(task_vars: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Operator:
    """Return the account of the process (not LOGNAME) and, within its jobs, the user of AWX."""
    environ = os.environ if environ is None else environ
    for prefix in ("awx", "tower"):
        user, job = task_vars.get(f"{prefix}_user_name"), _number(task_vars.get(f"{prefix}_job_id"))
        by_hand = task_vars.get(f"{prefix}_job_launch_type") in _BY_HAND
        if environ.get(_AWX_JOB_DIR) and isinstance(user, str) and user and job and by_hand:
            return Operator(
                login=_login(),
                awx_user=plain(user)[:150],
                awx_user_id=_number(task_vars.get(f"{prefix}_user_id")),
                awx_job=job,
            )
    return Operator(login=_login())


def _number(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _login() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
