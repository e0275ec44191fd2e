# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DuckDB, which the history uses if it is installed: it writes Parquet and runs the views of ``reports/sql``.

It reads only the files that it is given: no extensions are loaded and no addresses opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...module_utils._core.errors import BadInput
from ...module_utils._core.history.datasets import COMMON, DATASETS

#: One thread and one order make equal rows equal bytes (of one version of DuckDB).
_SETTINGS = {"threads": 1, "autoinstall_known_extensions": False, "autoload_known_extensions": False}


#: Turns lines of JSON into a data file: source, destination, dataset, and values of the columns that all rows have.
Convert = Callable[[Path, Path, str, Mapping[str, Any]], None]


def has_duckdb() -> bool:
    return find_spec("duckdb") is not None


def connect(path: str = ":memory:", **more: Any) -> Any:
    """Return a connection to a new database. Only after ``has_duckdb``. :param more: settings."""
    import duckdb

    return duckdb.connect(path, config={**_SETTINGS, **more})


def quoted(value: object) -> str:
    """Return a text as a literal of SQL."""
    return "'" + str(value).replace("'", "''") + "'"


@contextmanager
def parquet_writer() -> Iterator[Convert]:
    """Yield what writes rows in lines of JSON as Parquet, sorted by the key of their dataset."""
    with connect() as database:

        def to_parquet(source: Path, dest: Path, dataset: str, more: Mapping[str, Any]) -> None:
            known = DATASETS[dataset]
            types = ", ".join(f"{name}: '{kind}'" for name, kind in known.columns.items())
            added = ", ".join(f"CAST({quoted(more[name])} AS {kind}) AS {name}" for name, kind in COMMON.items())
            read = f"read_json({quoted(source)}, format='newline_delimited', columns={{{types}}})"
            database.execute(
                f"COPY (SELECT *, {added} FROM {read} ORDER BY {', '.join(known.key)}) "
                f"TO {quoted(dest)} (FORMAT parquet, COMPRESSION zstd)"
            )

        yield to_parquet


def select(database: Any, sql: str, limit: int) -> tuple[list[str], list[tuple[Any, ...]], bool]:
    """Return the columns, the first rows and whether there are more.

    :raises BadInput: the text is not one query that only reads, or DuckDB refuses it.
    """
    import duckdb

    try:
        statements = database.extract_statements(sql)
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            raise BadInput("sql", sql, "one SELECT")
        database.execute(statements[0])
        columns = [item[0] for item in database.description]
        rows = database.fetchmany(limit + 1)
    except duckdb.Error as error:
        raise BadInput("sql", sql, f"a query that DuckDB accepts ({error})") from error
    return columns, [tuple(map(_plain, row)) for row in rows[:limit]], len(rows) > limit


def rows_of(database: Any, sql: str, values: Sequence[Any] = ()) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the columns and all rows of a query of ours. :param values: of its ``?``."""
    database.execute(sql, list(values))
    columns = [item[0] for item in database.description]
    return columns, [tuple(map(_plain, row)) for row in database.fetchall()]


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: days and times as text."""
    return value.isoformat() if isinstance(value, date) else value
