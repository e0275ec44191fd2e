# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import Policy
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.read import read, to_document


def within(hint: Any) -> Iterator[Any]:
    """Yield the dataclasses that a type consists of."""
    if is_dataclass(hint):
        yield hint
        hints = get_type_hints(hint)
        for item in fields(hint):
            yield from within(hints[item.name])
    for part in get_args(hint):
        yield from within(part)


@pytest.mark.parametrize("kind", sorted(set(within(Policy)), key=lambda kind: kind.__name__))
def test_what_has_nothing_is_read_and_has_every_member(kind: Any) -> None:
    """Checks look at all of a document that has mistakes, so each part of it must become a value."""
    assert set(to_document(read(kind, {}))) == {item.name for item in fields(kind)}
