# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own URLs under /moto-api/patchtide: clock, faults, ledger, nodes; and a reset that seeds again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from typing import Any

from moto.moto_api._internal.models import moto_api_backend
from moto.moto_api._internal.urls import url_paths

from . import access, balancers, ec2
from .clock import from_iso, to_iso
from .estate import FAULTS
from .faults import to_rule
from .ledger import Window
from .node import Node
from .ssm.backend import Place, place_of
from .ssm.behaviour import boot_mark
from .ssm.window_executions import open_window
from .world import world

Reply = tuple[int, dict[str, str], str]


def places() -> list[Place]:
    """Every account-Region of the estate, up to date."""
    estate = world().estate
    found = [place_of(account.account_id, region) for account in estate.accounts for region in estate.regions]
    for place in found:
        place.catch_up()
    return found


def seed() -> None:
    """Fill moto with the estate."""
    access.seed()
    ec2.seed()
    balancers.seed()


def reset(method: str, body: dict[str, Any]) -> dict[str, Any]:
    """What moto resets, plus the lab's ledger and faults; the estate is as new, the clock goes on."""
    _only("POST", method)
    world().renew()
    moto_api_backend.reset()
    world().faults.reset()
    world().ledger.reset()
    world().clock.skew = timedelta(0)
    seed()
    for renew in world().beside:
        renew()
    return {"status": "ok"}


def clock(method: str, body: dict[str, Any]) -> dict[str, Any]:
    """GET: now, as a controller sees it, and the service's. POST {"advance": seconds}, {"set": ISO} or {"skew": s}."""
    if method == "POST":
        if set(body) == {"advance"}:
            world().clock.advance(float(body["advance"]))
        elif set(body) == {"set"}:
            world().clock.set(from_iso(str(body["set"])))
        elif set(body) == {"skew"}:
            world().clock.skew = timedelta(seconds=float(body["skew"]))
        else:
            raise ValueError('POST {"advance": seconds}, {"set": "2026-06-02T23:30:00Z"} or {"skew": seconds}')
        places()
    return {"now": to_iso(world().clock.controllers()), "service": to_iso(world().clock.now())}


def faults(method: str, body: dict[str, Any]) -> dict[str, Any]:
    """GET: rules and nodes' faults. POST {"rules": […]}, {"node": id or name, …faults} or {"reset": true}."""
    if method == "POST":
        if body.get("reset"):
            world().faults.reset()
        elif "rules" in body:
            for rule in [to_rule(row) for row in body["rules"]]:
                world().faults.add(rule)
        elif "node" in body:
            _set_faults(body)
        else:
            raise ValueError('POST {"rules": [{"kind": …}]}, {"node": id or name, fault: value} or {"reset": true}')
    rules = world().faults.rules
    shown = [{f.name: getattr(rule, f.name) for f in fields(rule) if not f.name.startswith("_")} for rule in rules]
    nodes = {node.node_id: _changed(node) for place in places() for node in place.nodes.values() if _changed(node)}
    return {"rules": shown, "nodes": nodes}


def _changed(node: Node) -> dict[str, Any]:
    return {key: value for key, value in node.faults.items() if value != FAULTS[key]}


def _set_faults(body: dict[str, Any]) -> None:
    changes = {key: value for key, value in body.items() if key != "node"}
    if unknown := set(changes) - set(FAULTS):
        raise ValueError(f"unknown faults {sorted(unknown)}; a node has {sorted(FAULTS)}")
    _find(str(body["node"])).set_faults(changes)


def _find(wanted: str) -> Node:
    for place in places():
        for node in place.nodes.values():
            if wanted in (node.node_id, node.name):
                return node
    raise ValueError(f"no node {wanted!r} in the estate")


def ledger(method: str, body: dict[str, Any]) -> dict[str, Any]:
    """What really happened up to now."""
    places()
    return world().ledger.to_dict()


def ledger_reset(method: str, body: dict[str, Any]) -> dict[str, Any]:
    _only("POST", method)
    world().ledger.reset()
    return {"status": "ok"}


def ledger_windows(method: str, body: dict[str, Any]) -> dict[str, Any]:
    """POST {"windows": [{"name", "start", "end", "nodes": [id or name]}]}: when nodes may be patched."""
    _only("POST", method)
    rows = [
        Window(row["name"], from_iso(row["start"]), from_iso(row["end"]), frozenset(row.get("nodes", ())))
        for row in body["windows"]
    ]
    world().ledger.set_windows(rows)
    return {"windows": len(rows)}


def nodes(method: str, body: dict[str, Any]) -> dict[str, Any]:
    """Every machine as it is, whatever SSM knows of it."""
    return {"nodes": [_to_dict(place, node) for place in places() for node in place.nodes.values()]}


def _to_dict(place: Place, node: Node) -> dict[str, Any]:
    return {
        "node_id": node.node_id,
        "name": node.name,
        "account": place.account,
        "region": place.region,
        "os": node.spec.os,
        "source": node.spec.source,
        "managed": node.registered,
        "power": node.power,
        "serves": node.serves,
        "ip": node.spec.ip,
        "zone": node.spec.zone,
        "agent_version": node.agent_version,
        "ping_status": node.ping_status,
        "boot_id": boot_mark(node),
        "kernel": node.kernel,
        "pending_reboot": node.pending_reboot,
        "installed": sorted(node.installed),
        "patch_group": node.patch_group,
        "tags": node.tags,
    }


def windows(method: str, body: dict[str, Any]) -> dict[str, Any]:
    """POST {"account", "region", "window_id"}: open a maintenance window now; they never open by themselves."""
    _only("POST", method)
    place = next((row for row in places() if (row.account, row.region) == (body["account"], body["region"])), None)
    if place is None or body["window_id"] not in place.windows:
        raise ValueError(f"no window {body['window_id']!r} in {body['account']}/{body['region']}")
    return {"execution_id": open_window(place, body["window_id"])}


def health(method: str, body: dict[str, Any]) -> dict[str, Any]:
    """Answers as soon as the server can be used."""
    return {"status": "ok", "nodes": len(world().estate.nodes)}


def _only(wanted: str, method: str) -> None:
    if method != wanted:
        raise ValueError(f"use {wanted}, not {method}")


def _as_view(name: str, act: Callable[[str, dict[str, Any]], dict[str, Any]]) -> Callable[[Any, str, Any], Reply]:
    def view(request: Any, full_url: str, headers: Any) -> Reply:
        try:
            body = json.loads(request.data or b"{}")
            with world().lock:
                answer = act(request.method, body)
        except (ValueError, TypeError, KeyError) as error:
            return 400, {}, json.dumps({"error": str(error)})
        return 200, {"Content-Type": "application/json"}, json.dumps(answer)

    view.__name__ = f"patchtide_{name}"
    return view


_URLS: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
    "reset": reset,
    "patchtide/clock": clock,
    "patchtide/faults": faults,
    "patchtide/ledger": ledger,
    "patchtide/ledger/reset": ledger_reset,
    "patchtide/ledger/windows": ledger_windows,
    "patchtide/nodes": nodes,
    "patchtide/windows": windows,
    "patchtide/health": health,
}


def bind() -> None:
    for path, act in _URLS.items():
        url_paths["{0}/moto-api/" + path] = _as_view(path.replace("/", "_"), act)
