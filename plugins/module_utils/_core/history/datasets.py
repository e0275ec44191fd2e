# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The datasets of the history: their columns, and where rows of a day are kept. Pure.

Each row belongs to a run (a scan, a rollout, a day of a ledger, an import of findings) and to one publication of it.
Rows count only if ``published/<run_id>.json`` names their publication; ``reports/sql`` begins with that condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

SCHEMA = "patchtide/history/1"
SCHEMA_VERSION = 1
#: Partition of rows that belong to no account or Region. An empty value in a path means NULL to some engines.
NOWHERE = "none"
#: Types of columns, as both DuckDB and Athena name them.
TEXT, COUNT, NUMBER, FLAG = "varchar", "bigint", "double", "boolean"
TYPES: Mapping[str, Any] = {TEXT: str, COUNT: int, NUMBER: (int, float), FLAG: bool}
#: In each row, besides the columns of its dataset and those of its partition.
COMMON: Mapping[str, str] = {"run_id": TEXT, "publication": TEXT, "observed_at": TEXT, "schema_version": COUNT}
PARTITION = ("account", "region", "dt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """``key``: the columns by which rows of a run differ, and by which a file is sorted."""

    what: str
    key: tuple[str, ...]
    columns: Mapping[str, str]


def _texts(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, TEXT)


def _counts(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, COUNT)


_NODE = _texts("node_id", "host", "name", "executor", "platform", "os", "patch_group")
_OWNED = _texts("owner", "application", "environment")
_PATCH = _texts("patch_id", "title", "classification", "severity", "cve_ids")

DATASETS: Mapping[str, Dataset] = {
    "nodes": Dataset(
        what="Each node of a scan: is it compliant, how much is missing. Nothing known is null or `unknown`.",
        key=("node_id",),
        columns={
            **_NODE,
            **_OWNED,
            **_texts("status", "compliance", "open_points", "kernel", "code", "reason"),
            **_counts("missing"),
            "pending_reboot": FLAG,
        },
    ),
    "patches": Dataset(
        what="Each patch of a node in a scan that is `missing`, `failed`, `held` or `rejected` (installed though so).",
        key=("node_id", "patch_id", "state"),
        columns={**_texts("node_id"), **_PATCH, **_texts("state")},
    ),
    "patch_states": Dataset(
        what="Each patch of an operating system and patch group in a scan: approval, and nodes by state.",
        key=("os", "patch_group", "patch_id"),
        columns={
            **_texts("os", "patch_group"),
            **_PATCH,
            **_texts("released", "approval"),
            **_counts("nodes_installed", "nodes_installed_rejected", "nodes_missing", "nodes_failed", "nodes_held"),
        },
    ),
    "coverage": Dataset(
        what="Each node of the inventory and each of its problems (`problem` is empty if it has none), and each "
        "account-Region that did not answer (`node_id` is empty).",
        key=("node_id", "problem"),
        columns={**_NODE, **_OWNED, **_texts("state", "problem", "text"), "managed": FLAG},
    ),
    "rollouts": Dataset(
        what="Each rollout, from its plan on.",
        key=("rollout",),
        columns={
            **_texts("rollout", "digest", "policy", "operator", "status", "headline"),
            **_texts("planned_at", "started_at", "ended_at", "as_of", "journal_head"),
            **_counts("nodes", "excluded", "hands_on_steps", "by_schedule", "warnings"),
            **dict.fromkeys(("minutes", "waiting_minutes"), NUMBER),
            "rehearsal": FLAG,
        },
    ),
    "waves": Dataset(
        what="Each wave of a rollout.",
        key=("rollout", "wave_order"),
        columns={
            **_texts("rollout", "wave", "state", "window_start", "window_end", "started_at", "ended_at"),
            **_counts("wave_order", "nodes", "good", "bad", "unknown", "held", "pending"),
            "minutes": NUMBER,
        },
    ),
    "gates": Dataset(
        what="Each judgement of a gate. `numbers` is JSON.",
        key=("rollout", "wave", "judged_at"),
        columns=_texts("rollout", "wave", "judged_at", "verdict", "reasons", "numbers"),
    ),
    "decisions": Dataset(
        what="Who planned, approved, started, continued and decided.",
        key=("rollout", "decided_at", "act", "decided_by"),
        columns=_texts("rollout", "act", "decided_by", "decided_at", "source", "wave", "reason"),
    ),
    "rollout_nodes": Dataset(
        what="Each node of a rollout, before and after. Excluded ones have the status `excluded` and no wave.",
        key=("rollout", "node_id"),
        columns={
            **_texts("rollout", "wave"),
            **_NODE,
            **_OWNED,
            **_texts("status", "tone", "code", "reason", "compliance_before", "compliance_after"),
            **_texts("kernel_before", "kernel_after", "started_at", "ended_at", "proof"),
            **_counts("planned", "installed", "failed", "missing_before", "missing_after"),
            **dict.fromkeys(("rebooted", "pending_reboot"), FLAG),
            "minutes": NUMBER,
        },
    ),
    "rollout_patches": Dataset(
        what="Each patch that a rollout `installed`, `failed` to install or left `missing` on a node, and each package "
        "that `changed` from one version to another.",
        key=("rollout", "node_id", "patch_id", "result"),
        columns=_texts(
            "rollout", "node_id", "patch_id", "title", "severity", "result", "old_version", "new_version", "released"
        ),
    ),
    "exceptions": Dataset(
        what="Each record of the ledger on a day. `selects` is JSON, `nodes` its number of nodes in the inventory.",
        key=("ledger", "exception_id"),
        columns={
            **_texts("ledger", "exception_id", "selects", "valid_from", "valid_until", "reason", "requested_by"),
            **_texts("status", "decided_by", "decided_at", "note"),
            **_counts("nodes"),
        },
    ),
    "exception_nodes": Dataset(
        what="Each node that an approved or requested exception is for, on a day.",
        key=("ledger", "exception_id", "node_id"),
        columns={**_texts("ledger", "exception_id", "node_id", "name"), **_OWNED},
    ),
    "findings": Dataset(
        what="Each finding of an import (see vulnerabilities.jsonl). `kev_due` is empty if it is not in the catalogue. "
        "The same finding has the same `finding_key` in all imports.",
        key=("finding_key", "source", "finding_id", "node_id", "machine", "place"),
        columns={
            **_texts(
                "finding_key", "source", "finding_id", "place", "title", "node_id", "machine", "severity", "status"
            ),
            **_texts("remediation", "why", "patched_by", "cves", "kev_due", "first_seen", "last_seen"),
            **_OWNED,
            **dict.fromkeys(("cvss", "epss"), NUMBER),
        },
    ),
    "limits": Dataset(
        what="Limits that views compare with: `sla_<severity>`, `stale` and `gone` in days.",
        key=("name",),
        columns={"name": TEXT, "value": NUMBER},
    ),
}
#: ``published/<run_id>.json``, a table of one row for each run.
PUBLICATIONS: Mapping[str, str] = {
    **_texts("schema", "run_id", "kind", "publication", "observed_at", "as_of", "published_at", "format"),
    "schema_version": COUNT,
}


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """The rows of one dataset, account, Region and day."""

    dataset: str
    account: str
    region: str
    dt: str

    @property
    def folder(self) -> str:
        """Hive's form of partitions, which DuckDB and Athena read: ``nodes/account=…/region=…/dt=2026-11-28``."""
        values = (self.account or NOWHERE, self.region or NOWHERE, self.dt)
        return "/".join(
            [self.dataset, *(f"{name}={quote(value, safe='')}" for name, value in zip(PARTITION, values, strict=True))]
        )


def check_row(dataset: str, row: Mapping[str, Any]) -> None:
    """:raises ValueError: a row has not exactly the columns of its dataset, or one of another type."""
    columns = DATASETS[dataset].columns
    if row.keys() != columns.keys():
        raise ValueError(f"{dataset}: columns {sorted(row.keys() ^ columns.keys())} are missing or unknown")
    for name, value in row.items():
        wrong_flag = isinstance(value, bool) and columns[name] != FLAG
        if value is not None and (wrong_flag or not isinstance(value, TYPES[columns[name]])):
            raise ValueError(f"{dataset}.{name} is {value!r}, expected {columns[name]}")
