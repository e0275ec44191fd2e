# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan has every member that the planner writes: whoever reseals one without it is told which."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import check_plan, seal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.shape import PLAN
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.split import split_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.shape import Each, Object, OrNull, Shape, Values

from tests.fakes.plans import completed, whole_plans

#: The planner writes these only where they apply (docs/formats.md).
OPTIONAL = {
    "waves[].promote_from", "waves[].notes", "waves[].emptied",
    "waves[].nodes[].night", "waves[].nodes[].start", "waves[].nodes[].assessed_at",
    "waves[].nodes[].reboot_rule", "waves[].nodes[].list",
    "waves[].nodes[].content_open", "waves[].nodes[].pending_before",
    "waves[].nodes[].baseline", "waves[].nodes[].baseline_id", "waves[].nodes[].forecast",
    *(f"waves[].nodes[].forecast.{name}" for name in ("removes", "downgrades", "adds", "kept_back", "download_bytes")),
    "waves[].nodes[].deferred", "waves[].nodes[].urgent", "emergency",
    "failed_places[].account", "failed_places[].region",
    *(f"excluded[].{name}" for name in ("executor", "platform", "os", "account", "region", "patch_group")),
    *(f"excluded[].{name}" for name in ("owner", "application", "environment")),
}  # fmt: skip
#: Their names are data, so one less is another plan of the same shape.
DATA = (
    "emergency.left_out.",
    "waves[].nodes[].tags.",
    "waves[].nodes[].counts_before.",
    "waves[].gate.health_checks[].http",
)
SEALED = ("schema", "digest", "content_digest")
#: No member is all of these, so that at least one is of another type.
OTHER_TYPES = (None, True, -1, [None], {"x": None})


def places(value: Any, path: str = "", kind: str = "") -> Iterator[tuple[Any, Any, str, str]]:
    """Yield every member: what holds it, its key, its path and its path without numbers and names."""
    if isinstance(value, dict):
        for key in list(value):
            where, what = f"{path}.{key}".lstrip("."), f"{kind}.{key}".lstrip(".")
            yield value, key, where, what
            yield from places(value[key], where, what)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, f"{path}[{index}]", f"{kind}[]")


def first_places(plan: dict[str, Any]) -> Iterator[tuple[Any, Any, str, str]]:
    """Yield one member of each kind."""
    seen = set()
    for holder, key, where, what in places(plan):
        if what not in seen and where not in SEALED and not what.startswith(DATA):
            seen.add(what)
            yield holder, key, where, what


def stated(shape: Shape, path: str = "") -> Iterator[str]:
    """Yield the members that a shape states."""
    if isinstance(shape, OrNull):
        yield from stated(shape.item, path)
    elif isinstance(shape, Each):
        yield from stated(shape.item, f"{path}[]")
    elif isinstance(shape, Object):
        for name, item in {**shape.members, **shape.maybe}.items():
            yield (where := f"{path}.{name}".lstrip("."))
            yield from stated(item, where)
    else:
        assert not isinstance(shape, Values) or not isinstance(shape.item, Object)


def test_every_member_that_is_stated_is_written_and_every_written_one_is_stated() -> None:
    child = split_plan(completed([{"name": "w", "nodes": [{"node_id": "i-1"}]}]), "account")[0]
    written = {what for plan in whole_plans() for *_place, what in first_places(plan)}
    written |= {"part", *(f"part.{name}" for name in child["part"])}
    assert set(stated(PLAN)) == written


@pytest.mark.parametrize("plan", whole_plans(), ids=["list", "baseline", "emergency"])
def test_a_resealed_plan_without_a_member_is_refused_by_its_name(plan: dict[str, Any]) -> None:
    check_plan(plan)
    for holder, key, where, what in list(first_places(plan)):
        value = holder.pop(key)
        if what in OPTIONAL:
            check_plan(seal(plan))
        else:
            with pytest.raises(BadInput, match=f"an object with the member {key}$") as caught:
                check_plan(seal(plan), "plan.json")
            assert caught.value.option == f"plan.json.{where}".removesuffix(f".{key}")
        holder[key] = value


@pytest.mark.parametrize("plan", whole_plans(), ids=["list", "baseline", "emergency"])
def test_a_resealed_plan_with_a_member_of_another_type_is_refused_with_the_place(plan: dict[str, Any]) -> None:
    for holder, key, where, _what in list(first_places(plan)):
        value, refused = holder[key], 0
        for other in OTHER_TYPES:
            holder[key] = other
            try:
                check_plan(seal(plan), "plan.json")
            except BadInput as error:
                refused += 1
                assert re.match(re.escape(f"plan.json.{where}") + r"(\.x|\[0\])?(: |$)", f"{error.option}: "), error
        assert refused >= len(OTHER_TYPES) - 2, f"{where} may be almost anything"
        holder[key] = value
