# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Descriptor, pointer and manifest: what is written is read, and anything else is refused."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, OtherSchema
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.datasets import Part
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.runs import Run
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.store import (
    PARQUET,
    data_name,
    read_format,
    read_manifest,
    read_pointer,
    to_descriptor,
    to_manifest,
    to_pointer,
    to_publication,
)

AT = "2026-11-28T00:00:00.000Z"
RUN = Run(run_id="scan-1", kind="scan", observed_at=AT, as_of=AT, rows=[])
PART = Part("nodes", "1", "eu", "2026-11-28")


def test_what_is_written_is_read() -> None:
    assert read_format(to_descriptor(PARQUET), "x") == PARQUET
    pointer = read_pointer(to_pointer(RUN, "p", PARQUET, AT), "x")
    assert (pointer["run_id"], pointer["publication"], pointer["kind"]) == ("scan-1", "p", "scan")
    assert read_manifest(to_manifest(RUN, "p", [{"name": "n"}]), "x") == [{"name": "n"}]
    assert data_name(PART, "p", PARQUET) == "nodes/account=1/region=eu/dt=2026-11-28/p.parquet"


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"schema": "patchtide/scan/2"}'])
def test_anything_else_is_refused(data: bytes) -> None:
    for reader in (read_format, read_pointer, read_manifest):
        with pytest.raises(BadInput):
            reader(data, "x")


def test_another_version_is_named() -> None:
    with pytest.raises(OtherSchema):
        read_format(b'{"schema": "patchtide/history/2"}', "x")
    with pytest.raises(BadInput, match="one of parquet, jsonl"):
        read_format(b'{"schema": "patchtide/history/1", "format": "csv"}', "x")


def test_a_publication_is_that_of_its_rows() -> None:
    one = to_publication("scan-1", {PART: "a"})
    assert len(one) == 64 and one == to_publication("scan-1", {PART: "a"})
    others = [
        to_publication("scan-2", {PART: "a"}),
        to_publication("scan-1", {PART: "b"}),
        to_publication("scan-1", {}),
    ]
    assert one not in others
