# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes over the wire, counted by the benchmark's endpoint, with botocore's real clients and retries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.inventory import Scenario, endpoint, inventories, measure


def asked(scenario: Scenario, place: Path) -> dict[str, Any]:
    with endpoint(scenario, "1-2") as url:
        return measure(inventories(scenario, url, place)["ssm_fleet"], False, url)


def test_no_more_calls_than_pages(tmp_path: Path) -> None:
    """One describe call of each kind per 1,000 nodes of a place, one tag call per 100 hybrid nodes, one identity."""
    found = asked(Scenario(3_000, 2, hybrid=True), tmp_path)
    assert found["hosts"] == 3_000
    assert found["calls"] == {
        "GetCallerIdentity": 1,
        "DescribeInstanceProperties": 4,
        "DescribeInstances": 4,
        "GetResources": 6,
    }


def test_a_throttled_account_is_whole_in_the_end(tmp_path: Path) -> None:
    found = asked(Scenario(3_000, 1, hybrid=True, rate=2.0), tmp_path)
    assert found["calls"]["throttled"] > 0
    assert found["hosts"] == 3_000
    assert found["groups"] > 12
