# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.records import ExceptionRecord, Period
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.severity import (
    check_length,
    open_severities,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Select
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time

NOW = from_time("2026-12-01T22:00:00Z")


def record(*severities: str | None, **more: Any) -> dict[str, Any]:
    missing = [{"id": "x", **({} if name is None else {"severity": name})} for name in severities]
    return {"host": "web-1", "patch_group": "WEB", "status": "succeeded", "missing": missing, **more}


def scan(*records: dict[str, Any], at: str = "2026-12-01T20:00:00Z") -> dict[str, Any]:
    return {"at": at, "nodes": {f"i-{number}": item for number, item in enumerate(records, 1)}}


WEB = Select(nodes=("web-1",))
CASES: dict[str, tuple[dict[str, Any] | None, Select, tuple[str, ...]]] = {
    "Red Hat, SUSE and Microsoft": (scan(record("Moderate", "Critical")), WEB, ("critical", "moderate")),
    "Amazon Linux": (scan(record("medium", "important")), WEB, ("important", "moderate")),
    "by the service's ID": (scan(record("Low")), Select(nodes=("i-1",)), ("low",)),
    "by patch group": (
        scan(record("Low"), record("Critical", patch_group="DB")),
        Select(patch_groups=("WEB",)),
        ("low",),
    ),
    "two nodes": (scan(record("Low"), record("Important")), Select(patch_groups=("WEB",)), ("important", "low")),
    "no severity": (scan(record("Low", None)), WEB, ("low", "unknown")),
    "a word for none": (scan(record("Unspecified")), WEB, ("unknown",)),
    "nothing is missing yet": (scan(record()), WEB, ("unknown",)),
    "a node that was not scanned": (scan(record("Low")), Select(nodes=("web-1", "web-2")), ("low", "unknown")),
    "a node that did not answer": (scan(record("Low", status="unreachable")), WEB, ("low", "unknown")),
    "nobody": (scan(record("Low")), Select(patch_groups=("DB",)), ("unknown",)),
    "what a scan can't answer": (scan(record("Low")), Select(nodes=("web-1",), tags={"a": ("b",)}), ("unknown",)),
    "no scan": (None, WEB, ("unknown",)),
    "an old scan": (scan(record("Low"), at="2026-11-24T21:59:59Z"), WEB, ("unknown",)),
    "a scan of the future": (scan(record("Low"), at="2026-12-01T22:00:01Z"), WEB, ("unknown",)),
    "a scan of a week ago": (scan(record("Low"), at="2026-11-24T22:00:00Z"), WEB, ("low",)),
}


@pytest.mark.parametrize("name", CASES)
def test_what_stays_open(name: str) -> None:
    given, select, severities = CASES[name]
    assert open_severities(select, given, NOW) == severities


@pytest.mark.parametrize(
    ("severities", "limits", "days", "most"),
    [
        (("low",), {"critical": 3, "any": 30}, 30, None),
        (("low",), {"critical": 3, "any": 30}, 31, 30),
        (("low", "critical"), {"critical": 3, "any": 30}, 4, 3),
        (("low",), {"critical": 3}, 90, None),
        (("unknown",), {"critical": 3, "any": 30}, 4, 3),
        (("unknown",), {"critical": 30, "low": 2}, 3, 2),
        (("unknown",), {}, 90, None),
    ],
)
def test_how_long(severities: tuple[str, ...], limits: dict[str, int], days: int, most: int | None) -> None:
    period = Period(start=date(2026, 1, 1), end=date.fromordinal(date(2026, 1, 1).toordinal() + days - 1))
    found = ExceptionRecord(exception_id="E", select=WEB, period=period, reason="r", requested_by="d")
    if most is None:
        check_length(found, severities, limits)
    else:
        with pytest.raises(BadInput, match=f"at most {most} days"):
            check_length(found, severities, limits)
