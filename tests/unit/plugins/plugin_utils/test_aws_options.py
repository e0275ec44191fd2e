# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions of a rollout carry its name, for CloudTrail."""

from __future__ import annotations

import re

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.aws_options import aws_spec, to_sessions


@pytest.mark.parametrize(("rollout", "name"), [("", "patchtide"), ("5b418ab7d6a0", "patchtide-5b418ab7d6a0")])
def test_the_session_of_an_assumed_role_names_the_rollout(rollout: str, name: str) -> None:
    options = {**dict.fromkeys(aws_spec()), "region": "eu-central-1"}
    found = to_sessions(options, rollout)._connection.session_name
    assert found == name
    assert re.fullmatch(r"[\w+=,.@-]{2,64}", found), "what AssumeRole takes (STS API reference, RoleSessionName)"
