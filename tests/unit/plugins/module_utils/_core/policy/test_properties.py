# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever stands in a policy, reading it ends in a policy or in a PolicyError that names a place."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.errors import PolicyError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import Policy
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.policy.file import check_policy
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[6]
EXAMPLE = yaml.safe_load((ROOT / "lab" / "policy.yml").read_text("utf-8")) | {
    "exclude": [{"select": {}, "reason": "x"}]
}
TEXT = st.text(max_size=8) | st.sampled_from(
    ["{{ 7*7 }}", "10%", "WEB-DEV", "canary", "cron(0 0 * * ? *)", "\n", "\x00"]
)
SCALARS = st.none() | st.booleans() | st.integers(-5, 10**12) | st.floats() | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(found for key, value in inner for found in places(value, (*path, key)))]


@settings(max_examples=400, deadline=None)
@given(changes=st.lists(st.tuples(st.sampled_from(places(EXAMPLE)[1:]), VALUES), min_size=1, max_size=3))
def test_any_value_anywhere(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    policy: Any = deepcopy(EXAMPLE)
    for path, value in changes:
        holder = policy
        try:
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    read(policy)


@settings(max_examples=100, deadline=None)
@given(data=VALUES)
def test_anything_at_all(data: Any) -> None:
    read(data)


def read(data: Any) -> None:
    try:
        policy = check_policy(data)
    except PolicyError as error:
        assert error.mistakes and all(mistake.path and mistake.expected for mistake in error.mistakes)
        assert "line" not in str(error).partition(":")[0]
    else:
        assert isinstance(policy, Policy)
        assert check_policy(policy.to_dict()) == policy
