# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DuckDB, which the history uses if it is installed: it writes Parquet and runs the views of ``reports/sql``.

It reads only the files that it is given: no extensions are loaded and no addresses opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...module_utils._core.history.datasets import COMMON, DATASETS

#: One thread and one order make equal rows equal bytes (of one version of DuckDB).
_SETTINGS = {"threads": 1, "autoinstall_known_extensions": False, "autoload_known_extensions": False}


def has_duckdb() -> bool:
    return find_spec("duckdb") is not None


def connect(**more: Any) -> Any:
    """Return a connection to a database in memory. Only after ``has_duckdb``."""
    import duckdb

    return duckdb.connect(config={**_SETTINGS, **more})


def quoted(value: object) -> str:
    """Return a text as a literal of SQL."""
    return "'" + str(value).replace("'", "''") + "'"


def to_parquet(source: Path, dest: Path, dataset: str, more: Mapping[str, Any]) -> None:
    """Write rows in lines of JSON as Parquet, sorted by the key of their dataset.

    :param more: values of the columns that all rows have.
    """
    known = DATASETS[dataset]
    types = ", ".join(f"{name}: '{kind}'" for name, kind in known.columns.items())
    added = ", ".join(f"CAST({quoted(more[name])} AS {kind}) AS {name}" for name, kind in COMMON.items())
    read = f"read_json({quoted(source)}, format='newline_delimited', columns={{{types}}})"
    with connect() as database:
        database.execute(
            f"COPY (SELECT *, {added} FROM {read} ORDER BY {', '.join(known.key)}) "
            f"TO {quoted(dest)} (FORMAT parquet, COMPRESSION zstd)"
        )
