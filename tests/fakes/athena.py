# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Athena on the files of a history: it runs the text of a query on DuckDB, and answers as the service does.

What decides: tables have all rows of all files under their prefix, replaced publications too, because Athena reads
whatever is there (user guide, "Create tables in Athena"); a query is queued, runs and ends; the answer of one that has
not ended is refused; a page has at most 1,000 rows, the first one begins with the names of the columns
(speee/go-athena, pull request 6); values are texts, and what is null has none, other than an empty text
(classmethod/athena-query, pull request 69). Requests and answers are checked against botocore's model of the service.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import duckdb
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.datasets import (
    COMMON,
    DATASETS,
    PARTITION,
    PUBLICATIONS,
    TEXT,
)
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

#: Sums of whole numbers are ``bigint`` in Trino (Trino documentation, "Aggregate functions"), HUGEINT in DuckDB.
_TYPES = {"VARCHAR": "varchar", "BIGINT": "bigint", "HUGEINT": "bigint", "INTEGER": "integer", "DOUBLE": "double"}
_TYPES |= {"BOOLEAN": "boolean", "DATE": "date"}


@cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model("athena")


def _checked(operation: str, shape: str, data: Mapping[str, Any]) -> None:
    problems = ParamValidator().validate(data, getattr(_model().operation_model(operation), shape))
    if problems.has_errors():
        raise ValueError(f"{operation}: {problems.generate_report()}")
    unknown = set(data) - set(getattr(_model().operation_model(operation), shape).members)
    if unknown:
        raise ValueError(f"{operation}: {unknown}")


def _refused(operation: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": "InvalidRequestException", "Message": message}}, operation)


class FakeAthena:
    """A client. :param history: a history of the format jsonl. :param cutoff: of the workgroup.

    :param states: what looks at a query show before it ends. :param scanned: bytes at each look.
    :param broken: the state in which queries end, and why.
    """

    def __init__(
        self,
        history: Path,
        *,
        cutoff: int | None = None,
        states: tuple[str, ...] = ("QUEUED", "RUNNING"),
        scanned: int = 1_500_000,
        broken: tuple[str, str] | None = None,
    ) -> None:
        self.cutoff, self.states, self.scanned, self.broken = cutoff, states, scanned, broken
        self.started: list[dict[str, Any]] = []
        self.stopped: list[str] = []
        self.pages = 0
        self._looks: dict[str, int] = {}
        self._answers: dict[str, Any] = {}
        self._database = duckdb.connect()
        for name, known in DATASETS.items():
            columns = {**known.columns, **COMMON, **dict.fromkeys(PARTITION, TEXT)}
            self._table(name, columns, history.glob(f"{name}/**/*.gz"))
        self._table("publications", PUBLICATIONS, history.glob("published/*.json"))

    def _table(self, name: str, columns: Mapping[str, str], files: Any) -> None:
        self._database.execute(f"CREATE TABLE {name} ({', '.join(f'{key} {kind}' for key, kind in columns.items())})")
        if found := [str(path) for path in files]:
            typed = ", ".join(f"{key}: '{kind}'" for key, kind in columns.items() if key not in PARTITION)
            hive = ", hive_partitioning=true, hive_types_autocast=false" if name != "publications" else ""
            read = f"read_json({found}, format='newline_delimited', columns={{{typed}}}{hive})"
            self._database.execute(f"INSERT INTO {name} BY NAME SELECT * FROM {read}")

    def get_work_group(self, **request: Any) -> dict[str, Any]:
        _checked("GetWorkGroup", "input_shape", request)
        configuration = {"BytesScannedCutoffPerQuery": self.cutoff} if self.cutoff else {}
        return {"WorkGroup": {"Name": request["WorkGroup"], "Configuration": configuration}}

    def start_query_execution(self, **request: Any) -> dict[str, Any]:
        _checked("StartQueryExecution", "input_shape", request)
        if request["QueryExecutionContext"]["Database"] != "patching":
            raise _refused("StartQueryExecution", "database not found")
        query_id = f"00000000-0000-4000-8000-{len(self.started):012}"
        self.started.append(request)
        self._looks[query_id] = 0
        return {"QueryExecutionId": query_id}

    def get_query_execution(self, **request: Any) -> dict[str, Any]:
        _checked("GetQueryExecution", "input_shape", request)
        query_id = request["QueryExecutionId"]
        look = self._looks[query_id]
        self._looks[query_id] += 1
        status: dict[str, Any] = {"State": self.states[look]} if look < len(self.states) else self._end(query_id)
        scanned = self.scanned if status["State"] != "QUEUED" else 0
        found = {"QueryExecutionId": query_id, "Status": status, "Statistics": {"DataScannedInBytes": scanned}}
        answer = {"QueryExecution": found}
        _checked("GetQueryExecution", "output_shape", answer)
        return answer

    def _end(self, query_id: str) -> dict[str, Any]:
        if query_id in self.stopped:
            return {"State": "CANCELLED", "StateChangeReason": "Query was cancelled by user"}
        if self.broken:
            return {"State": self.broken[0], "StateChangeReason": self.broken[1]}
        try:
            found = self._database.execute(self.started[int(query_id[-12:])]["QueryString"])
        except duckdb.Error as error:
            return {"State": "FAILED", "StateChangeReason": str(error)}
        columns = [(item[0], _TYPES[str(item[1])]) for item in found.description]
        self._answers[query_id] = (columns, [[name for name, _kind in columns], *found.fetchall()])
        return {"State": "SUCCEEDED"}

    def stop_query_execution(self, **request: Any) -> dict[str, Any]:
        _checked("StopQueryExecution", "input_shape", request)
        self.stopped.append(request["QueryExecutionId"])
        return {}

    def get_query_results(self, **request: Any) -> dict[str, Any]:
        _checked("GetQueryResults", "input_shape", request)
        query_id, size = request["QueryExecutionId"], request.get("MaxResults", 1000)
        if query_id not in self._answers:
            raise _refused("GetQueryResults", "Query has not yet finished")
        self.pages += 1
        columns, rows = self._answers[query_id]
        first = json.loads(request.get("NextToken", "0"))
        info = [{"Name": name, "Type": kind} for name, kind in columns]
        data = [{"Data": [_datum(value) for value in row]} for row in rows[first : first + size]]
        answer: dict[str, Any] = {"ResultSet": {"Rows": data, "ResultSetMetadata": {"ColumnInfo": info}}}
        if first + size < len(rows):
            answer["NextToken"] = str(first + size)
        _checked("GetQueryResults", "output_shape", answer)
        return answer


def _datum(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    return {"VarCharValue": str(value).lower() if isinstance(value, bool) else str(value)}
