"""Writes the table of docs/history.md and reports/sql/00_counted.sql from the datasets.

``page()`` and ``views()`` are what a check compares them with.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.datasets import (
    COMMON,
    DATASETS,
    PARTITION,
)
from running import ROOT

PAGE = ROOT / "docs" / "history.md"
VIEWS = ROOT / "reports" / "sql" / "00_counted.sql"
_HEAD = """\
-- The rows that count: those of the publication that published/<run_id>.json names. All other views read only these.
-- Made by tools/history_page.py from the datasets.
"""


def page() -> str:
    """Return the page with its tables made again."""
    text = _replaced(PAGE.read_text(encoding="utf-8"), "datasets", list(_datasets()))
    return _replaced(text, "views", list(_views_table()))


def _replaced(text: str, what: str, lines: list[str]) -> str:
    begin, end = f"<!-- {what} -->", f"<!-- end of {what} -->"
    before, _begin, rest = text.partition(begin)
    _old, _end, after = rest.partition(end)
    return "\n".join([f"{before}{begin}", "", *lines, "", f"{end}{after}"])


def _datasets() -> Iterator[str]:
    yield from ("| dataset | rows | columns, key first |", "|---|---|---|")
    for name, known in DATASETS.items():
        columns = [*known.key, *(column for column in known.columns if column not in known.key)]
        texts = [
            f"`{column}`" if known.columns[column] == "varchar" else f"`{column}` {known.columns[column]}"
            for column in columns
        ]
        yield f"| `{name}` | {known.what} | {', '.join(texts)} |"


def _views_table() -> Iterator[str]:
    yield from ("| view | rows |", "|---|---|")
    for path in sorted(VIEWS.parent.glob("*.sql")):
        if path != VIEWS:
            lines = path.read_text(encoding="utf-8").splitlines()
            told = [line.removeprefix("-- ") for line in lines if line.startswith("-- ")]
            yield f"| `{path.stem.partition('_')[2]}` | {' '.join(told)} |"


def views() -> str:
    """Return the views of the rows that count, one for each dataset."""
    return _HEAD + "".join(f"{_view(name)}\n" for name in DATASETS)


def _view(name: str) -> str:
    columns = ", ".join(f"t.{column}" for column in (*DATASETS[name].columns, *COMMON, *PARTITION))
    return "\n".join(
        [
            f"CREATE OR REPLACE VIEW all_{name} AS",
            f"SELECT {columns}",
            f"FROM {name} AS t",
            "JOIN publications AS p",
            "    ON p.run_id = t.run_id AND p.publication = t.publication;",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    VIEWS.write_text(views(), encoding="utf-8")
