# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries on Athena, one after the other: started, waited for, stopped if they scan too much, and read page by page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...module_utils._aws.athena import AthenaQueries
from ...module_utils._core.clock import Clock
from ...module_utils._core.errors import BadInput
from ...module_utils._core.history.athena import (
    ENDED,
    SUCCEEDED,
    Execution,
    QueryFailed,
    QueryPort,
    billed,
    to_value,
    to_views,
    with_views,
)
from ...module_utils._core.model import Place
from ..aws_options import own_region, to_sessions
from .read import SQL

#: Seconds between looks at a query.
_LOOK = 2.0
#: What a query's text names without quotes (Athena user guide, "Name databases, tables, and columns").
_DATABASE = re.compile(r"[a-z0-9_]{1,255}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Athena:
    """Athena with the limits of a task.

    :param port: workgroup and database. :param most: bytes that a query may scan. :param seconds: how long it may take.
    :param since: first day of the rows. :param say: is given a line for each query.
    """

    port: QueryPort
    clock: Clock
    most: int
    seconds: int
    since: str
    say: Callable[[str], None]

    def check(self) -> None:
        """Read the workgroup; tell if it does not stop what scans too much."""
        cutoff = self.port.cutoff()
        if cutoff is None or cutoff > self.most:
            has = f"only after {cutoff / _MEGABYTE:,.0f} MB" if cutoff else "never"
            self.say(
                f"The workgroup stops a query {has}. A query that scans more than athena.scan_limit_mb is stopped when "
                "it is looked at; what it has scanned by then is billed."
            )

    def text(self, sql: str) -> str:
        """Return a query with the views that it needs. :raises BadInput: it is none."""
        views = to_views([path.read_text("utf-8") for path in sorted(SQL.glob("*.sql"))])
        return with_views(sql, views, self.since)

    def view(self, name: str, limit: int) -> dict[str, Any]:
        """Return the answer of a view, as ``select`` does; its rows in order, if there are not more."""
        found = self.select(name, f"SELECT * FROM {name} LIMIT {limit + 1}", limit)
        if not found["truncated"]:
            found["rows"].sort(key=lambda row: [(value is None, value) for value in row])
        return found

    def select(self, name: str, sql: str, limit: int) -> dict[str, Any]:
        """Return ``columns``, the first ``rows``, whether there are more (``truncated``), and what was scanned.

        :raises QueryFailed: Athena refused or cancelled it, or it scanned or took too much.
        """
        done = self._wait(name, self.port.start(self.text(sql)))
        names: list[str] = []
        rows: list[list[Any]] = []
        for columns, cells in self.port.rows(done.query_id):
            names = [column for column, _kind in columns]
            if cells:
                rows.append([to_value(kind, cell) for (_name, kind), cell in zip(columns, cells, strict=True)])
            if len(rows) > limit:
                break
        bill = billed(done.scanned)
        self.say(f"{name}: scanned {done.scanned:,} bytes, billed {bill // _MEGABYTE:,} MB")
        cost = {"query_id": done.query_id, "scanned_bytes": done.scanned, "billed_bytes": bill}
        return {"columns": names, "rows": rows[:limit], "truncated": len(rows) > limit, **cost}

    def _wait(self, name: str, query_id: str) -> Execution:
        begun, ended = self.clock.now(), False
        try:
            while True:
                found = self.port.look(query_id)
                ended = found.state in ENDED
                if found.state == SUCCEEDED:
                    return found
                seconds = (self.clock.now() - begun).total_seconds()
                if why := self._why_not(found, seconds):
                    raise QueryFailed(f"{name}: Athena query {query_id} {why}")
                self.clock.sleep(_LOOK)
        finally:
            if not ended:
                self.port.stop(query_id)

    def _why_not(self, found: Execution, seconds: float) -> str:
        """Return why a query is not waited for; "" if it is."""
        if found.state in ENDED:
            return f"{found.state.lower()}: {found.reason or 'no reason'}"
        if found.scanned > self.most:
            return f"scanned {found.scanned / _MEGABYTE:,.0f} MB, more than athena.scan_limit_mb"
        return f"was {found.state} for {self.seconds} s (athena.timeout)" if seconds > self.seconds else ""


def open_athena(options: Mapping[str, Any], clock: Clock, say: Callable[[str], None]) -> Athena:
    """Return Athena by the option ``athena`` and the AWS connection. :raises BadInput: names what is wrong."""
    given = options["athena"]
    if not _DATABASE.fullmatch(given["database"]):
        raise BadInput("athena.database", given["database"], "the name of a database: a-z, 0-9 and _")
    if options["since"] and not _DAY.fullmatch(options["since"]):
        raise BadInput("since", options["since"], "a day such as 2026-01-01")
    for name, least in (("scan_limit_mb", 10), ("timeout", 1)):
        if given[name] < least:
            raise BadInput(f"athena.{name}", given[name], f"{least} or more")
    if given["output"] and not given["output"].startswith("s3://"):
        raise BadInput("athena.output", given["output"], "s3:// with bucket and prefix")
    sessions = to_sessions(options)
    region = own_region(options, sessions)
    if not region:
        raise BadInput("region", None, "the Region of Athena: set region or AWS_REGION")
    names = {name: given[name] for name in ("database", "workgroup", "catalog", "output")}
    port = AthenaQueries(sessions.client("athena", Place(region=region)), **names)
    limits = {"most": given["scan_limit_mb"] * _MEGABYTE, "seconds": given["timeout"], "since": options["since"]}
    return Athena(port=port, clock=clock, say=say, **limits)
