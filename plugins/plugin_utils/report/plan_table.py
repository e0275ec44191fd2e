# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a plan as rows of its page's table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._core.nodes import PLANNED, texts
from ...module_utils._core.report.plan_facts import baseline_text, pin_of
from ...module_utils._core.report.plan_words import start_note, turn_count
from .formats import number, words
from .node_table import Cell, Column, NodeRow, NodeTable, node_table

_COLUMNS = (
    Column("Node"),
    Column("Wave", "c-wave"),
    Column("Where", "c-where"),
    Column("System"),
    Column("Patches", "num"),
    Column("Reboot"),
    Column("Minutes", "num"),
)
_SHOWN = (*PLANNED, "cluster", "reboot", "reboot_rule")


def plan_table(plan: Mapping[str, Any]) -> NodeTable:
    """Return the table of all nodes of the plan, wave by wave."""
    rows = [_row(plan, order, wave, node) for order, wave in enumerate(plan["waves"]) for node in wave["nodes"]]
    return node_table(_COLUMNS, rows)


def _row(plan: Mapping[str, Any], order: int, wave: Mapping[str, Any], node: Mapping[str, Any]) -> NodeRow:
    known = texts(node, _SHOWN)
    title = known["name"] or known["host"] or known["node_id"]
    unknown = bool(node.get("start")) and not node.get("assessed_at")
    patches = [str(patch.get("id")) for patch in node["patches"]]
    turn = int(node.get("turn") or 1)
    count = int(node.get("patch_count") or 0)
    minutes = node.get("expected_minutes")
    return NodeRow(
        cells=(
            Cell(text=title, sub=known["node_id"] if known["node_id"] != title else ""),
            Cell(
                text=str(wave["name"]),
                sub=f"turn {turn}" if turn_count(wave) > 1 else "",
                sort=order * 1_000_000 + turn,
            ),
            Cell(text=known["executor"], sub=f"{known['account']} {known['region']}".strip()),
            Cell(text=known["os"] or known["platform"]),
            Cell(text="not known" if unknown else number(count), sort=count),
            Cell(text="possible" if known["reboot"] == "unknown" else known["reboot"] or "\u2013"),
            Cell(text=number(minutes), sort=minutes or 0),
        ),
        text=f"It {note}." if (note := start_note(node)) else "",
        facts=list(_facts(plan, node, known)),
        lists=[("Patches", patches)] if patches else [],
    )


def _facts(plan: Mapping[str, Any], node: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    keys, tags = plan.get("tags") or {}, node.get("tags") or {}
    for name in ("owner", "application", "environment"):
        if value := tags.get(keys.get(name) or ""):
            yield name.capitalize(), str(value)
    if known["patch_group"]:
        yield "Patch group", known["patch_group"]
    yield "Baseline", baseline_text(node)
    yield "Pinned", words(pin_of(node))
    yield "State", known["state"] or "not known"
    for name in ("zone", "cluster"):
        if known[name]:
            yield name.capitalize(), known[name]
    if known["reboot_rule"]:
        yield "Its own reboot rule", words(known["reboot_rule"])
