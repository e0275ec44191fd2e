# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A value is computed once for each object, whatever becomes of the others."""

from __future__ import annotations

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.lists.per_object import PerObject


def test_each_object_is_asked_once_and_with_each_argument() -> None:
    asked: list[tuple[list[int], int]] = []
    total = PerObject(lambda items, more: asked.append((items, more)) or sum(items) + more)
    one, equal = [1, 2], [1, 2]
    assert [total(one, 0), total(one, 0), total(one, 5), total(equal, 0)] == [3, 3, 8, 3]
    assert len(asked) == 3 and asked[2][0] is equal


def test_an_object_that_nobody_else_keeps_is_never_mistaken_for_another() -> None:
    total = PerObject(sum)
    assert [total([number]) for number in range(1000)] == list(range(1000))
