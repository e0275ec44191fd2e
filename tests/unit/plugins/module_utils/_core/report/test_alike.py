# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that need attention for the same reason are one entry."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Status
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.exclude import TROUBLE
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.alike import group_alike
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.next_steps import next_step
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.rows import TONES


def item(name: str, reason: str, **more: str) -> dict[str, str]:
    given = {"status": "failed", "tone": "bad", "code": "patch_failed", "wave": "canary", "host": name, "name": name}
    return {"node_id": f"i-{name}", "reason": reason, **given, **more}


def test_names_and_numbers_of_a_node_make_no_other_cause() -> None:
    (cause,) = group_alike(
        [item("web-alpha", "disk of web-alpha has 212 MiB free"), item("web-beta", "disk of web-beta has 7 MiB free")]
    )
    assert (cause["count"], cause["same"], cause["reason"]) == (2, False, "disk of web-alpha has 212 MiB free")
    assert [(node["name"], node["reason"]) for node in cause["nodes"]][1] == (
        "web-beta",
        "disk of web-beta has 7 MiB free",
    )


def test_another_reason_code_or_status_is_another_cause_and_urgent_ones_come_first() -> None:
    causes = group_alike(
        [
            item("a", "held", status="skipped", tone="held", code="precheck_disk"),
            item("b", "gone", status="unknown", tone="unknown", code="no_state"),
            item("c", "exit 1"),
            item("d", "dpkg was interrupted"),
            item("e", "dpkg was interrupted", wave="broad"),
        ]
    )
    assert [(cause["tone"], cause["count"]) for cause in causes] == [
        ("bad", 2),
        ("bad", 1),
        ("unknown", 1),
        ("held", 1),
    ]
    assert causes[0]["same"] and causes[0]["waves"] == ["canary", "broad"]


@pytest.mark.parametrize("status", [status.value for status in Status] + ["unfinished", "missed"])
def test_whatever_needs_attention_has_a_next_step(status: str) -> None:
    assert next_step(status, "a code that nobody knows") and TONES[status]


@pytest.mark.parametrize("code", TROUBLE)
def test_every_trouble_has_a_next_step_of_its_own(code: str) -> None:
    assert next_step("excluded", code)
