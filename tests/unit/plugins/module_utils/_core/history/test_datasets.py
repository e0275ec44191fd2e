# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datasets: their keys are columns, rows fit them, and partitions are paths that engines read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.datasets import (
    COMMON,
    DATASETS,
    PARTITION,
    TYPES,
    Part,
    check_row,
)


@pytest.mark.parametrize("name", DATASETS)
def test_keys_are_columns_and_no_column_is_named_twice(name: str) -> None:
    known = DATASETS[name]
    assert set(known.key) <= set(known.columns) and set(known.columns.values()) <= set(TYPES)
    assert not set(known.columns) & {*COMMON, *PARTITION}
    assert name.islower() and all(column.islower() for column in known.columns), "Glue knows lower case only"


def test_a_partition_never_has_an_empty_value_or_a_slash() -> None:
    assert Part("nodes", "", "", "2026-11-28").folder == "nodes/account=none/region=none/dt=2026-11-28"
    assert Part("nodes", "a/../b", "x y", "d").folder == "nodes/account=a%2F..%2Fb/region=x%20y/dt=d"


@pytest.mark.parametrize(
    "row", [{"name": "x"}, {"name": "x", "value": True}, {"name": 1, "value": 1.0}, {"name": "x", "value": 1, "y": 2}]
)
def test_a_row_that_does_not_fit_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="limits"):
        check_row("limits", row)


def test_numbers_may_be_whole_and_anything_unknown() -> None:
    check_row("limits", {"name": "stale", "value": 7})
    check_row("limits", {"name": None, "value": None})
