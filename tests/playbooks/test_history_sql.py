# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The views have the same answers if their text is understood as Athena's: a million rows of a year.

sqlglot reads the text as Athena's and writes it for DuckDB, and writes it for Athena and reads it back. It knows where
many functions of the same name differ; that it finds no difference proves less than Athena would. It is not installed
by default: pip install sqlglot.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.athena import to_views, with_views
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.places import HistoryDirectory
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.publish import find_format, publish
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.read import SQL, open_history_tables, view_names

from tests.fakes.history_months import Estate

pytestmark = pytest.mark.slow

NODES, WEEKS = 5000, 52
VIEWS = to_views([path.read_text("utf-8") for path in sorted(SQL.glob("*.sql"))])


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    store = HistoryDirectory(tmp_path_factory.mktemp("history"))
    form = find_format(store, None, True)
    for run in Estate(NODES, WEEKS).runs():
        publish(store, run, form, "2026-11-28T00:00:00.000Z")
    with open_history_tables(store) as found:
        yield found


def test_there_are_a_million_rows(database: Any) -> None:
    tables = ("nodes", "patches", "coverage", "rollout_nodes", "rollout_patches", "findings")
    (count,) = database.execute(f"SELECT {' + '.join(f'(SELECT count(*) FROM {name})' for name in tables)}").fetchone()
    assert count > 1_000_000


@pytest.mark.parametrize("name", view_names())
def test_a_view_says_the_same_whichever_dialect_it_is_read_in(database: Any, name: str) -> None:
    sqlglot = pytest.importorskip("sqlglot")
    text = with_views(f"SELECT * FROM {name}", VIEWS)
    expected = sorted(map(repr, database.execute(f"SELECT * FROM {name}").fetchall()))
    (there,) = sqlglot.transpile(text, read="duckdb", write="athena")
    for read in {text, there}:
        (here,) = sqlglot.transpile(read, read="athena", write="duckdb")
        assert sorted(map(repr, database.execute(here).fetchall())) == expected, here
