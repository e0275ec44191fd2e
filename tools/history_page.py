"""Writes the tables of docs/history.md from the datasets; ``page()`` is what a check compares it with."""

from __future__ import annotations

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.datasets import DATASETS
from running import ROOT

PAGE = ROOT / "docs" / "history.md"
_BEGIN, _END = "<!-- datasets -->", "<!-- end of datasets -->"


def page() -> str:
    """Return the page with its tables made again."""
    before, _begin, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    _old, _end, after = rest.partition(_END)
    lines = ["", "", "| dataset | rows | columns, key first |", "|---|---|---|"]
    for name, known in DATASETS.items():
        columns = [*known.key, *(column for column in known.columns if column not in known.key)]
        texts = [
            f"`{column}`" if known.columns[column] == "varchar" else f"`{column}` {known.columns[column]}"
            for column in columns
        ]
        lines.append(f"| `{name}` | {known.what} | {', '.join(texts)} |")
    return f"{before}{_BEGIN}{chr(10).join(lines)}{chr(10)}{chr(10)}{_END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
