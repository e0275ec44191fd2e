# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""check_connectivity on the lab, whose instances are in a VPC without any way: it reads only, and hides no account."""

from __future__ import annotations

import json

import pytest

from lab.aws.launch import Lab
from tests.playbooks.test_enroll_nodes import DATA, SHARED, WEB, Estate, policy, running

__all__ = ["running"]


@pytest.fixture
def estate(running: Lab, tmp_path_factory: pytest.TempPathFactory) -> Estate:
    running.reset()
    return Estate(running, tmp_path_factory.mktemp("networks"), policy(SHARED, WEB, DATA))


@pytest.mark.slow
def test_nodes_say_what_they_reach_and_who_was_not_asked(estate: Estate) -> None:
    estate.aws.post("faults", {"node": "web-01", "no_way_to": ["*.s3.*", "satellite.*"]})
    given = {"patchtide_from_nodes": True, "patchtide_endpoints": ["https://satellite.example.com/pub"]}
    found = estate.play("check_connectivity", "-e", json.dumps(given))
    assert found.status != 0 and found.changed == 0 and not estate.writes() - {"SendCommand"}, found.output
    shown = " ".join(found.output.split())
    assert "aws-ssm-eu-central-1.s3.eu-central-1.amazonaws.com is not reached from web-01" in shown
    assert "satellite.example.com is not reached from web-01" in shown
    assert "ssm.eu-central-1.amazonaws.com is reached from all 1 nodes" in shown
    for text in ("web-02: its agent does not answer", "db01: there is no connection to it", "switch01: no executor"):
        assert text in shown


@pytest.mark.slow
def test_each_vpc_is_shown_with_the_change_it_needs(estate: Estate) -> None:
    found = estate.play("check_connectivity")
    assert found.status != 0 and found.changed == 0 and not estate.writes(), found.output + found.errors
    assert "--service-name com.amazonaws.eu-central-1.ssm " in found.output
    assert "checks are wrong or unknown; the lines above have the changes" in found.error()
    assert "Could not assume role arn:aws:iam::333333333333:role/patchtide-denied" in found.error()
