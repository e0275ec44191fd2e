# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dashboard of a history: one page from the views, and one for each owner with the owner's rows alone.

A page needs no network: data, style and script are in it, and a strict Content-Security-Policy names the script by its
hash. The nodes of a large estate are in files beside it, which the page loads when somebody asks for them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from .duck import rows_of

PAGE = Path(__file__).parents[3] / "dashboard"
#: More nodes than this are in files of so many nodes beside the page.
INLINE_NODES, CHUNK = 10_000, 5_000
#: Rows of tables that the page does not need in full; a table that is cut says so.
_TOP = 200

#: Tables of a page by name: a query in which ``{owner}`` becomes the condition of an owner's page. Order and sums are
#: here, so that the page shows the figures of the views.
QUERIES: Mapping[str, str] = {
    "as_of": "SELECT as_of, as_of_day, stale, gone FROM as_of",
    "compliance": (
        "SELECT owner, application, environment, account, os, patch_group, sum(nodes) AS nodes, "
        "sum(compliant) AS compliant, sum(non_compliant) AS non_compliant, sum(unknown) AS unknown, "
        "sum(pending_reboot) AS pending_reboot FROM compliance_now WHERE {owner} "
        "GROUP BY ALL ORDER BY ALL"
    ),
    "days": (
        "SELECT day, owner, sum(nodes) AS nodes, sum(compliant) AS compliant, sum(unknown) AS unknown "
        "FROM compliance_days WHERE {owner} GROUP BY ALL ORDER BY ALL"
    ),
    "late": (
        "SELECT owner, application, overdue, nodes, oldest_days FROM late_now "
        "WHERE {owner} ORDER BY overdue DESC, owner, application"
    ),
    "ageing": (
        "SELECT owner, severity, age, sum(missing) AS missing, sum(overdue) AS overdue FROM ageing_now "
        "WHERE {owner} GROUP BY ALL ORDER BY ALL"
    ),
    "missing": (
        "SELECT patch_id, max(title) AS title, severity, max(cve_ids) AS cve_ids, sum(nodes) AS nodes, "
        "max(oldest_days) AS oldest_days, sum(overdue) AS overdue FROM top_missing WHERE {owner} "
        f"GROUP BY patch_id, severity ORDER BY nodes DESC, patch_id LIMIT {_TOP}"
    ),
    "exceptions": (
        "SELECT coalesce(n.owner, '') AS owner, e.exception_id, e.state, e.valid_from, e.valid_until, e.days_left, "
        "e.reason, count(DISTINCT n.node_id) AS nodes FROM exceptions_now AS e LEFT JOIN exception_nodes_now AS n "
        "ON n.ledger = e.ledger AND n.exception_id = e.exception_id "
        "WHERE e.state IN ('in_force', 'upcoming', 'requested') AND {owner} "
        "GROUP BY ALL ORDER BY e.valid_until, e.exception_id, owner"
    ),
    "coverage": (
        "SELECT owner, problem, sum(nodes) AS nodes FROM coverage_now WHERE problem <> '' AND {owner} "
        "GROUP BY ALL ORDER BY ALL"
    ),
    "rollouts": (
        "SELECT owner, rollout, policy, started_at, ended_at, status, sum(nodes) AS nodes, sum(good) AS good, "
        "sum(bad) AS bad, sum(unknown) AS unknown, sum(compliant_before) AS compliant_before, "
        "sum(compliant_after) AS compliant_after, sum(installed) AS installed FROM rollout_owners WHERE {owner} "
        "GROUP BY ALL ORDER BY started_at DESC, rollout, owner"
    ),
    "causes": (
        "SELECT owner, month, status, code, sum(nodes) AS nodes FROM failure_causes WHERE {owner} "
        "GROUP BY ALL ORDER BY month DESC, nodes DESC, status, code, owner"
    ),
    "changes": (
        "SELECT owner, change, CASE WHEN change IN ('still_open', 'opened') THEN coalesce(why, '') ELSE '' END AS why, "
        "count(*) AS findings FROM finding_changes WHERE {owner} GROUP BY ALL ORDER BY ALL"
    ),
    "cves": (
        "SELECT cve, sum(open) AS open, sum(closed) AS closed, sum(vanished) AS vanished FROM cve_now WHERE {owner} "
        f"GROUP BY cve ORDER BY open DESC, closed DESC, cve LIMIT {_TOP}"
    ),
}
#: Tables of the whole estate, which no owner's page has.
ESTATE: Mapping[str, str] = {
    "gates": (
        "SELECT rollout, wave, started_at, state, nodes, good, bad, unknown, verdict, reasons FROM gate_log "
        f"ORDER BY started_at DESC, rollout, wave_order, judged_at LIMIT {_TOP}"
    ),
    "approvals": "SELECT * FROM patch_approvals ORDER BY ALL",
    "decisions": f"SELECT * FROM decision_log ORDER BY decided_at DESC, subject, act LIMIT {_TOP}",
    "effort": "SELECT * FROM effort_months ORDER BY month DESC",
    "release": "SELECT * FROM release_to_install ORDER BY month DESC, severity",
}
NODES = (
    "SELECT n.title, n.owner, n.application, n.environment, n.account, n.os, n.patch_group, n.state, n.code, "
    "n.missing, coalesce(p.overdue, 0) AS overdue, n.days_ago, n.node_id FROM node_now AS n LEFT JOIN (SELECT node_id, "
    "count_if(overdue) AS overdue FROM patch_ages GROUP BY node_id) AS p ON p.node_id = n.node_id "
    "WHERE {owner} ORDER BY overdue DESC, n.missing DESC NULLS LAST, n.node_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """:param owner: whose page it is, ``None`` for the whole estate's."""

    title: str
    owner: str | None = None
    links: tuple[tuple[str, str], ...] = ()


def pages(database: Any, title: str, with_owners: bool) -> Iterator[tuple[str, str]]:
    """Yield all files of the dashboard: relative names and contents."""
    owners = [row[0] for row in rows_of(database, "SELECT DISTINCT owner FROM node_now ORDER BY owner")[1]]
    names = {owner: f"owners/{_slug(owner)}/index.html" for owner in owners} if with_owners else {}
    links = tuple((owner or "no owner", name) for owner, name in names.items())
    yield from _files(database, Page(title=title, links=links), "")
    for owner, name in names.items():
        page = Page(title=f"{title}: {owner or 'no owner'}", owner=owner)
        yield from _files(database, page, name.removesuffix("index.html"))


def _files(database: Any, page: Page, folder: str) -> Iterator[tuple[str, str]]:
    data = {name: _table(database, sql, page.owner) for name, sql in QUERIES.items()}
    if page.owner is None:
        data |= {name: _table(database, sql, None) for name, sql in ESTATE.items()}
    nodes = _table(database, NODES, page.owner)
    rows, files = nodes["rows"], []
    if len(rows) > INLINE_NODES:
        for number, start in enumerate(range(0, len(rows), CHUNK)):
            name = f"data/nodes-{number}.js"
            files.append(name)
            yield f"{folder}{name}", f"window.patchtideChunk({number},{_script_json(rows[start : start + CHUNK])});\n"
        nodes = {**nodes, "rows": []}
    data["nodes"] = {**nodes, "files": files, "count": len(rows)}
    yield f"{folder}index.html", _finished(page, data)


def _finished(page: Page, data: dict[str, Any]) -> str:
    data["page"] = {"title": page.title, "owner": page.owner, "links": page.links}
    return _render(page, data, bool(data["nodes"]["files"]))


def single_page(title: str, tables: Mapping[str, dict[str, Any]], nodes: Mapping[str, Any]) -> str:
    """Return one page of some tables, with the first nodes alone if there are many; it says so then.

    :param tables: of ``QUERIES`` and ``ESTATE``. :param nodes: the answer of ``NODES``.
    """
    rows = nodes["rows"]
    cut = {"files": [], "count": len(rows), "rows": rows[:INLINE_NODES]}
    return _finished(Page(title=title), {**tables, "nodes": {**nodes, **cut}})


def estate_tables(database: Any) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return the tables of the whole estate, each with ``columns`` and ``rows``, and that of its nodes."""
    found = {name: _table(database, sql, None) for name, sql in {**QUERIES, **ESTATE}.items()}
    return found, _table(database, NODES, None)


def _table(database: Any, sql: str, owner: str | None) -> dict[str, Any]:
    """Return ``columns`` and ``rows``. An owner is a value, never a part of the query's text."""
    condition, values = ("true", []) if owner is None else ("owner = ?", [owner] * sql.count("{owner}"))
    columns, rows = rows_of(database, sql.format(owner=condition), values)
    return {"columns": columns, "rows": [list(row) for row in rows]}


def _render(page: Page, data: Mapping[str, Any], has_files: bool) -> str:
    style, script = ((PAGE / name).read_text("utf-8") for name in ("page.css", "page.js"))
    beside = " 'self' file:" if has_files else ""
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'{beside}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    parts = {
        "csp": policy,
        "title": escape(page.title),
        "style": style,
        "script": script,
        "data": _script_json(data),
    }
    template = (PAGE / "page.html").read_text("utf-8")
    return re.sub(r"\{\{ (\w+) \}\}", lambda found: parts[found[1]], template)


def _script_json(data: Any) -> str:
    """Return JSON that ends no script element and starts no comment in it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in ("<", ">", "&", "\u2028", "\u2029"):
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text.encode("utf-8", "replace").decode("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _slug(owner: str) -> str:
    """Return a name of a directory: readable, and different for different owners."""
    words = re.sub(r"[^a-z0-9]+", "-", owner.lower()).strip("-")[:40] or "none"
    return f"{words}-{hashlib.sha256(owner.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
