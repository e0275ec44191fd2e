# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch servers as sources of a scan: what they know of a host, and do not offer it yet. Pure.

A rollout approves the KBs that the policy names in WSUS, wave by wave, so they are missing on hosts that need them.
What a Satellite has beside a host's lifecycle environment is held: the plan can't name versions of its packages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..executors import LINUX, WINDOWS
from ..model import Status
from ..work.node_answer import words

#: Why a host does not get an erratum: its lifecycle environment does not have it.
NOT_PROMOTED = "not_promoted"


def add_needed(records: Iterable[dict[str, Any]], updates: Iterable[Mapping[str, Any]]) -> None:
    """Add what WSUS says that Windows hosts need to their records.

    :param updates: of the role's script: ``kb``, ``title``, ``classification``, ``severity`` and ``computers``.
    """
    rows = list(updates)
    for record in _scanned(records, WINDOWS.name):
        known = {str(item["id"]).upper() for item in record.get("missing") or ()}
        for row in rows:
            kb = str(row["kb"]).upper()
            if kb not in known and any(_is_host(str(name), record) for name in row.get("computers") or ()):
                known.add(kb)
                _add_missing(record, {**_about(row, "title", "classification", "severity"), "id": kb})


def add_errata(records: Iterable[dict[str, Any]], found: Iterable[Mapping[str, Any]]) -> None:
    """Add what a Satellite has for Linux hosts to what is held on them.

    :param found: ``host`` and its ``errata``, with ``errata_id``, ``title`` and ``type`` as the Satellite returns them.
    """
    errata = {str(item["host"]): item["errata"] for item in found}
    for record in _scanned(records, LINUX.name):
        rows = [
            {
                **_about(item, "title"),
                "id": words(item["errata_id"], 100),
                "classification": words(item.get("type") or "", 60),
                "why": NOT_PROMOTED,
                "text": "the Satellite has it, and the host's lifecycle environment does not",
            }
            for item in errata.get(str(record.get("host")), ())
        ]
        if rows:
            record["held"] = [*(record.get("held") or ()), *rows]


def _scanned(records: Iterable[dict[str, Any]], executor: str) -> list[dict[str, Any]]:
    """Return the records of an executor's hosts; what is missing on others is unknown, whatever a server says."""
    return [
        item for item in records if item.get("executor") == executor and item.get("status") == Status.SUCCEEDED.value
    ]


def _about(row: Mapping[str, Any], *names: str) -> dict[str, str]:
    return {name: words(row[name], 300) for name in names if row.get(name)}


def _is_host(computer: str, record: Mapping[str, Any]) -> bool:
    """WSUS has full names of its computers; a host without a domain in the inventory is compared by its short one."""
    full = computer.casefold()
    names = {str(record[name]).casefold() for name in ("host", "name", "node_id") if record.get(name)}
    return full in names or full.partition(".")[0] in names


def _add_missing(record: dict[str, Any], row: dict[str, str]) -> None:
    record["missing"] = [*(record.get("missing") or ()), row]
    record["missing_after"] = [*(record.get("missing_after") or ()), row["id"]]
    counts = record.get("counts")
    if isinstance(counts, Mapping) and "missing_count" in counts:
        record["counts"] = {**counts, "missing_count": counts["missing_count"] + 1}
