# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs a step is the account of the process; what AWX says counts inside of its jobs that a person launched."""

from __future__ import annotations

import os
import pwd
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.operator import find_operator

LOGIN = pwd.getpwuid(os.getuid()).pw_name
IN_AWX = {"AWX_PRIVATE_DATA_DIR": "/tmp/awx_1"}
MANUAL = {"awx_user_name": "boss", "awx_user_id": 7, "awx_job_id": 12, "awx_job_launch_type": "manual"}


@pytest.mark.parametrize(
    ("task_vars", "environ"),
    [
        ({"awx_user_name": "boss"}, {}),
        (MANUAL, {}),
        ({"awx_user_name": "boss"}, IN_AWX),
        ({**MANUAL, "awx_job_launch_type": "scheduled"}, IN_AWX),
        ({**MANUAL, "awx_job_launch_type": "webhook"}, IN_AWX),
        ({**MANUAL, "awx_job_id": ""}, IN_AWX),
        ({}, {"LOGNAME": "boss", "USER": "boss"}),
    ],
)
def test_a_planted_name_is_nobody_s(task_vars: dict[str, Any], environ: dict[str, str]) -> None:
    found = find_operator(task_vars, environ)
    assert (found.name, found.awx_user) == (LOGIN, "")


@pytest.mark.parametrize("prefix", ["awx", "tower"])
def test_in_a_job_that_a_person_launched(prefix: str) -> None:
    found = find_operator({f"{prefix}{name[3:]}": value for name, value in MANUAL.items()}, IN_AWX)
    assert (found.name, found.awx_user_id, found.login) == ("boss (AWX job 12)", 7, LOGIN)


def test_a_name_stays_on_its_line() -> None:
    assert "\n" not in find_operator({**MANUAL, "awx_user_name": "boss\n" * 99}, IN_AWX).name
