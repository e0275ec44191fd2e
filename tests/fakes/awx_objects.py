# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An AWX that records what is created in it: objects, what they are connected with, surveys and rights.

Its shapes are those of ansible/awx: awx/api/urls, awx/api/pagination.py (count, next, results) and the sub-list views
of awx/api/generics.py, which answer 204 to an association. A list that nobody knows is refused, and so is a filter by a
field that no object of the list has (awx/api/filters.py), and a second object with the same name and parents.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

Row = dict[str, Any]
#: Lists, with what makes a name unique beside it.
LISTS: Mapping[str, tuple[str, ...]] = {
    "organizations": (),
    "teams": ("organization",),
    "credential_types": (),
    "credentials": ("organization",),
    "execution_environments": (),
    "projects": ("organization",),
    "inventories": ("organization",),
    "inventory_sources": ("inventory",),
    "notification_templates": ("organization",),
    "job_templates": ("organization",),
    "workflow_job_templates": ("organization",),
    "workflow_job_template_nodes": ("workflow_job_template",),
    "workflow_approval_templates": (),
    "schedules": ("unified_job_template",),
}
_UNIFIED = ("job_templates", "workflow_job_templates", "projects", "inventory_sources", "workflow_approval_templates")
_ROLES = ("admin_role", "execute_role", "read_role", "approval_role")


class FakeAwxObjects:
    """A WSGI application. ``writes``: the requests that changed something."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[int, Row]] = {name: {} for name in LISTS}
        self.links: dict[str, list[int]] = {}
        self.surveys: dict[str, Any] = {}
        self.writes: list[str] = []
        self.last = 0
        self.add("credentials", {"name": "Contoso AWS"})

    def add(self, kind: str, values: Mapping[str, Any]) -> Row:
        self.last += 1
        url = f"/api/v2/{kind}/{self.last}/"
        roles = {name: {"id": self.last * 10 + number} for number, name in enumerate(_ROLES)}
        row = {**values, "id": self.last, "type": kind.removesuffix("s"), "url": url}
        row |= {"related": {"survey_spec": f"{url}survey_spec/"}, "summary_fields": {"object_roles": roles}}
        self.rows[kind][self.last] = row
        return row

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        length = int(environ.get("CONTENT_LENGTH") or 0)
        data = json.loads(environ["wsgi.input"].read(length) or b"{}") if method != "GET" else {}
        query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        if environ.get("HTTP_AUTHORIZATION") != "Bearer t0ken":
            status, answer = 401, {"detail": "Authentication credentials were not provided."}
        else:
            status, answer = self.answer(method, path.removeprefix("/api/v2/").strip("/").split("/"), query, data)
        if method != "GET" and status < 300:
            self.writes.append(f"{method} {path}")
        body = b"" if answer is None else json.dumps(answer).encode()
        start(f"{status} x", [("Content-Type", "application/json"), ("X-API-Product-Name", "AWX"),
                              ("X-API-Product-Version", "24.6.1"), ("Content-Length", str(len(body)))])  # fmt: skip
        return [body]

    def answer(self, method: str, path: list[str], query: Mapping[str, str], data: Any) -> tuple[int, Any]:
        match path:
            case ["unified_job_templates"] if method == "GET":
                rows = [row for kind in _UNIFIED for row in self.rows[kind].values()]
                return 200, _page([row for row in rows if _fits(row, query)])
            case [kind] if kind in LISTS:
                return self._list(method, kind, query, data)
            case [kind, number] if kind in LISTS and int(number) in self.rows[kind]:
                if method == "PATCH":
                    self.rows[kind][int(number)] |= data
                return 200, self.rows[kind][int(number)]
            case [kind, number, "survey_spec"]:
                if method == "POST":
                    self.surveys["/".join(path)] = data
                    return 200, {}
                return 200, self.surveys.get("/".join(path), {})
            case ["workflow_job_template_nodes", number, "create_approval_template"] if method == "POST":
                row = self.add("workflow_approval_templates", data)
                node = self.rows["workflow_job_template_nodes"][int(number)]
                node["unified_job_template"] = row["id"]
                node["related"] |= {"unified_job_template": row["url"]}
                return 201, row
            case [_kind, _number, _what]:
                return self._links(method, "/".join(path), data)
        return 404, {"detail": "Not found."}

    def _list(self, method: str, kind: str, query: Mapping[str, str], data: Row) -> tuple[int, Any]:
        if method == "POST":
            unique = ("identifier" if kind == "workflow_job_template_nodes" else "name", *LISTS[kind])
            if any(all(row.get(name) == data.get(name) for name in unique) for row in self.rows[kind].values()):
                return 400, {"__all__": [f"{kind} with this {' and '.join(unique)} already exists."]}
            return 201, self.add(kind, data)
        known = {"name", "identifier", "id", *LISTS[kind]}
        if wrong := set(query) - known:
            return 400, {"detail": f"{kind} has no field named {min(wrong)!r}"}
        return 200, _page([row for row in self.rows[kind].values() if _fits(row, query)])

    def _links(self, method: str, path: str, data: Row) -> tuple[int, Any]:
        found = self.links.setdefault(path, [])
        if method == "GET":
            return 200, _page([{"id": number} for number in found])
        if data.get("disassociate"):
            found.remove(data["id"])
        elif data["id"] not in found:
            found.append(data["id"])
        return 204, None


def _fits(row: Row, query: Mapping[str, str]) -> bool:
    return all(str(row.get(name)) == value for name, value in query.items())


def _page(rows: list[Row]) -> dict[str, Any]:
    return {"count": len(rows), "next": None, "previous": None, "results": rows}
