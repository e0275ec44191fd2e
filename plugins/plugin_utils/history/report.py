# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a period, from the views of a history: one page, CSV of each table, and all of it as JSON.

Its figures are those of the views at the end of the period. ``latest.json`` beside the reports names the newest one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ...module_utils._core.canonical import to_digest
from ...module_utils._core.errors import BadInput
from ...module_utils._core.history.period import Period
from ...module_utils._core.history.store import HistoryStore
from ...module_utils._core.report.csv import to_cell, to_line
from ...module_utils._core.schema import check_schema
from ...module_utils._core.text import counted
from .dashboard import estate_tables, single_page

SCHEMA, POINTER_SCHEMA = "patchtide/history-report/1", "patchtide/history-report-latest/1"
PAGE, DATA, LATEST = "report.html", "report.json", "latest.json"
#: Tables with what happened, by the column that says when; other tables are the state at the end of the period.
_EVENTS = {
    "days": "day",
    "rollouts": "started_at",
    "causes": "month",
    "gates": "started_at",
    "decisions": "decided_at",
    "effort": "month",
    "release": "month",
}
#: Days within which an exception ends that the figures count.
_ENDING = 7

Table = Mapping[str, Any]


def report_files(database: Any, period: Period, title: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the files of the report by name, and its figures.

    :param database: the history's tables up to the end of the period.
    """
    tables, nodes = estate_tables(database)
    within = {
        name: _within(table, _EVENTS[name], period) if name in _EVENTS else table for name, table in tables.items()
    }
    figures = _figures({**within, "nodes": nodes})
    content = {"schema": SCHEMA, "period": period.to_data(), "figures": figures, "tables": within}
    files = {f"{name}.csv": _csv(table) for name, table in {**within, "nodes": nodes}.items() if name != "as_of"}
    files[DATA] = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    # The page compares with four weeks before, so it has the days before the period as well.
    files[PAGE] = single_page(f"{title} {period.name}", {**within, "days": tables["days"]}, nodes)
    return files, figures


def _within(table: Table, column: str, period: Period) -> dict[str, Any]:
    at = table["columns"].index(column)
    return {**table, "rows": [row for row in table["rows"] if period.has(row[at])]}


def _csv(table: Table) -> str:
    return "".join([to_line(table["columns"]), *(to_line(map(to_cell, row)) for row in table["rows"])])


def _dicts(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def _figures(tables: Mapping[str, Table]) -> dict[str, Any]:
    """Return what people ask first, each figure from the view that the table is of."""
    rows = {name: _dicts(table) for name, table in tables.items()}
    days: dict[str, dict[str, int]] = {}
    for row in rows["days"]:
        day = days.setdefault(str(row["day"]), {"nodes": 0, "compliant": 0})
        for name in day:
            day[name] += row[name]
    first = min(days, default="")
    rollouts = {row["rollout"] for row in rows["rollouts"]}
    ending = {
        row["exception_id"]: row["valid_until"]
        for row in rows["exceptions"]
        if row["state"] == "in_force" and row["days_left"] <= _ENDING
    }
    changes: dict[str, int] = {}
    for row in rows["changes"]:
        changes[row["change"]] = changes.get(row["change"], 0) + row["findings"]
    names = ("nodes", "compliant", "non_compliant", "unknown")
    return {
        "as_of": str(rows["as_of"][0]["as_of"] or "") if rows["as_of"] else "",
        "compliance": {name: sum(row[name] for row in rows["compliance"]) for name in names},
        "first_day": {"day": first, **days[first]} if first else {},
        "overdue": sum(row["overdue"] for row in rows["late"]),
        "rollouts": {
            "rollouts": len(rollouts),
            **{
                name: sum(row[name] or 0 for row in rows["rollouts"])
                for name in ("good", "bad", "unknown", "installed")
            },
        },
        "exceptions_ending": dict(sorted(ending.items())),
        "findings": dict(sorted(changes.items())),
    }


def to_lines(figures: Mapping[str, Any], period: Period) -> list[str]:
    """Return the figures for people, the most important first."""
    now, first, done = figures["compliance"], figures["first_day"], figures["rollouts"]
    lines = [f"{period.first} to {period.last}", headline(figures)]
    if first:
        share = share_of(first["compliant"], first["nodes"])
        lines.append(f"On {first['day']}: {first['compliant']:,} of {counted(first['nodes'])} ({share})")
    lines.append(f"Unknown: {counted(now['unknown'])}. Overdue: {counted(figures['overdue'], 'patch')}")
    outcomes = ", ".join(f"{done[name]:,} {word}" for name, word in _OUTCOMES.items())
    lines.append(f"{counted(done['rollouts'], 'rollout')}: {outcomes}; {counted(done['installed'], 'patch')} installed")
    ending = [f"{name} on {day}" for name, day in figures["exceptions_ending"].items()]
    lines.append(f"Exceptions that end within {_ENDING} days: {', '.join(ending) or 'none'}")
    found = [f"{count:,} {name.replace('_', ' ')}" for name, count in figures["findings"].items()]
    lines.append(f"Findings between the last two imports: {', '.join(found) or 'none'}")
    return lines


_OUTCOMES = {"good": "nodes patched", "bad": "failed", "unknown": "unknown"}


def headline(figures: Mapping[str, Any]) -> str:
    """Return whether the estate is compliant, in one sentence."""
    now = figures["compliance"]
    return f"{now['compliant']:,} of {counted(now['nodes'])} compliant ({share_of(now['compliant'], now['nodes'])})"


def share_of(part: int, whole: int) -> str:
    """Return a share as a percentage, rounded down so that it never flatters; ``none`` of nothing."""
    return f"{1000 * part // whole / 10:.1f} %" if whole else "none"


def write_report(
    store: HistoryStore, files: Mapping[str, str], figures: Mapping[str, Any], period: Period, at: str, *, write: bool
) -> bool:
    """Write what differs, the pointer last; return whether anything does, or would.

    :param at: now. It is part of the pointer, which only changes with the report. An older period leaves it alone.
    """
    digest = to_digest(files)
    different = [name for name, text in files.items() if store.read(f"{period.name}/{name}") != _bytes(text)]
    known = read_latest(store)
    pointer = {
        "schema": POINTER_SCHEMA,
        "period": period.to_data(),
        "page": f"{period.name}/{PAGE}",
        "digest": digest,
        "as_of": figures["as_of"],
        "headline": headline(figures),
        "published_at": at,
    }
    newer = known is None or known["period"]["last"] <= pointer["period"]["last"]
    moves = newer and (known is None or known["digest"] != digest)
    if write:
        for name in different:
            store.write(f"{period.name}/{name}", _bytes(files[name]))
        if moves:
            store.write(LATEST, _bytes(json.dumps(pointer, ensure_ascii=False, indent=1) + "\n"))
    return bool(different or moves)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def read_latest(store: HistoryStore) -> dict[str, Any] | None:
    """Return the pointer to the newest report; ``None`` if there is none.

    :raises BadInput: it was damaged. :raises OtherSchema: another version wrote it.
    """
    data, where = store.read(LATEST), f"{store.where}/{LATEST}"
    if data is None:
        return None
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise BadInput(where, "no JSON", "what publish_report wrote") from None
    check_schema(
        "report", found.get("schema") if isinstance(found, dict) else type(found).__name__, POINTER_SCHEMA, where
    )
    members: Iterable[str] = ("period", "page", "digest", "as_of", "headline", "published_at")
    if missing := [name for name in members if name not in found]:
        raise BadInput(where, f"without {', '.join(missing)}", "what publish_report wrote")
    return dict(found)
