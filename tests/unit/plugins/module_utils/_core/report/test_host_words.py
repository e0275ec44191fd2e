# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host before and after its work, in words (TM-24, TM-29)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.host_words import host_lists

DIFFERENCES = {
    "kernel_installed": {"before": "6.1.0-30", "after": "6.1.0-31"},
    "failed_units": {"came": ["shop.service"], "gone": []},
    "ports": {"came": ["tcp 443"], "gone": ["tcp 80"]},
}
CHANGED = [
    "Newest installed kernel: 6.1.0-30 \u2192 6.1.0-31",
    "Failed services: + shop.service",
    "Listening ports: + tcp 443, \u2212 tcp 80",
]


def test_every_kind_has_its_words() -> None:
    patch = {"differences": DIFFERENCES, "held": {"a.all:1": "on hold"}, "failed": {"b.all:2": "exit code 100"}}
    patch |= {"removed": ["old"], "not_begun": "c.all:3", "notes": ["x uses deleted files", "y"]}
    scan = {"kernels": {"installed": "6.1.0-31", "available": "6.1.0-32"}, "held": {"id": "a.all:1", "text": "on hold"}}
    scan |= {"notes": [{"code": "esm", "text": "3 security fixes need Ubuntu Pro (esm-apps)"}]}
    assert host_lists({"patch": patch, "scan": scan}) == [
        ("Changed on the host", CHANGED),
        ("Kernels", ["newest installed: 6.1.0-31", "newest available: 6.1.0-32"]),
        ("Why updates failed", ["b.all:2: exit code 100"]),
        ("Held updates", ["a.all:1: on hold"]),
        ("Removed packages", ["old"]),
        ("Not begun in time", ["c.all:3"]),
        ("Notes of the host", ["x uses deleted files", "y", "3 security fixes need Ubuntu Pro (esm-apps)"]),
    ]


def test_several_attempts_are_told_one_after_the_other() -> None:
    twice = [DIFFERENCES, {"mounts": {"came": [], "gone": ["/srv ext4"]}}]
    assert host_lists({"patch": {"differences": twice}}) == [
        ("Changed on the host", [*CHANGED, "Mounts: \u2212 /srv ext4"])
    ]


@pytest.mark.parametrize(
    "evidence",
    [
        {},
        {"patch": {"command_id": "x"}},
        {"patch": []},
        {"scan": {"held": "x"}},
        {"patch": {"differences": {"ports": 3, "new": {}}}},
    ],
)
def test_what_says_nothing_has_no_list(evidence: dict[str, Any]) -> None:
    assert host_lists(evidence) == []
