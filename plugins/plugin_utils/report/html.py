# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report, a plan and the overview of tenants as one self-contained HTML page each.

All external text is escaped by Jinja's autoescape and never templated; style and script are inline and identified by
their hash in a strict Content-Security-Policy; nothing is loaded from elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ...module_utils._core.plan.exclude import TROUBLE
from ...module_utils._core.report.conclusion import to_sentences
from ...module_utils._core.report.difference_words import INFORMATION, differences
from ...module_utils._core.report.model import Report, failed_place
from ...module_utils._core.report.plan_facts import (
    TOP_PATCHES,
    affected,
    content_open,
    forecasts,
    pinned,
    planned_patches,
    times_of,
    undoable,
    without_baseline,
)
from ...module_utils._core.report.plan_words import plan_rules, turn_count, wave_notes, wave_warnings
from ...module_utils._core.report.rows import LABELS, TONES, count_severities, in_severity_order
from ...module_utils._core.report.text import share_text
from ...module_utils._core.report.timeline_words import end_note, timeline_rows
from ...module_utils._core.report.window_words import cutoff_text, window_in_utc, window_text
from ...module_utils._core.text import counted
from .charts import STATES, divide, parts_of, to_scale
from .formats import age, clean, duration, gate_numbers, number, percentage, span, when, words
from .node_table import DATA_ROWS, LIST_LIMIT
from .plan_table import plan_table
from .report_table import report_table

_PAGE = Path(__file__).parent / "page"
NAME_LIMIT = 8
#: Number of causes, lines of a group and names that a page shows; the files beside it have all of them.
CAUSES, LINES, NAMES = 40, 8, 300


def render_report_html(report: Report, has_plan: bool = False, files: Sequence[str] = ("nodes.csv",)) -> str:
    """Return ``index.html``.

    :param has_plan: whether ``plan.html`` is in the same directory.
    :param files: the files in the same directory to which the page may link.
    """
    summary = report.summary
    scan_only = summary["conclusion"]["code"] in ("scanned", "empty")
    return _render(
        "report.html.j2",
        s=summary,
        scan_only=scan_only,
        table=report_table(report.rows, scan_only),
        files=files,
        has_plan=has_plan,
        scale=to_scale(wave["nodes"] for wave in summary["waves"]),
        left_out=_by_reason(summary["excluded"]),
        differences=differences(summary),
        information=INFORMATION,
    )


def render_plan_html(
    plan: Mapping[str, Any], approvals: Sequence[Mapping[str, Any]] = (), trust: Mapping[str, Any] | None = None
) -> str:
    """Return ``plan.html``: the page that a change board reads before it approves the digest.

    :param approvals: the approvals so far: ``by, at, source, reason`` of each.
    :param trust: who has signed and what is missing (``approvals_shown``); ``None`` if this was not determined.
    """
    waves = [_plan_wave(wave) for wave in plan["waves"]]
    patches = planned_patches(plan)
    opens, ends = times_of(plan)
    return _render(
        "plan.html.j2",
        p={name: plan.get(name) or "" for name in ("rollout", "digest", "created_at", "rehearsal")},
        policy={name: str(plan["policy"].get(name) or "") for name in ("name", "digest")},
        scan=plan.get("scan") or {},
        silent=[failed_place(item) for item in plan.get("failed_places") or ()],
        approvals=approvals,
        required=bool((plan.get("approval") or {}).get("required")),
        totals=plan["totals"],
        excluded=len(plan["excluded"]),
        opens=opens,
        ends=ends,
        waves=waves,
        scale=to_scale(wave["count"] for wave in waves),
        severities=_add(wave["severities"] for wave in waves),
        forecast=_add(wave["reboots"] for wave in waves),
        affected=affected(plan),
        pinned=pinned(plan),
        content_open=content_open(plan),
        lists=plan.get("lists") or (),
        forecasts=forecasts(plan),
        undo=undoable(plan),
        uncovered=[str(node.get("name") or node.get("host") or node["node_id"]) for node in without_baseline(plan)],
        left_out=_by_reason(plan["excluded"]),
        patches=patches[:TOP_PATCHES],
        patch_count=len(patches),
        warnings=[str(text) for text in plan["warnings"]],
        rules=plan_rules(plan),
        timeline=timeline_rows(plan["waves"]),
        timeline_end=end_note(plan),
        starts=sum(bool(node.get("start")) for wave in plan["waves"] for node in wave["nodes"]),
        table=plan_table(plan),
        trust=trust,
    )


