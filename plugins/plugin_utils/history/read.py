# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a history with DuckDB: the rows that count as tables, and the views of ``reports/sql`` on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...module_utils._core.errors import BadInput
from ...module_utils._core.history.datasets import COMMON, DATASETS, PARTITION, PUBLICATIONS, TEXT
from ...module_utils._core.history.store import (
    DESCRIPTOR,
    PARQUET,
    POINTERS,
    HistoryStore,
    manifest_name,
    read_format,
    read_manifest,
    read_pointer,
)
from .duck import connect, has_duckdb, quoted
from .publish import HistoryError

SQL = Path(__file__).parents[3] / "reports" / "sql"
#: Views on which many others are built. Kept as tables, they are computed once.
_KEPT = ("node_days", "node_now", "patch_ages", "rollout_list", "finding_changes")
_MEMORY = "600MB"


@contextmanager
def open_history_tables(store: HistoryStore, since: str = "", until: str = "") -> Iterator[Any]:
    """Yield a connection that has the history's tables and views, and reads nothing else.

    :param since: first day of the rows, such as ``2026-01-01``; all by default.
    :param until: last day on which the state of a run was known; what is known only later does not count.
    :raises HistoryError: DuckDB is not installed. :raises BadInput: the place has no history.
    """
    if not has_duckdb():
        raise HistoryError("queries need the Python library duckdb on the controller: pip install duckdb")
    data = store.read(DESCRIPTOR)
    if data is None:
        raise BadInput("history", store.where, f"a history; {DESCRIPTOR} is not there, so publish to it first")
    form = read_format(data, f"{store.where}/{DESCRIPTOR}")
    with TemporaryDirectory(prefix="patchtide-query-") as name:
        staged = Path(name)
        more = {"memory_limit": _MEMORY, "temp_directory": str(staged / "spill")}
        with connect(str(staged / "history.db"), **more) as database:
            pointers, files = _stage(store, staged, since, until)
            _load(database, PUBLICATIONS, "publications", pointers, "json")
            for dataset, known in DATASETS.items():
                columns = {**known.columns, **COMMON, **dict.fromkeys(PARTITION, TEXT)}
                _load(database, columns, dataset, files.get(dataset, []), form)
            database.execute("SET enable_external_access = false")
            create_views(database)
            database.execute("SET lock_configuration = true")
            yield database


def view_names() -> list[str]:
    """Return the names of all views, in the order in which they are created."""
    return [path.stem.partition("_")[2] for path in sorted(SQL.glob("*.sql")) if not path.stem.startswith("00")]


def create_views(database: Any) -> None:
    """Create the views, those on which many others are built as tables with the same content."""
    for path in sorted(SQL.glob("*.sql")):
        text, name = path.read_text("utf-8"), path.stem.partition("_")[2]
        kind = "TABLE" if name in _KEPT else "VIEW"
        database.execute(text.replace("CREATE OR REPLACE VIEW", f"CREATE OR REPLACE {kind}"))


def _stage(store: HistoryStore, folder: Path, since: str, until: str) -> tuple[list[str], dict[str, list[str]]]:
    """Return the files of the pointers, and those of the rows that count by dataset."""
    pointers: list[str] = []
    files: dict[str, list[str]] = {}
    for number, name in enumerate(store.names(POINTERS)):
        data = store.read(name) or b""
        pointer = read_pointer(data, f"{store.where}/{name}")
        if until and pointer["kind"] != "limits" and pointer["as_of"][:10] > until:
            continue
        (folder / f"{number}.json").write_bytes(data)
        pointers.append(str(folder / f"{number}.json"))
        manifest = manifest_name(pointer["publication"])
        for item in read_manifest(store.read(manifest) or b"", f"{store.where}/{manifest}"):
            dataset, day = _place(item["name"])
            if dataset in DATASETS and (day >= since or dataset == "limits"):
                files.setdefault(dataset, []).append(store.local(item["name"], str(folder / "data")))
    return pointers, files


def _place(name: str) -> tuple[str, str]:
    """Return dataset and day of a data file."""
    parts = name.split("/")
    return parts[0], parts[3].partition("=")[2]


def _load(database: Any, columns: Mapping[str, str], table: str, files: Sequence[str], form: str) -> None:
    """Create a table with exactly these columns; those that older files do not have are null."""
    typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    database.execute(f"CREATE TABLE {table} ({typed})")
    if not files:
        return
    listed = f"[{', '.join(map(quoted, files))}]"
    hive = "hive_partitioning=true, hive_types_autocast=false, union_by_name=true"
    if form == PARQUET:
        source = f"read_parquet({listed}, {hive})"
    else:
        types = ", ".join(f"{name}: '{kind}'" for name, kind in columns.items() if name not in PARTITION)
        hive = hive if form != "json" else "union_by_name=true"
        source = f"read_json({listed}, format='newline_delimited', columns={{{types}}}, {hive})"
    found = {row[0] for row in database.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    names = ", ".join(name for name in columns if name in found)
    database.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {source}")
