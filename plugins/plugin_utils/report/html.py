# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report and a plan as one self-contained HTML page each.

Everything that comes from outside is escaped by Jinja's autoescape and never templated; style and script are inline
and named by their hash in a strict Content-Security-Policy; nothing is loaded from anywhere.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ...module_utils._core.nodes import PLANNED, texts
from ...module_utils._core.report.conclusion import to_sentences
from ...module_utils._core.report.model import Report
from ...module_utils._core.report.plan_words import START_NOTE, plan_rules, turn_count, wave_notes, wave_warnings
from ...module_utils._core.report.rows import (
    LABELS,
    TONES,
    Row,
    count_severities,
    in_severity_order,
    moment,
    severity_of,
)
from ...module_utils._core.report.text import share_text, window_text
from .charts import STATES, divide, parts_of, strip

_PAGE = Path(__file__).parent / "page"
TABLE_LIMIT = 2000
PATCH_LIMIT = 40
NAME_LIMIT = 8
_HIDDEN = {
    **{code: "\ufffd" for code in range(32) if chr(code) not in "\n\t"},
    **dict.fromkeys((*range(127, 160), 1564, 8206, 8207, *range(8234, 8239)), "�"),
    **dict.fromkeys((*range(8294, 8298), *range(55296, 57344), 65534, 65535), "�"),
}
"""Characters that HTML forbids, or with which a name could pretend to be another one, shown as what they are: odd."""


def render_report_html(report: Report, has_plan: bool = False, files: Sequence[str] = ("nodes.csv",)) -> str:
    """Return ``index.html``. With more than ``TABLE_LIMIT`` nodes the table holds only those that need attention.

    :param has_plan: ``plan.html`` lies beside it.
    :param files: the files beside it to which the page may link.
    """
    summary = report.summary
    many = len(report.rows) > TABLE_LIMIT
    rows = [row for row in report.rows if not many or row.needs_attention][:TABLE_LIMIT]
    return _render(
        "report.html.j2",
        s=summary,
        rows=rows,
        many=many,
        files=files,
        has_plan=has_plan,
        strip=strip(summary["waves"]),
        left_out=_by_reason(summary["excluded"]),
        statuses=Counter(row.status for row in rows),
    )


def render_plan_html(plan: Mapping[str, Any]) -> str:
    """Return ``plan.html``: what a change board reads before it signs off the digest."""
    waves = [_plan_wave(wave) for wave in plan["waves"]]
    total = sum(wave["count"] for wave in waves)
    many = total > TABLE_LIMIT
    return _render(
        "plan.html.j2",
        p={name: plan.get(name) or "" for name in ("rollout", "digest", "created_at", "rehearsal")},
        policy={name: str(plan["policy"].get(name) or "") for name in ("name", "digest")},
        totals=plan["totals"],
        excluded=len(plan["excluded"]),
        waves=waves,
        many=many,
        strip=strip([{"name": wave["name"], "nodes": wave["count"], "tones": {}, "gates": []} for wave in waves]),
        severities=_add(wave["severities"] for wave in waves),
        forecast=_add(wave["reboots"] for wave in waves),
        left_out=_by_reason(plan["excluded"]),
        top=_plan_patches(plan),
        warnings=[str(text) for text in plan["warnings"]],
        rules=plan_rules(plan),
        starts=sum(node["start"] for wave in waves for node in wave["nodes"]),
    )


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
    )
    environment.globals.update(
        labels=LABELS,
        tones=TONES,
        states=STATES,
        divide=divide,
        parts_of=parts_of,
        window_text=window_text,
        evidence=evidence_lines,
        gate_numbers=gate_numbers,
        PATCH_LIMIT=PATCH_LIMIT,
        START_NOTE=START_NOTE,
        NAME_LIMIT=NAME_LIMIT,
    )
    return environment


def clean(value: Any) -> Any:
    """Replace characters that HTML forbids or that turn the reading direction; markup of our own passes."""
    return value.translate(_HIDDEN) if isinstance(value, str) and not isinstance(value, Markup) else value


def number(value: object) -> str:
    """Return ``12,345``, and a dash for what is not known."""
    if value is None or value == "":
        return "\u2013"
    return f"{value:,}" if isinstance(value, (int, float)) else str(value)


def percentage(value: object) -> str:
    """Return ``93.3 %`` of a number of percent; a dash where there is none."""
    return "\u2013" if value is None else f"{value:g}\u2009%"


def when(text: str, form: str = "%a %d %b %Y, %H:%M") -> str:
    """Return a time in UTC for reading; what is no time stays as it is."""
    time = moment(text)
    return time.astimezone(timezone.utc).strftime(form) if time else str(text or "")


