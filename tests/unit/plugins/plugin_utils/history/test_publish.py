# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parquet through DuckDB: rows in their types, and the same bytes again."""

from __future__ import annotations

import stat
from pathlib import Path

import duckdb
import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.datasets import Part
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.runs import Run, limit_run
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.places import HistoryDirectory
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.publish import HistoryError, find_format, publish

AT = "2026-11-28T00:00:00.000Z"
LIMITS = limit_run({"stale": 7, "sla_critical": 14}, AT)


def test_parquet_has_the_rows_in_their_types(tmp_path: Path) -> None:
    store = HistoryDirectory(tmp_path)
    found = publish(store, LIMITS, find_format(store, None, True), AT)
    (path,) = tmp_path.rglob("*.parquet")
    assert path.relative_to(tmp_path).as_posix() == (
        f"limits/account=none/region=none/dt=2026-11-28/{found['publication']}.parquet"
    )
    relation = duckdb.sql(f"SELECT name, value, run_id, publication, schema_version FROM read_parquet('{path}')")
    assert relation.fetchall() == [
        ("sla_critical", 14.0, "limits", found["publication"], 1),
        ("stale", 7.0, "limits", found["publication"], 1),
    ]
    assert list(map(str, relation.types)) == ["VARCHAR", "DOUBLE", "VARCHAR", "VARCHAR", "BIGINT"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_equal_rows_are_equal_bytes_in_any_place(tmp_path: Path) -> None:
    for name in ("a", "b"):
        publish(HistoryDirectory(tmp_path / name), LIMITS, "parquet", AT)
    first, second = (next((tmp_path / name).rglob("*.parquet")) for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes() and first.name == second.name


def test_names_are_those_of_whole_files(tmp_path: Path) -> None:
    store = HistoryDirectory(tmp_path)
    publish(store, LIMITS, "jsonl", AT)
    (tmp_path / "published" / ".x.new").write_text("cut")
    assert list(store.names("published")) == ["published/limits.json"]
    assert store.read("published/none.json") is None


def test_a_row_that_does_not_fit_publishes_nothing(tmp_path: Path) -> None:
    rows = [(Part("limits", "", "", "2026-11-28"), {"name": "stale"})]
    with pytest.raises(HistoryError, match="value"):
        publish(HistoryDirectory(tmp_path), Run(run_id="x", kind="x", observed_at=AT, as_of=AT, rows=rows), "jsonl", AT)
    assert not list(tmp_path.iterdir())
