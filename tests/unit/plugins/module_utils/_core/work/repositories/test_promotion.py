# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot reaches a later wave after an earlier one, never before."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.expected import (
    RepositoryRules,
    to_expected,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.promotion import wave_mistakes

WAVES = ("dev", "test", "prod")
NODE = Candidate(node_id="a", host="a")


def base(**more: Any) -> dict[str, Any]:
    return {"name": "base", "manager": "dnf", "urls": ["http://m/{snapshot}/os"], **more}


def wrong(**more: Any) -> list[tuple[str, Any]]:
    return [(item.option, item.value) for item in wave_mistakes(to_expected([base(**more)], "x"), WAVES, "x")]


@pytest.mark.parametrize(
    "dates",
    [
        {"dev": "20260701", "test": "20260601", "prod": "20260501"},
        {"dev": "20260701", "test": "20260701", "prod": "20260701"},
        {"dev": "2026-07-01", "test": "20260701", "prod": "20260701T000000Z"},
        {"dev": "view-9", "test": "view-12", "prod": "view-10"},  # names have no order
    ],
)
def test_a_wave_may_have_the_date_of_an_earlier_wave_or_an_older_one(dates: dict[str, str]) -> None:
    assert wrong(snapshots=dates) == []


@pytest.mark.parametrize(
    ("dates", "wave"),
    [
        ({"dev": "20260601", "test": "20260601", "prod": "20260602"}, "prod"),
        ({"dev": "20260601", "test": "20260602", "prod": "20260601"}, "test"),
        ({"dev": "20260701", "test": "20260501", "prod": "20260601"}, "prod"),
        ({"dev": "20260601", "test": "20260601", "prod": "20260601T000001Z"}, "prod"),
        ({"dev": "2026-06-01", "test": "2026-06-01", "prod": "20260630"}, "prod"),
        ({"dev": "20260601", "test": "view-9", "prod": "20260602"}, "prod"),
    ],
)
def test_a_later_date_for_a_later_wave_is_refused(dates: dict[str, str], wave: str) -> None:
    assert wrong(snapshots=dates) == [(f"x[0].snapshots.{wave}", dates[wave])]


def test_the_date_of_all_waves_counts_for_those_that_have_no_own() -> None:
    assert wrong(snapshot="20260601", snapshots={"prod": "20260501"}) == []
    assert wrong(snapshot="20260601", snapshots={"prod": "20260602"}) == [("x[0].snapshots.prod", "20260602")]


def test_every_wave_needs_a_snapshot_and_no_other_wave_has_one() -> None:
    assert wrong(snapshots={"dev": "1", "test": "1"}) == [("x[0].snapshots.prod", "")]
    assert wrong(snapshot="1", snapshots={"prd": "1"}) == [("x[0].snapshots.prd", "1")]


def test_a_node_is_expected_to_have_the_snapshot_of_its_wave() -> None:
    rules = RepositoryRules(expected=to_expected([base(snapshot="20260601", snapshots={"prod": "20260501"})], "x"))
    found = [item.addresses for wave in ("dev", "prod", "") for item in rules.of(NODE, wave)]
    assert found == [("http://m/20260601/os",), ("http://m/20260501/os",), ("http://m/20260601/os",)]


def test_a_node_in_no_wave_has_no_snapshot_that_only_waves_have() -> None:
    rules = RepositoryRules(expected=to_expected([base(snapshots={"prod": "20260501"})], "x"))
    assert [len(rules.of(NODE, wave)) for wave in ("prod", "")] == [1, 0]


def test_a_snapshot_of_a_wave_is_a_date_or_a_name() -> None:
    with pytest.raises(BadInput, match=r"snapshots\.prod"):
        to_expected([base(snapshots={"prod": "a b"})], "x")
    with pytest.raises(BadInput, match=r"snapshots\.prod"):
        to_expected([base(snapshots={"prod": ""})], "x")
    with pytest.raises(BadInput, match="snapshot"):
        to_expected([{**base(), "urls": ["http://m/os"], "snapshots": {"prod": "1"}}], "x")