def render_tenants_html(overview: Mapping[str, Any]) -> str:
    """Return the page of all tenants. :param overview: as ``tenants.json`` has it."""
    sums = overview["totals"]
    bad, open_ended = bool(overview["problems"] or sums["late_nodes"]), sums["open_decisions"] or sums["expiring"]
    tone = "bad" if bad else "unknown" if sums["with_unknown"] else "held" if open_ended else "good"
    parts = [
        f"{sums['compliant']:,} of {counted(sums['nodes'])} compliant",
        f"{counted(sums['open_decisions'], 'decision')} open",
        f"{counted(sums['late_nodes'])} late",
    ]
    if sums["with_unknown"]:
        parts.append(f"something is not known of {counted(sums['with_unknown'], 'tenant')}")
    return _render("tenants.html.j2", o=overview, tone=tone, lead=f"{', '.join(parts)}.")


def _render(name: str, **values: Any) -> str:
    style, script = _asset("page.css"), _asset("page.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src 'sha256-{_hash(style)}'",
            f"script-src 'sha256-{_hash(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    page = _environment().get_template(name).render(csp=policy, style=Markup(style), script=Markup(script), **values)
    return page.encode("utf-8", "replace").decode("utf-8")


@lru_cache(maxsize=4)
def _asset(name: str) -> str:
    return (_PAGE / name).read_text("utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        autoescape=True,
        finalize=clean,
        loader=FileSystemLoader(_PAGE),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=number,
        percentage=percentage,
        when=when,
        span=span,
        duration=duration,
        share=share_text,
        words=words,
        sentences=to_sentences,
        age=age,
        scale=lambda items: to_scale(item["nodes"] for item in items),
        worst_first=worst_first,
    )
    environment.globals.update(
        labels=LABELS,
        tones=TONES,
        states=STATES,
        divide=divide,
        parts_of=parts_of,
        window_text=window_text,
        window_in_utc=window_in_utc,
        cutoff_text=cutoff_text,
        gate_numbers=gate_numbers,
        LIST_LIMIT=LIST_LIMIT,
        NAME_LIMIT=NAME_LIMIT,
        CAUSES=CAUSES,
        LINES=LINES,
        NAMES=NAMES,
        DATA_ROWS=DATA_ROWS,
    )
    return environment


def worst_first(groups: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return groups in order of their nodes that failed, are unknown or are not compliant, most first."""

    def rank(group: Mapping[str, Any]) -> tuple[int, ...]:
        tones = group["tones"]
        return tuple(-number for number in (tones["bad"] + tones["unknown"], group["non_compliant"], group["nodes"]))

    return sorted(groups, key=rank)


def _by_reason(excluded: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[str]] = {}
    for item in excluded:
        name = str(item.get("name") or item.get("host") or item.get("node_id"))
        groups.setdefault((str(item.get("code")), str(item.get("reason"))), []).append(name)
    ordered = sorted(groups.items(), key=lambda group: (group[0][0] not in TROUBLE, -len(group[1]), group[0]))
    return [
        {"code": code, "reason": reason, "names": sorted(names), "trouble": code in TROUBLE}
        for (code, reason), names in ordered
    ]


def _plan_wave(wave: Mapping[str, Any]) -> dict[str, Any]:
    nodes = wave["nodes"]
    return {
        "name": str(wave.get("name")),
        "order": wave.get("order"),
        "window": wave.get("window"),
        "gate": wave["gate"],
        "soak": wave.get("soak_minutes") or 0,
        "turns": turn_count(wave),
        "capacity": wave["capacity"],
        "notes": list(wave_notes(wave)),
        "warnings": list(wave_warnings(wave)),
        "count": len(nodes),
        "patches": sum(int(node.get("patch_count") or 0) for node in nodes),
        "severities": count_severities(patch for node in nodes for patch in node["patches"]),
        "reboots": dict(Counter(str(node.get("reboot")) for node in nodes)),
        "executors": Counter(str(node.get("executor")) for node in nodes).most_common(),
        "longest": max((int(node.get("expected_minutes") or 0) for node in nodes), default=0),
    }


def _add(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for item in counts:
        total.update(item)
    return in_severity_order(total)
