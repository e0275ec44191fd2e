# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scan is sealed, and checked where it is read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, OtherSchema
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.scan import SCHEMA, check_scan, seal_scan

SCAN = {
    "schema": SCHEMA,
    "at": "2026-12-01T22:00:00.000Z",
    "nodes": {"i-1": {"status": "succeeded", "missing": [{"id": "KB1", "title": "x"}], "counts": {"missing_count": 1}}},
    "failed_places": [],
}


def test_what_was_sealed_is_read() -> None:
    check_scan(seal_scan(SCAN), "scan.json")


def test_a_node_that_was_called_clean_afterwards_is_noticed() -> None:
    edited = seal_scan(SCAN) | {"nodes": {"i-1": {"status": "succeeded", "missing": []}}}
    with pytest.raises(BadInput, match=r"scan.json: .*the scan was changed after it was made"):
        check_scan(edited, "scan.json")
    with pytest.raises(BadInput, match=r"scan.json: None is not valid, expected the digest"):
        check_scan(SCAN, "scan.json")


def test_another_version_s_scan_is_refused() -> None:
    with pytest.raises(OtherSchema, match="patchtide/scan/1"):
        check_scan(seal_scan({**SCAN, "schema": "patchtide/scan/1"}), "scan.json")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"nodes": []}, "scan.json.nodes"),
        ({"nodes": {"i-1": None}}, "scan.json.nodes.i-1"),
        ({"nodes": {"i-1": {"status": 1}}}, "scan.json.nodes.i-1.status"),
        ({"nodes": {"i-1": {"status": "x", "missing": [{}]}}}, r"scan.json.nodes.i-1.missing\[0\]"),
        ({"nodes": {"i-1": {"status": "x", "missing": [{"id": "a\x9b"}]}}}, r"scan.json.nodes.i-1.missing\[0\].id"),
        ({"nodes": {"i-1": {"status": "x", "counts": {"a": 10**400}}}}, "scan.json.nodes.i-1.counts.a"),
        ({"failed_places": [{"place": "x"}]}, r"scan.json.failed_places\[0\]"),
    ],
)
def test_a_resealed_scan_of_another_shape_is_refused_with_the_place(change: dict[str, Any], where: str) -> None:
    with pytest.raises(BadInput, match=f"^{where}: "):
        check_scan(seal_scan({**SCAN, **change}), "scan.json")
