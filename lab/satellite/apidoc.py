# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which calls a Foreman with Katello knows, and which parameters each takes.

``apidoc.json`` has them from the API description that a real server published: theforeman/foreman-ansible-modules,
``tests/fixtures/apidoc/katello.json``. Texts are left out, and so are methods that nothing here calls.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESOURCES: Mapping[str, list[dict[str, Any]]] = json.loads((Path(__file__).parent / "apidoc.json").read_text("utf-8"))
_KINDS: Mapping[str, tuple[type, ...]] = {
    "numeric": (int,),
    "string": (str, int),
    "boolean": (bool,),
    "array": (list,),
    "hash": (dict,),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One method of a resource, with the values in its path."""

    resource: str
    method: str
    values: Mapping[str, str]
    params: list[dict[str, Any]]

    @property
    def name(self) -> str:
        return f"{self.resource}/{self.method}"


def find(verb: str, path: str) -> Call | None:
    """Return the call of a request; with several, the one whose path has the most words of its own."""
    found = [
        (route.count(":"), Call(resource, method["name"], match.groupdict(), method["params"]))
        for resource, methods in RESOURCES.items()
        for method in methods
        for http, route in method["apis"]
        if http.upper() == verb and (match := re.fullmatch(re.sub(r":(\w+)", r"(?P<\1>[^/]+)", route), path))
    ]
    return min(found, key=lambda item: item[0])[1] if found else None


def mistakes(call: Call, values: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a call's parameters, those in its path included.

    A real server ignores parameters that it does not know; this one does not.
    """
    return list(_mistakes(call.params, {**call.values, **values}, ""))


def _mistakes(params: list[dict[str, Any]], values: Mapping[str, Any], where: str) -> Iterator[str]:
    known = {item["name"]: item for item in params}
    for name, item in known.items():
        if item.get("required") and name not in values:
            yield f"{where}{name} is missing"
    for name, value in values.items():
        if name not in known:
            yield f"{where}{name} is unknown"
            continue
        yield from _kind(known[name], value, f"{where}{name}")


def _kind(item: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
    expected = item["expected_type"]
    if value is None:
        if not item.get("allow_nil"):
            yield f"{where} is null"
    elif expected == "numeric" and isinstance(value, str) and value.lstrip("-").isdigit():
        pass  # as in a path or a query
    elif expected == "boolean" and value in ("true", "false"):
        pass
    elif expected in _KINDS and not isinstance(value, _KINDS[expected]):
        yield f"{where} is {value!r}, expected {expected}"
    elif item.get("params"):
        for part in value if isinstance(value, list) else [value]:
            yield from _mistakes(item["params"], part, f"{where}.")


def published() -> dict[str, Any]:
    """Return the description as the server publishes it under ``/apidoc/v2.json``."""

    def param(item: Mapping[str, Any]) -> dict[str, Any]:
        inner = {"params": [param(part) for part in item["params"]]} if item.get("params") else {}
        empty = {"full_name": item["name"], "description": "", "validator": "", "required": False, "allow_nil": False}
        return {**empty, **item, **inner}

    def method(item: Mapping[str, Any]) -> dict[str, Any]:
        apis = [{"http_method": http, "api_url": route, "short_description": ""} for http, route in item["apis"]]
        return {"name": item["name"], "apis": apis, "params": [param(part) for part in item["params"]], "examples": []}

    resources = {name: {"methods": [method(item) for item in methods]} for name, methods in RESOURCES.items()}
    return {"docs": {"name": "Foreman", "api_url": "/api", "resources": resources}}
