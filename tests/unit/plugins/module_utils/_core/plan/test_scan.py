# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scan is sealed, and checked where it is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, OtherSchema
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.scan import (
    SCHEMA,
    check_scan,
    pack_scan,
    seal_scan,
    unpack_scan,
)

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
    with pytest.raises(BadInput, match=r"scan.json: .*was changed after it was made; run scan_compliance again"):
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


PATCHES = [
    {"id": "KB1", "title": "x", "cve_ids": ["CVE-2026-1"]},
    {"id": "KB2", "title": "y", "cve_ids": []},
    {"id": "KB1", "title": "x of another baseline", "cve_ids": []},
    {"id": "KB3", "title": "with what no key can hold", "more": {"a": [1]}},
]
LISTS = {"missing": PATCHES, "missing_after": ["KB1", "KB2", "KB9"], "pending": ["KB2"], "failed": [], "held": None}
LISTED = {**SCAN, "nodes": {f"i-{number}": {"status": "succeeded", **LISTS} for number in range(3)}}


def test_a_packed_scan_has_each_patch_once_and_is_read_as_it_was() -> None:
    packed = seal_scan(pack_scan(LISTED))
    assert packed["patches"] == PATCHES
    assert packed["nodes"]["i-2"]["missing"] == [0, 1, 2, 3] and packed["nodes"]["i-2"]["missing_after"] == [
        0,
        1,
        "KB9",
    ]
    read = json.loads(json.dumps(packed))
    check_scan(read, "scan.json")
    found = unpack_scan(read, "scan.json")
    assert found == {**LISTED, "digest": packed["digest"]}
    assert found["nodes"]["i-0"]["missing"] is found["nodes"]["i-1"]["missing"]


def test_a_scan_that_is_not_packed_is_read_too() -> None:
    assert unpack_scan(json.loads(json.dumps(seal_scan(LISTED))), "scan.json") == seal_scan(LISTED)


@pytest.mark.parametrize("name", ["missing", "rejected", "missing_after", "pending", "failed"])
def test_a_number_that_no_patch_has_is_refused_with_the_place(name: str) -> None:
    wrong = {**pack_scan(LISTED), "nodes": {"i-1": {"status": "succeeded", name: [0, 4]}}}
    check_scan(seal_scan(wrong), "scan.json")
    with pytest.raises(BadInput, match=rf"scan.json.nodes.i-1.{name}: .* numbers of the 4 patches"):
        unpack_scan(seal_scan(wrong), "scan.json")


@pytest.mark.parametrize("value", [-1, True, 1.0, None])
def test_what_is_neither_a_patch_nor_its_number_is_refused(value: Any) -> None:
    wrong = {**pack_scan(LISTED), "nodes": {"i-1": {"status": "succeeded", "missing": [0, value]}}}
    with pytest.raises(BadInput, match=r"scan.json.nodes.i-1.missing\[1\]"):
        check_scan(seal_scan(wrong), "scan.json")
