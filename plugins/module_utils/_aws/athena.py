# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Athena, which queries the files of a history where they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .._core.history.athena import Execution
from .errors import aws_errors
from .paging import without_empty

#: Rows of a page (API reference, GetQueryResults, MaxResults).
_PAGE = 1000


class AthenaQueries:
    """A ``QueryPort``.

    :param client: Athena of the history's Region, with retries: a query is started with a token, so never twice.
    :param output: ``s3://`` address of the answers; "" leaves it to the workgroup.
    """

    def __init__(self, client: Any, *, database: str, workgroup: str, catalog: str, output: str = "") -> None:
        self._client = client
        self._workgroup = workgroup
        self._context = {"Database": database, "Catalog": catalog}
        self._results = {"OutputLocation": output} if output else {}

    def cutoff(self) -> int | None:
        """``BytesScannedCutoffPerQuery``, which counts also if a client sets other options (user guide, "Configure
        per-query and per-workgroup data usage controls")."""
        with aws_errors(f"read the workgroup {self._workgroup} of Athena"):
            group = self._client.get_work_group(WorkGroup=self._workgroup)["WorkGroup"]
        found = (group.get("Configuration") or {}).get("BytesScannedCutoffPerQuery")
        return int(found) if found else None

    def start(self, sql: str) -> str:
        request = {"WorkGroup": self._workgroup, "QueryExecutionContext": self._context}
        with aws_errors("start a query on Athena"):
            found = self._client.start_query_execution(
                QueryString=sql, **request, **without_empty({"ResultConfiguration": self._results or None})
            )
        return str(found["QueryExecutionId"])

    def look(self, query_id: str) -> Execution:
        with aws_errors(f"look at the query {query_id} on Athena"):
            found = self._client.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        status = found["Status"]
        reason = status.get("StateChangeReason") or (status.get("AthenaError") or {}).get("ErrorMessage") or ""
        scanned = (found.get("Statistics") or {}).get("DataScannedInBytes") or 0
        return Execution(query_id=query_id, state=status["State"], reason=str(reason), scanned=int(scanned))

    def stop(self, query_id: str) -> None:
        with aws_errors(f"stop the query {query_id} on Athena"):
            self._client.stop_query_execution(QueryExecutionId=query_id)

    def rows(self, query_id: str) -> Iterator[tuple[Sequence[tuple[str, str]], list[str | None]]]:
        """The first row of the first page has the names of the columns (user guide, "Query results": the API's answer
        has the header of the file)."""
        first, request = True, {"QueryExecutionId": query_id, "MaxResults": _PAGE}
        while True:
            with aws_errors(f"read the answer of the query {query_id} on Athena"):
                page = self._client.get_query_results(**request)
            rows = page["ResultSet"].get("Rows") or []
            columns = [(item["Name"], item["Type"]) for item in page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
            if first:
                rows = rows[1:]
                yield columns, []
            first = False
            for row in rows:
                yield columns, [cell.get("VarCharValue") for cell in row.get("Data") or ()]
            if not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]
