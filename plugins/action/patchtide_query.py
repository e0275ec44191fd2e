# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries the history; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.errors import BadInput
from ..module_utils._core.report.csv import to_cell, to_line
from ..plugin_utils.aws_options import aws_spec
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.files import write_text
from ..plugin_utils.history.athena import open_athena
from ..plugin_utils.history.duck import select
from ..plugin_utils.history.places import open_history
from ..plugin_utils.history.read import open_history_tables, view_names


class ActionModule(ControllerAction):
    """Runs here, with DuckDB, for which the files of a bucket are copied first; or on Athena, where they are."""

    SPEC: ClassVar[dict[str, Any]] = {
        "history": {"type": "str"},
        "athena": {
            "type": "dict",
            "options": {
                "database": {"type": "str", "required": True},
                "workgroup": {"type": "str", "default": "primary"},
                "catalog": {"type": "str", "default": "AwsDataCatalog"},
                "output": {"type": "str", "default": ""},
                "scan_limit_mb": {"type": "int", "default": 10_000},
                "timeout": {"type": "int", "default": 1800},
            },
        },
        "views": {"type": "list", "elements": "str"},
        "sql": {"type": "str"},
        "since": {"type": "str", "default": ""},
        "limit": {"type": "int", "default": 1000},
        "dest": {"type": "path"},
    }
    RULES: ClassVar[dict[str, Any]] = {
        "mutually_exclusive": [("views", "sql"), ("history", "athena")],
        "required_one_of": [("views", "sql"), ("history", "athena")],
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        queries = _queries(options)
        if options["limit"] < 1:
            raise BadInput("limit", options["limit"], "a number of rows, 1 or more")
        answers, changed = [], False
        for found in self._on_athena(options, queries) if options["athena"] else _here(options, queries):
            columns, rows = found["columns"], found["rows"]
            answers.append({**found, "rows": [dict(zip(columns, row, strict=True)) for row in rows]})
            if options["dest"]:
                text = "".join([to_line(columns), *(to_line(map(to_cell, row)) for row in rows)])
                changed |= self._write(Path(options["dest"]) / f"{found['name']}.csv", text)
        unknown = bool(self.check_mode and options["athena"] and options["dest"])
        return {"changed": changed or unknown, "answers": answers}

    def _on_athena(self, options: Mapping[str, Any], queries: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Yield the answers; none in check mode, because each query is billed."""
        athena = open_athena(options, find_clock(), self.say)
        if options["sql"]:
            athena.text(options["sql"])
        athena.check()
        for name, sql in queries.items() if not self.check_mode else ():
            found = (
                athena.select(name, sql, options["limit"]) if options["sql"] else athena.view(name, options["limit"])
            )
            yield {"name": name, **found}

    def _write(self, path: Path, text: str) -> bool:
        if self.check_mode:
            return not path.exists() or path.read_text("utf-8") != text
        return write_text(path, text)


def _here(options: Mapping[str, Any], queries: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    with open_history_tables(open_history(options["history"], options), options["since"]) as database:
        for name, sql in queries.items():
            columns, rows, more = select(database, sql, options["limit"])
            yield {"name": name, "columns": columns, "rows": rows, "truncated": more}


def _queries(options: Mapping[str, Any]) -> dict[str, str]:
    """Return the queries by name."""
    if options["sql"]:
        return {"query": options["sql"]}
    known = view_names()
    for index, name in enumerate(options["views"]):
        if name not in known:
            raise BadInput(f"views[{index}]", name, f"one of {', '.join(known)}")
    return {name: f"SELECT * FROM {name} ORDER BY ALL" for name in options["views"]}