def span(start: str, end: str) -> str:
    """Return ``Tue 17 Nov 2026, 22:00 - 23:10 UTC``; the day is named again where it changed."""
    first, last = moment(start), moment(end)
    if not first:
        return ""
    text = when(start)
    if last:
        same_day = first.astimezone(timezone.utc).date() == last.astimezone(timezone.utc).date()
        text += " \u2013 " + when(end, "%H:%M" if same_day else "%a %d %b, %H:%M")
    return f"{text} UTC"


def duration(minutes: float | None) -> str:
    """Return ``2 h 05 min`` or ``14 min``."""
    if minutes is None:
        return ""
    whole = round(minutes)
    if whole < 1:
        return "under a minute"
    return f"{whole // 60} h {whole % 60:02d} min" if whole >= 60 else f"{whole} min"


def words(name: object) -> str:
    """Return ``failure rate`` for ``failure_rate``."""
    return str(name).replace("_", " ")


_GATE_NUMBERS: Mapping[str, str] = {
    "worked": "worked on",
    "good": "good",
    "failed": "failed",
    "skipped": "skipped",
    "unknown": "unknown",
    "reboot_pending": "reboot pending",
    "missing": "without an outcome",
    "failure_rate": "failure rate",
    "failure_rate_low": "at least",
    "failure_rate_high": "at most",
    "confidence": "confidence",
    "max_failure_rate": "limit",
    "max_failures": "failures allowed in the wave",
    "budget": "budget of the rollout",
    "budget_spent": "spent",
    "budget_left": "left",
}
_UNSAID = ("total", "min_sample", "skipped_rate", "max_skipped_rate", "max_unknown")
_SHARES = ("rate", "share", "confidence")


def gate_numbers(numbers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the numbers that decided, in the order in which they are thought of: counts, rate and bounds, budget.

    What is not known, and a budget where there is none, is left out; numbers we do not know come last.
    """
    names = [name for name in _GATE_NUMBERS if name in numbers]
    names += [name for name in numbers if name not in names and name not in _UNSAID]
    if numbers.get("budget") is None:
        names = [name for name in names if not name.startswith("budget")]
    lines = []
    for name in names:
        value = numbers[name]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            is_share = isinstance(value, float) and any(word in name for word in _SHARES)
            lines.append((_GATE_NUMBERS.get(name, words(name)), share_text(value) if is_share else number(value)))
    return lines


def evidence_lines(row: Row) -> list[tuple[str, str]]:
    """Return (what, ids) of a node's API ids, stage by stage."""
    lines = []
    for stage, names in row.evidence.items():
        for name, value in names.items():
            values = value if isinstance(value, list) else [value]
            lines.append((f"{stage} {words(name)}".strip(), ", ".join(str(item) for item in values)))
    return lines


def _by_reason(excluded: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[str]] = {}
    for item in excluded:
        name = str(item.get("name") or item.get("host") or item.get("node_id"))
        groups.setdefault((str(item.get("code")), str(item.get("reason"))), []).append(name)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return [{"code": code, "reason": reason, "names": sorted(names)} for (code, reason), names in ordered]


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
        "nodes": [_plan_node(node) for node in nodes],
        "count": len(nodes),
        "patches": sum(int(node.get("patch_count") or 0) for node in nodes),
        "severities": count_severities(patch for node in nodes for patch in node["patches"]),
        "reboots": dict(Counter(str(node.get("reboot")) for node in nodes)),
        "executors": Counter(str(node.get("executor")) for node in nodes).most_common(),
        "longest": max((int(node.get("expected_minutes") or 0) for node in nodes), default=0),
    }


_SHOWN = (*PLANNED, "cluster", "reboot", "reboot_rule")


def _plan_node(node: Mapping[str, Any]) -> dict[str, Any]:
    known = texts(node, _SHOWN)
    patches = node["patches"]
    return {
        **known,
        "title": known["name"] or known["host"] or known["node_id"],
        "turn": int(node.get("turn") or 1),
        "start": bool(node.get("start")),
        "patch_count": node.get("patch_count") or 0,
        "expected_minutes": node.get("expected_minutes"),
        "patches": [str(patch.get("id")) for patch in patches],
        "severities": count_severities(patches),
    }


def _add(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for item in counts:
        total.update(item)
    return in_severity_order(total)


def _plan_patches(plan: Mapping[str, Any], limit: int = 50) -> list[dict[str, Any]]:
    names = ("id", "title", "severity", "classification")
    found: dict[str, dict[str, Any]] = {}
    for wave in plan["waves"]:
        for node in wave["nodes"]:
            for patch in node["patches"]:
                entry = found.setdefault(
                    str(patch.get("id")),
                    {**dict.fromkeys(names, ""), **patch, "severity": severity_of(patch), "nodes": 0},
                )
                entry["nodes"] += 1
    order = list(in_severity_order(count_severities(found.values())))
    key = {name: rank for rank, name in enumerate(order)}
    ranked = sorted(
        found.values(),
        key=lambda item: (key[severity_of(item)], -item["nodes"], str(item.get("id"))),
    )
    return ranked[:limit]
