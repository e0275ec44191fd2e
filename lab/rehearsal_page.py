# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rehearsal came to: a page, and the same in the terminal."""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.rehearse import Rehearsal

#: What no rehearsal can show; ``omitted`` of the rehearsal comes on top.
LIMITS = (
    "AWS is simulated after its documentation: real throttling, durations, agents and repositories differ.",
    "Durations of installs and reboots are drawn by chance; the plan's own minutes are those of the policy.",
    "Release dates, sizes and which patches ask for a reboot are not exported: all patches count as 30 days old, and "
    "kernels, C libraries and Windows updates as in need of a reboot.",
    "Patches that no node was missing at the time of the export are not part of it, whatever the baselines approve.",
    "Hosts reached over SSH are not part of it.",
    "Dependencies, failing package scripts and applications that do not come up again are not known in advance.",
)
_SHOWN = 12
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24 }
table { border-collapse: collapse; margin: 1rem 0; width: 100% } th, td { text-align: left; padding: .35rem .7rem;
border-bottom: 1px solid #d0d7de; vertical-align: top } td.n { text-align: right } .note { color: #57606a }
.pause { color: #9a6700 } .abort { color: #cf222e } .promote { color: #1a7f37 } h2 { margin-top: 2rem }
@media (prefers-color-scheme: dark) { body { background: #0d1117; color: #e6edf3 } th, td { border-color: #30363d }
.note { color: #8b949e } a { color: #58a6ff } }
"""
Row = Sequence[object]


def read(folder: Path, name: str) -> dict[str, Any]:
    """Read a file of the run; nothing if the run did not get that far."""
    path = folder / name
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def nights(plan: Mapping[str, Any]) -> list[Row]:
    """Return wave, window in local time, nodes and planned minutes of each night."""
    return [
        (wave["name"], night["window"], night["local"], night["nodes"])
        for wave in plan.get("waves", ())
        for night in wave["nights"]
    ]


def outcomes(report: Mapping[str, Any]) -> list[Row]:
    """Return each wave with its outcomes by status, last verdict and reason."""
    rows: list[Row] = []
    for wave in report.get("waves", ()):
        found = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in sorted(wave["by_status"].items()))
        gate = wave["gates"][-1] if wave["gates"] else {}
        reasons = "; ".join(str(reason) for reason in gate.get("reasons", ()))
        rows.append((wave["name"], found, gate.get("verdict") or "not begun", reasons))
    return rows


def left_out(plan: Mapping[str, Any]) -> list[Row]:
    """Return the nodes that the plan leaves out by reason: count, reason, owners, some names."""
    by_reason: dict[str, list[Mapping[str, Any]]] = {}
    for node in plan.get("excluded", ()):
        by_reason.setdefault(f"{node['code']}: {node['reason']}", []).append(node)
    rows: list[Row] = []
    for reason, nodes in sorted(by_reason.items(), key=lambda item: -len(item[1])):
        owners = Counter(node.get("owner") or "no owner" for node in nodes)
        named = ", ".join(f"{owner} ({count})" for owner, count in owners.most_common(4))
        rows.append((len(nodes), reason, named, _some(node["name"] or node["node_id"] for node in nodes)))
    return rows


def drills(rehearsal: Rehearsal, plan: Mapping[str, Any], report: Mapping[str, Any]) -> list[Row]:
    """Return each fault with its nodes and what became of them."""
    excluded = {node["name"]: f"left out ({node['code']})" for node in plan.get("excluded", ())}
    attention = {row["name"]: f"{row['status']}: {row['reason']}" for row in report.get("attention", ())}
    rows: list[Row] = []
    for fault, names in rehearsal.faulty.items():
        became = Counter(excluded.get(name) or attention.get(name) or "patched or not selected" for name in names)
        rows.append((fault, len(names), "; ".join(f"{count} {text}" for text, count in became.most_common(4))))
    return rows


def calls(ledger: Mapping[str, Any]) -> Counter[str]:
    """Return the API calls by service and operation."""
    found: Counter[str] = Counter()
    for row in ledger.get("calls", ()):
        found[f"{row['service']}:{row['operation']}"] += int(row["count"])
    return found


def limits(rehearsal: Rehearsal) -> list[str]:
    return [*LIMITS, *(f"In this run: {text}." for text in rehearsal.omitted)]


def summarize(rehearsal: Rehearsal, ledger: Mapping[str, Any]) -> Iterator[str]:
    """Yield the summary for the terminal."""
    plan, report = read(rehearsal.folder, "plan.json"), read(rehearsal.folder, "report/summary.json")
    yield "\n━━━ What the rehearsal shows"
    if not plan:
        yield "There is no plan; the messages above say why."
        return
    if report:
        yield f"{report['conclusion']['title']}: {report['conclusion']['headline']}"
    yield from _table(("WAVE", "WINDOW", "NIGHT", "NODES"), nights(plan))
    yield from _table(("WAVE", "OUTCOMES", "GATE", "WHY"), outcomes(report))
    for wave in rehearsal.decisions:
        yield f"The gate of {wave} paused: on the real night a person has to decide."
    yield from _table(("LEFT OUT", "WHY", "OWNERS", "NODES"), left_out(plan))
    yield from _table(("FAULT", "NODES", "WHAT BECAME OF THEM"), drills(rehearsal, plan, report))
    yield f"{sum(calls(ledger).values())} API calls, {calls(ledger)['ssm:SendCommand']} of them SendCommand."
    yield "What it cannot show:"
    yield from (f"  {text}" for text in limits(rehearsal))


def _table(head: Row, rows: Sequence[Row]) -> Iterator[str]:
    if not rows:
        return
    texts = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [min(44, max(len(row[at]) for row in texts)) for at in range(len(head))]
    yield ""
    for row in texts:
        yield "  " + "  ".join(_cut(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _cut(text: str, width: int) -> str:
    clean = "".join(sign if sign.isprintable() else "?" for sign in text)
    return clean.ljust(width) if len(clean) <= width else f"{clean[: width - 1]}…"


def _some(names: Iterable[object]) -> str:
    listed = [str(name) for name in names]
    return ", ".join(listed[:_SHOWN]) + (f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else "")


def to_page(rehearsal: Rehearsal, ledger: Mapping[str, Any]) -> str:
    """Return the page; every text from policy and estate is escaped."""
    plan, report = read(rehearsal.folder, "plan.json"), read(rehearsal.folder, "report/summary.json")
    name = html.escape(str(rehearsal.policy.get("name", "policy")))
    title = f"Rehearsal of {name}"
    headline = report.get("conclusion", {})
    said = f"{headline.get('title', 'No rollout')}: {headline.get('headline', 'see rehearsal.log')}"
    drilled = drills(rehearsal, plan, report)
    parts = [
        f"<h1>{title}</h1><p>{html.escape(said)}</p>",
        "<p class=note>Everything on this page is simulated. Nothing was changed on the estate.</p>",
        '<p><a href="plan.html">The plan</a>, as a change board would read it. '
        '<a href="report/index.html">The report</a>, node by node.</p>',
        "<h2>Nights</h2>" + _rows(("Wave", "Window", "Opens", "Nodes"), nights(plan)),
        "<h2>Waves and gates</h2>" + _rows(("Wave", "Outcomes", "Gate", "Why"), outcomes(report), verdict=2),
        *(
            f"<p>The gate of {html.escape(wave)} paused: on the real night a person decides.</p>"
            for wave in rehearsal.decisions
        ),
        "<h2>Left out by the plan</h2>" + _rows(("Nodes", "Why", "Owners", "Names"), left_out(plan)),
        "<h2>Failure drills</h2>" + _rows(("Fault", "Nodes", "What became of them"), drilled) if drilled else "",
        "<h2>API calls</h2>" + _rows(("Operation", "Calls"), calls(ledger).most_common(15)),
        "<h2>What this cannot show</h2><ul>",
        *(f"<li>{html.escape(text)}</li>" for text in limits(rehearsal)),
        "</ul>",
    ]
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    return f'{head}<meta name="viewport" content="width=device-width"><body>{"".join(parts)}</body></html>\n'


def _rows(head: Sequence[str], rows: Sequence[Row], verdict: int = -1) -> str:
    if not rows:
        return "<p class=note>None.</p>"
    lines = ["<table><tr>", *(f"<th>{name}</th>" for name in head), "</tr>"]
    for row in rows:
        cells = []
        for at, cell in enumerate(row):
            mark = " class=n" if isinstance(cell, int) else ""
            if at == verdict and str(cell) in ("promote", "pause", "abort"):
                mark = f" class={cell}"
            cells.append(f"<td{mark}>{html.escape(str(cell))}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "".join([*lines, "</table>"])
