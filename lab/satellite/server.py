# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Foreman with Katello over HTTP, as strict as its API description. ``python -m lab.satellite --port 15080``.

``PUT /lab`` makes a world from a JSON object, ``GET /lab`` returns what became of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from . import apidoc
from .apidoc import Call
from .world import ENVIRONMENTS, ORGANIZATION, Refused, World, by_search

VIEW = {"id": 5, "name": "base", "label": "base", "organization_id": 1, "composite": False, "default": False}
PRODUCT = {"id": 3, "name": "RHEL 9", "label": "rhel9", "organization_id": 1}
REPOSITORY = {"id": 4, "name": "BaseOS", "label": "baseos", "product": {"id": 3, "name": "RHEL 9"}}
Values = Mapping[str, Any]


class Satellite:
    """A WSGI application."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        try:
            status, answer = self._answer(request)
        except Refused as why:
            self.world.refused.append(f"{request.method} {request.path}: {why}")
            status, answer = why.status, {"displayMessage": str(why), "errors": [str(why)]}
        response = Response(json.dumps(answer), status=status, content_type="application/json; charset=utf-8")
        found: Iterable[bytes] = response(environ, start)
        return found

    def _answer(self, request: Request) -> tuple[int, Any]:
        if request.path == "/lab":
            if request.method == "PUT":
                self.world = World.of(request.get_json())
            return 200, self.world.to_data()
        if request.path == "/apidoc/v2.json":
            return 200, apidoc.published()
        given = request.authorization
        if given is None or (given.username, given.password) != ("patching", self.world.password):
            self.world.refused.append("401")
            return 401, {"error": {"message": f"Unable to authenticate user {given.username if given else ''}"}}
        call = apidoc.find(request.method, request.path)
        if call is None:
            raise Refused(404, f"no such route: {request.method} {request.path}")
        body = request.get_json() if request.method in ("POST", "PUT") and request.data else {}
        values = {**request.args.to_dict(), **body}
        if wrong := apidoc.mistakes(call, values):
            raise Refused(422, f"{call.name}: {'; '.join(wrong)}")
        if request.method != "GET":
            self.world.calls.append(call.name)
        return self._do(call, {**values, **call.values})

    def _do(self, call: Call, values: Values) -> tuple[int, Any]:
        if call.method == "index":
            rows = by_search(self._rows(call.resource, values), values.get("search"))
            return 200, {"total": len(rows), "subtotal": len(rows), "page": 1, "results": rows}
        if call.method == "show" and call.resource != "foreman_tasks":
            rows = [row for row in self._rows(call.resource, {}) if str(row["id"]) == str(values["id"])]
            if not rows:
                raise Refused(404, f"Couldn't find {call.resource} with id {values['id']}")
            return 200, rows[0]
        return _CALLS[call.name](self.world, values)

    def _rows(self, resource: str, values: Values) -> list[dict[str, Any]]:
        rows = _ROWS[resource](self.world)
        if version := values.get("content_view_version_id"):
            held = self.world.versions[int(version)].errata
            rows = [row for row in rows if row["errata_id"] in held]
        if cve := values.get("cve"):
            rows = [row for row in rows if cve in row["cves"]]
        if resource == "content_view_versions" and (environment := values.get("environment_id")):
            rows = [row for row in rows if int(environment) in [item["id"] for item in row["environments"]]]
        if resource == "content_view_filter_rules" and (holder := values.get("content_view_filter_id")):
            rows = [row for row in rows if row["content_view_filter_id"] == int(holder)]
        if resource == "host_errata":
            rows = self._host_errata(values)
        return rows

    def _host_errata(self, values: Values) -> list[dict[str, Any]]:
        """Return what a host can install in its own environment, or in the given one."""
        host = self.world.hosts[int(values["host_id"])]
        if ("content_view_id" in values) != ("environment_id" in values):
            raise Refused(500, "Either both parameters 'content_view_id' and 'environment_id' should be specified")
        wanted = ENVIRONMENTS[int(values["environment_id"])] if "environment_id" in values else host["environment"]
        held = [item.errata for item in self.world.versions.values() if _key(wanted) in item.environments]
        offered = set(host["applicable"]).intersection(*held) if held else set()
        return [row for row in _errata(self.world) if row["errata_id"] in offered]


def _key(environment: str) -> int:
    return next(key for key, name in ENVIRONMENTS.items() if name == environment)


def _versions(world: World) -> list[dict[str, Any]]:
    return [
        {
            "id": key,
            "version": item.number,
            "content_view_id": VIEW["id"],
            "description": item.description,
            "environments": [{"id": env, "name": ENVIRONMENTS[env]} for env in sorted(item.environments)],
        }
        for key, item in sorted(world.versions.items(), reverse=True)
    ]


def _views(world: World) -> list[dict[str, Any]]:
    versions = [{"id": row["id"], "version": row["version"]} for row in reversed(_versions(world))]
    return [{**VIEW, "needs_publish": world.needs_publish, "versions": versions, "repositories": [REPOSITORY]}]


def _environments(_world: World) -> list[dict[str, Any]]:
    def beside(key: int) -> dict[str, Any] | None:
        return {"id": key, "name": ENVIRONMENTS[key]} if key in ENVIRONMENTS else None

    return [
        {"id": key, "name": name, "library": key == 1, "prior": beside(key - 1), "successor": beside(key + 1)}
        for key, name in ENVIRONMENTS.items()
    ]


def _errata(world: World) -> list[dict[str, Any]]:
    return [
        {
            "id": item["id"],
            "errata_id": name,
            "type": "security",
            "issued": world.issued(name),
            "cves": item["cves"],
        }
        for name, item in world.errata.items()
    ]


def _hosts(world: World) -> list[dict[str, Any]]:
    def facet(host: Mapping[str, Any]) -> dict[str, Any]:
        view, source = host.get("view", "base"), {"content_source_name": host.get("source", "satellite.example")}
        if host.get("old"):  # Katello before hosts could be in several environments
            return {"content_view_name": view, "lifecycle_environment_name": host["environment"], **source}
        names = (host["environment"], *([host["also"]] if "also" in host else []))
        places = [{"content_view": {"name": view}, "lifecycle_environment": {"name": name}} for name in names]
        return {"content_view_environments": places, **source}

    return [
        {"id": key, "name": host["name"], "content_facet_attributes": facet(host)} for key, host in world.hosts.items()
    ]


_ROWS: Mapping[str, Callable[[World], list[dict[str, Any]]]] = {
    "organizations": lambda _world: [ORGANIZATION],
    "products": lambda _world: [PRODUCT],
    "repositories": lambda _world: [REPOSITORY],
    "content_views": _views,
    "content_view_versions": _versions,
    "content_view_filters": lambda world: list(world.filters.values()),
    "content_view_filter_rules": lambda world: list(world.rules.values()),
    "lifecycle_environments": _environments,
    "errata": _errata,
    "hosts": _hosts,
    "host_errata": _errata,
}


def _put(rows: dict[int, dict[str, Any]], values: Values, first: int) -> tuple[int, Any]:
    key = int(values["id"]) if "id" in values else max(rows, default=first) + 1
    own = {name: int(value) if name.endswith("_id") else value for name, value in values.items()}
    rows[key] = {**rows.get(key, {}), **own, "id": key}
    return 201, rows[key]


_CALLS: Mapping[str, Callable[[World, Values], tuple[int, Any]]] = {
    "home/status": lambda _world, _values: (200, {"result": "ok", "status": 200, "version": "3.12.0"}),
    "foreman_tasks/show": lambda world, values: (200, world.look(values["id"])),
    "repositories/sync": lambda world, _values: (202, world.sync()),
    "products/sync": lambda world, _values: (202, world.sync()),
    "content_views/publish": lambda world, values: (202, world.publish(values.get("description", ""))),
    "content_view_versions/promote": lambda world, values: (
        202,
        world.promote(int(values["id"]), list(values["environment_ids"]), force=bool(values.get("force"))),
    ),
    "content_view_versions/incremental_update": lambda world, values: (
        202,
        world.incremental_update(values["content_view_version_environments"], values["add_content"]["errata_ids"]),
    ),
    "content_view_filters/create": lambda world, values: _put(world.filters, {"rules": [], **values}, 20),
    "content_view_filters/update": lambda world, values: _put(world.filters, values, 20),
    "content_view_filter_rules/create": lambda world, values: _put(world.rules, values, 30),
    "content_view_filter_rules/update": lambda world, values: _put(world.rules, values, 30),
}
