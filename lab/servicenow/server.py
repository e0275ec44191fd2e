# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance over HTTP: Table API, Attachment API and what Change Management adds, as "REST API reference" has them.

``PUT /lab`` makes a world from a JSON object, ``PATCH /lab`` changes it, ``GET /lab`` returns what became of it, and
``POST /lab/decide`` is a person's click: ``number``, ``login``, ``verdict`` and ``by``, who clicks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from .records import Row, columns_of, rows_of, select, show
from .world import Dropped, Refused, World

_LIMIT = 10_000
_NOT_FOUND = ("No Record found", "Record doesn't exist or ACL restricts the record retrieval")
Answer = tuple[int, Any, dict[str, str]]


class ServiceNow:
    """A WSGI application."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        headers: dict[str, str] = {}
        try:
            status, answer, headers = self._answer(request)
        except Refused as why:
            status = why.status
            answer = {"error": {"message": why.message, "detail": why.detail}, "status": "failure"}
            headers = {"Retry-After": "1"} if status == 429 else {}
        body = b"" if answer is None else json.dumps(answer).encode()
        response = Response(body, status=status, content_type="application/json;charset=UTF-8", headers=headers)
        found: Iterable[bytes] = response(environ, start)
        return found

    def _answer(self, request: Request) -> Answer:
        path = request.path.strip("/").split("/")
        if path[0] == "lab":
            return 200, self._lab(request, path[1:]), {}
        by = self._login(request)
        if self.world.busy:
            self.world.busy -= 1
            raise Refused(429, "Too many requests", "Rate limit exceeded")
        if request.method != "GET":
            self.world.calls.append(f"{request.method} {request.path}")
        match path:
            case ["api", "now", "table", table]:
                return self._table(request, table, by)
            case ["api", "now", "table", table, sys_id]:
                return self._record(request, table, sys_id, by)
            case ["api", "now", "attachment", *rest]:
                return self._attachment(request, rest, by)
            case ["api", "sn_chg_rest", "change", sys_id, what] | ["api", "sn_chg_rest", "v1", "change", sys_id, what]:
                return self._change(request, self._find("change_request", sys_id), what, by)
        raise Refused(400, "Requested URI does not represent any resource", request.path)

    def _lab(self, request: Request, path: list[str]) -> dict[str, Any]:
        if request.method == "PUT":
            self.world = World.of(request.get_json())
        elif request.method == "PATCH":
            for name, value in request.get_json().items():
                setattr(self.world, name, value)
        elif path == ["decide"]:
            given = request.get_json()
            self.world.decide(given["number"], given["login"], given["verdict"], given.get("by", given["login"]))
        return self.world.to_data()

    def _login(self, request: Request) -> str:
        given = request.authorization
        if given is not None and given.type == "bearer" and given.token == self.world.password:
            return "patching"
        if given is None or (given.username, given.password) != ("patching", self.world.password):
            raise Refused(401, "User Not Authenticated", "Required to provide Auth information")
        return "patching"

    def _find(self, table: str, sys_id: str) -> Row:
        if columns_of(table) is None:
            raise Refused(400, f"Invalid table {table}")
        found = next((row for row in rows_of(self.world.tables, table) if row["sys_id"] == sys_id), None)
        if found is None:
            raise Refused(404, *_NOT_FOUND)
        return found

    def _show(self, request: Request, table: str, row: Row) -> dict[str, Any]:
        shown = show(self.world.tables, request.host_url.rstrip("/"), table, row, request.args)
        return {name: value for name, value in shown.items() if name not in self.world.hidden}

    def _table(self, request: Request, table: str, by: str) -> Answer:
        if columns_of(table) is None:
            raise Refused(400, f"Invalid table {table}")
        if request.method == "POST":
            row = self.world.create(table, _body(request), by)
            return 201, {"result": self._show(request, table, row)}, {}
        if request.method != "GET":
            raise Refused(405, "Method not supported")
        conditions = [request.args.get("sysparm_query", "")]
        # Besides sysparm_query, each parameter that names a column is an equality ("Table API", name-value pairs).
        conditions += [f"{name}={value}" for name, value in request.args.items() if name in (columns_of(table) or ())]
        rows = select(self.world.tables, table, "^".join(filter(None, conditions)))
        page, headers = _page(request, rows)
        return 200, {"result": [self._show(request, table, row) for row in page]}, headers

    def _record(self, request: Request, table: str, sys_id: str, by: str) -> Answer:
        row = self._find(table, sys_id)
        if request.method in ("PATCH", "PUT"):
            with suppress(Dropped):
                self.world.change(table, row, _body(request), by)
        elif request.method == "DELETE":
            del self.world.tables[table][sys_id]
            return 204, None, {}
        return 200, {"result": self._show(request, table, row)}, {}

    def _attachment(self, request: Request, path: list[str], by: str) -> Answer:
        args = request.args
        if request.method == "GET" and not path:
            names = ("table_name", "table_sys_id", "file_name")
            query = "^".join(
                filter(None, [args.get("sysparm_query", ""), *(f"{n}={args[n]}" for n in names if n in args)])
            )
            page, headers = _page(request, select(self.world.tables, "sys_attachment", query))
            return 200, {"result": page}, headers
        if request.method == "POST" and path == ["file"]:
            names = ("table_name", "table_sys_id", "file_name")
            if missing := [name for name in names if not args.get(name)]:
                raise Refused(400, f"Missing parameters: {', '.join(missing)}")
            self._find(args["table_name"], args["table_sys_id"])
            values = {**{name: args[name] for name in names}, "content_type": request.content_type or ""}
            if not values["content_type"]:
                raise Refused(415, "Content-Type is mandatory")
            return 201, {"result": self.world.attach(values, request.get_data(), by)}, {}
        if request.method == "DELETE" and len(path) == 1:
            self._find("sys_attachment", path[0])
            del self.world.tables["sys_attachment"][path[0]]
            return 204, None, {}
        raise Refused(400, "Requested URI does not represent any resource", request.path)

    def _change(self, request: Request, row: Row, what: str, by: str) -> Answer:
        if request.method != "POST" or what not in ("conflict", "ci"):
            raise Refused(400, "Requested URI does not represent any resource", request.path)
        if what == "conflict":
            self.world.conflict(row)
        else:
            self._affect(row, _body(request), by)
        return 200, {"result": {"worker": {"sys_id": row["sys_id"]}, "request": {"change": row["sys_id"]}}}, {}

    def _affect(self, row: Row, body: dict[str, str], by: str) -> None:
        """Link CIs, named by their sys_ids in one text with commas; one that does not exist is left out."""
        if body.get("association_type") not in ("affected", "impacted", "offering"):
            raise Refused(400, "association_type is mandatory")
        linked = {item["ci_item"] for item in self.world.tables["task_ci"].values() if item["task"] == row["sys_id"]}
        for sys_id in str(body.get("cmdb_ci_sys_ids", "")).split(","):
            if sys_id in self.world.tables["cmdb_ci"] and sys_id not in linked:
                self.world.insert("task_ci", {"task": row["sys_id"], "ci_item": sys_id}, by)


def _body(request: Request) -> dict[str, str]:
    data = request.get_json(silent=True)
    if not isinstance(data, dict):
        raise Refused(400, "Exception while reading request", "The payload is not valid JSON")
    return {str(name): _text(value) for name, value in data.items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _page(request: Request, rows: list[Row]) -> tuple[list[Row], dict[str, str]]:
    """Return a page with X-Total-Count and Link, by sysparm_limit and sysparm_offset."""
    args = request.args.to_dict()
    try:
        limit, first = int(args.get("sysparm_limit", _LIMIT)), int(args.get("sysparm_offset", 0))
    except ValueError:
        raise Refused(400, "Invalid sysparm_limit or sysparm_offset") from None
    headers = {} if args.get("sysparm_no_count") == "true" else {"X-Total-Count": str(len(rows))}
    if first + limit < len(rows):
        following = urlencode({**args, "sysparm_offset": first + limit})
        headers["Link"] = f'<{request.base_url}?{following}>;rel="next"'
    return rows[first : first + limit], headers
