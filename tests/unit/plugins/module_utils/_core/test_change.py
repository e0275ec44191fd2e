# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a declaration would change, as Ansible shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.change import Change, merge, to_data


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Thing:
    name: str
    size: int | None = None
    parts: tuple[Colour, ...] = field(default=())


def test_equal_values_are_no_change() -> None:
    assert not Change(Thing("a"), Thing("a")).changed
    assert Change(None, Thing("a")).changed


def test_diff_holds_plain_data_and_announces_a_recreation() -> None:
    diff = Change(Thing("a"), Thing("a", 1, (Colour.RED,)), recreate="it can't grow").to_diff("thing a")
    assert diff["before"] == {"name": "a", "parts": []}
    assert diff["after"] == {"name": "a", "size": 1, "parts": ["red"]}
    assert diff["after_header"] == "thing a (recreated: it can't grow)"


def test_none_means_not_given() -> None:
    assert merge(Thing("a", 1), {"size": None, "name": "b"}) == Thing("b", 1)


def test_nested_values_become_data() -> None:
    assert to_data({"x": [Thing("a")]}) == {"x": [{"name": "a", "parts": []}]}


def test_renewal_is_a_change_and_is_announced() -> None:
    change = Change({"a": 1}, {"a": 1}, renew="it is old")
    assert change.changed
    assert change.to_diff("x")["after_header"] == "x (renewed: it is old)"
