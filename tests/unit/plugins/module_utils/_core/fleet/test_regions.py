# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Regions that an inventory spans, and its places."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.accounts import Account
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.regions import pick_regions, to_fleet_places

ONE, TWO = "111111111111", "222222222222"
ARN = f"arn:aws:iam::{ONE}:role/patchtide"
ENABLED = ["eu-central-1", "eu-west-1", "us-east-1"]


@pytest.mark.parametrize(
    ("wanted", "excluded", "found"),
    [
        (["all"], [], ENABLED),
        (["eu-*"], ["eu-west-1"], ["eu-central-1"]),
        (["me-south-1", "us-*"], [], ["me-south-1", "us-east-1"]),
        (["all"], ["*"], []),
    ],
)
def test_regions(wanted: list, excluded: list, found: list) -> None:
    assert pick_regions(wanted, ENABLED, excluded) == found


def test_places_are_sorted() -> None:
    accounts = [Account(id=TWO), Account(id=ONE, role_arn=ARN)]
    places = to_fleet_places(accounts, {ONE: ["us-east-1", "eu-west-1"], TWO: ["eu-west-1"]})
    assert [place.label for place in places] == [f"{ONE}/eu-west-1", f"{ONE}/us-east-1", f"{TWO}/eu-west-1"]
    assert places[0].role_arn == ARN
