# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What many module calls did in many account-Regions, added up."""

from __future__ import annotations

from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.place_summary import summarise


def row(place: str, kind: str = "windows", **more: bool) -> dict[str, Any]:
    return {"place": place, "kind": kind, **more}


def failed(kind: str = "windows", **reasons: str) -> dict[str, Any]:
    rows = [{**row(place, kind), "error": {"code": "X", "message": text}} for place, text in reasons.items()]
    return {"objects": [], "failed_objects": rows, "msg": "some failed"}


def test_counts_per_place_and_kind() -> None:
    baselines = [row("a", "baselines", changed=True, created=True), row("b", "baselines"), row("a", "baselines")]
    first, second = {"objects": baselines}, {"objects": [row("a", changed=True)]}
    found = summarise({"results": [first, second]})
    assert found["places"]["a"]["baselines"] == {"created": 1, "changed": 0, "unchanged": 1, "failed": 0}
    assert found["lines"] == ["a: baselines 1 created, 1 unchanged; windows 1 changed", "b: baselines 1 unchanged"]


def test_each_place_is_named_once_with_its_first_reason() -> None:
    found = summarise({"results": [failed(a="first"), failed(a="second")]})
    assert found["failed"] == [{"place": "a", "reason": "first", "count": 2}]
    assert found["failures"] == ["FAILED in a: first (and 1 more)"]
    assert found["places"]["a"]["windows"]["failed"] == 2


def test_what_fails_alike_is_said_once() -> None:
    assert summarise(failed(a="down", b="down"))["failures"] == ["FAILED in a, b: down"]


def test_places_that_were_not_reached_count_as_failed_but_not_as_objects() -> None:
    unreached = [{"place": "b", "error": {"code": "X", "message": "role denied"}}]
    found = summarise({"objects": [row("a")]}, {"results": [{"failed_places": unreached, "places": [{"place": "a"}]}]})
    assert found["lines"] == ["a: windows 1 unchanged", "FAILED in b: role denied"]


def test_a_call_that_fails_before_it_reaches_any_place() -> None:
    ignored = {"results": [{"failed": False, "failed_when_result": False, "msg": "no such option"}]}
    assert summarise(ignored)["failures"] == ["FAILED in everywhere: no such option"]
    refused = {"failed": True, "msg": "no", "objects": [], "failed_objects": []}
    assert summarise(refused)["failures"] == ["FAILED in everywhere: no"]


def test_nothing_to_do_is_nothing_to_say() -> None:
    assert summarise({"results": [], "skipped": True})["lines"] == []
    assert summarise({"objects": [], "failed_objects": [], "failed_when_result": False})["lines"] == []
