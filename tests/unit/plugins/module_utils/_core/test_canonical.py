# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canonical JSON: the digest is that of the whole text, however it is hashed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.canonical import to_canonical, to_digest
from hypothesis import example, given
from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=20,
)


@given(JSON)
@example({"a": [{"b": [{"c": [{"d": [[]]}]}]}], "é": {}, "": []})
@example({1: "number", 2: "other"})
@example([[[[[[("tuple", "\ud800")]]]]]])
@example(
    [[[[{"a": 1, "b": [{"id": 1}, {"id": 2}], "c": [], "d": [{}, 1], "e": {"b": [{"x": 1}]}, "é": [{"y": [{}]}]}]]]]
)
@example([[[[{"only": [{"id": 1}]}, {1: [{"id": 1}]}, {"z": [{"id": 1}], "y": (1,)}]]]])
def test_the_digest_is_that_of_the_canonical_text(data: Any) -> None:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    assert to_canonical(data) == text
    assert to_digest(data) == hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@pytest.mark.parametrize("data", [{"a": float("nan")}, [[float("inf")]], {"a": {1}}])
def test_what_is_no_json_has_no_digest(data: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        to_digest(data)


def test_equal_objects_of_a_list_are_told_apart_by_what_they_are_now() -> None:
    shared = {"id": "a"}
    nodes = [{"patches": [shared, {"id": str(number)}]} for number in range(100)]
    assert to_digest([[[[nodes]]]]) == to_digest(json.loads(json.dumps([[[[nodes]]]])))
    before = to_digest([[[nodes]]])
    shared["id"] = "b"
    assert to_digest([[[nodes]]]) != before
