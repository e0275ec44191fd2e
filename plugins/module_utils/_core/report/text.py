# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan and a report as text for terminals and logs: aligned, not too wide, nothing that a terminal obeys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..text import LISTED, WIDTH, counted, cut, fold_text, plain, table
from .conclusion import to_sentences
from .difference_words import differences
from .plan_words import health_check_names, plan_facts, plan_rules, wave_notes
from .rows import count_severities, in_severity_order
from .timeline_words import HEAD, end_note, timeline_rows
from .window_words import window_in_utc, window_text

_LABEL, _REASON, _NAMED = 27, 240, 3


def plan_to_text(plan: Mapping[str, Any], width: int = WIDTH) -> str:
    """Return the plan: warnings, a line per wave, rules, who is left out and why, and the digest that gets approved."""
    policy, waves = plan["policy"], list(plan["waves"])
    rehearsal = "  (rehearsal)" if plan.get("rehearsal") else ""
    lines = [f"Plan {plain(plan.get('rollout', ''))} of policy {plain(policy.get('name', ''))}{rehearsal}"]
    lines += _warnings(plan["warnings"], width)
    lines += ["", *_plan_waves(waves, plan["totals"], width)]
    nights = timeline_rows(waves)
    lines += ["", *table(HEAD, nights, width, right=(4, 5))] if nights else []
    notes = [f"Wave {plain(wave.get('name', ''))}: {plain(note)}" for wave in waves for note in _notes(wave)]
    lines += ["", *(part for note in notes for part in fold_text(note, width))] if notes else []
    facts = [*plan_facts(plan), *plan_rules(plan)]
    rules = [f"{name + ':':<{_LABEL}}{plain(text)}" for name, text in facts]
    lines += ["", *(part for line in rules for part in _hang(line, width))] if rules else []
    lines += ["", *_left_out(plan["excluded"], width)]
    end = end_note(plan)
    lines += ["", *([plain(end)] if end else []), f"Digest {plain(plan.get('digest', ''))}"]
    return "\n".join(lines)


def _warnings(texts: Iterable[object], width: int) -> list[str]:
    return [line for text in texts for line in fold_text(f"WARNING: {plain(text)}", width)]


def _plan_waves(waves: Sequence[Mapping[str, Any]], totals: Mapping[str, Any], width: int) -> list[str]:
    head = ["WAVE", "WINDOW", "NODES", "EXECUTORS", "PATCHES", "CRITICAL", "REBOOTS", "MINUTES", "MAY FAIL"]
    numbers = [_number(totals.get(name)) for name in ("nodes", "patches", "reboots")]
    critical = _number(sum(_critical(wave) for wave in waves))
    total = ["total", "", numbers[0], "", numbers[1], critical, numbers[2], "", ""]
    rows = [*(_wave_cells(wave) for wave in waves), total]
    return table(head, rows, width, right=(2, 4, 5, 6, 7, 8))


def _notes(wave: Mapping[str, Any]) -> list[str]:
    health_checks, utc = health_check_names(wave), window_in_utc(wave.get("window"))
    return [
        *([f"its window in UTC is {utc[:-4]}"] if utc else []),
        *wave_notes(wave),
        *([f"its gate runs the health checks {', '.join(health_checks)}"] if health_checks else []),
    ]


def _wave_cells(wave: Mapping[str, Any]) -> list[str]:
    nodes = wave["nodes"]
    executors = Counter(str(node.get("executor")) for node in nodes)
    forecast = Counter(str(node.get("reboot")) for node in nodes)
    return [
        str(wave.get("name", "")),
        window_text(wave.get("window"), short=True),
        _number(len(nodes)),
        ", ".join(f"{count} {name}" for name, count in executors.most_common()),
        _number(sum(int(node.get("patch_count") or 0) for node in nodes)),
        _number(_critical(wave)),
        str(forecast["yes"]) + (f" to {forecast['yes'] + forecast['unknown']}" if forecast["unknown"] else ""),
        _minutes(wave),
        share_text(wave["gate"].get("max_failure_rate")),
    ]


def _minutes(wave: Mapping[str, Any]) -> str:
    """Return ``45 of 300``, what a wave needs of its window."""
    capacity = wave["capacity"]
    usable = capacity["usable_minutes"]
    return _number(capacity["needed_minutes"]) + (f" of {_number(usable)}" if usable is not None else "")


def _critical(wave: Mapping[str, Any]) -> int:
    patches = (patch for node in wave["nodes"] for patch in node["patches"])
    return count_severities(patches).get("critical", 0)


def share_text(share: object) -> str:
    """Return a share such as ``0.1`` as a percentage; "" if there is none."""
    if isinstance(share, (int, float)) and not isinstance(share, bool):
        return f"{100 * share:.4g} %"
    return plain(share) if share else ""


def _left_out(excluded: Sequence[Mapping[str, Any]], width: int) -> list[str]:
    if not excluded:
        return ["No node is left out."]
    lines = [f"Left out: {_number(len(excluded))}"]
    groups: dict[tuple[str, str], list[str]] = {}
    for item in excluded:
        name = str(item.get("name") or item.get("host") or item.get("node_id"))
        groups.setdefault((str(item.get("code")), str(item.get("reason"))), []).append(plain(name))
    rows = []
    for (code, reason), names in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        more = f" and {len(names) - 4:,} more" if len(names) > 4 else ""
        rows.append([str(len(names)), code, reason, ", ".join(names[:4]) + more])
    lines += table(["NODES", "CODE", "REASON", "NAMES"], rows[:LISTED], width, right=(0,))
    return lines + ([f"  and {len(rows) - LISTED} more reasons"] if len(rows) > LISTED else [])


def summary_to_text(summary: Mapping[str, Any], width: int = WIDTH) -> str:
    """Return the end of a run in a few aligned lines: conclusion, waves with their gates, failures, compliance."""
    conclusion = summary["conclusion"]
    rehearsal = "  (rehearsal)" if summary.get("rehearsal") else ""
    rollout = f"  rollout {plain(summary['rollout'])}" if summary.get("rollout") else ""
    lines = [f"{plain(conclusion['title'])}{rollout}{rehearsal}", plain(conclusion["headline"])]
    lines += fold_text(plain(conclusion["reason"]), width) if conclusion.get("reason") else []
    if summary["waves"]:
        lines += ["", *_waves_text(summary["waves"], width)]
    lines += ["", *_facts_text(summary, width)]
    lines += _causes_text(summary, width)
    for place in summary["failed_places"]:
        lines.append(cut(f"Not reached: {plain(place['place'])}: {plain(place['message'] or place['code'])}", width))
    lines += _warnings(summary["warnings"], width)
    return "\n".join(lines)


def _waves_text(waves: Sequence[Mapping[str, Any]], width: int) -> list[str]:
    head = ["WAVE", "NODES", "PATCHED", "FAILED", "UNKNOWN", "REBOOT", "SKIPPED", "NOT DONE", "GATE", "REASON"]
    rows = []
    for wave in waves:
        tones = wave["tones"]
        gate = wave["gates"][-1] if wave["gates"] else {}
        numbers = (
            wave["nodes"],
            *(tones[name] for name in ("good", "bad", "unknown", "pending", "held", "not_started")),
        )
        verdict = gate.get("verdict") or wave["state"]
        rows.append(
            [wave["name"], *(_number(item) for item in numbers), verdict, to_sentences(gate.get("reasons") or ())]
        )
    return table(head, rows, width, right=(1, 2, 3, 4, 5, 6, 7))


def _facts_text(summary: Mapping[str, Any], width: int) -> list[str]:
    lines = []
    scopes = (("rollout", "Compliant, this rollout"), ("estate", "Compliant, whole estate"))
    for key, label in scopes:
        facts = summary["compliance"][key]
        before, after = facts["before"], facts["after"]
        if not facts["nodes"] or (key == "rollout" and facts == summary["compliance"]["estate"]):
            continue
        change = (
            f"{_percent(before)}"
            if summary["conclusion"]["code"] == "scanned"
            else f"{_percent(before)} → {_percent(after)}"
        )
        lines.append(f"{label:<{_LABEL}}{change}  ({_number(after['compliant'])} of {_number(facts['nodes'])} nodes)")
    patches, reboots = summary["patches"], summary["reboots"]
    if patches["installed"] or patches["failed"]:
        by = ", ".join(f"{_number(count)} {name}" for name, count in in_severity_order(patches["by_severity"]).items())
        lines.append(f"{'Patches installed':<{_LABEL}}{_number(patches['installed'])}" + (f"  ({by})" if by else ""))
    if reboots["rebooted"] or reboots["pending"]:
        pending = f", {_number(reboots['pending'])} reboot pending" if reboots["pending"] else ""
        lines.append(f"{'Rebooted':<{_LABEL}}{_number(reboots['rebooted'])}{pending}")
    if found := summary["vulnerabilities"]:
        lines.append(f"{'Vulnerabilities':<{_LABEL}}{plain(found['sentence'])}")
    for item in differences(summary):
        more = f" and {len(item['patches']) - _NAMED:,} more" if len(item["patches"]) > _NAMED else ""
        text = f"{counted(item['nodes'], 'node')}: {', '.join(map(plain, item['patches'][:_NAMED]))}{more}"
        lines.append(f"{item['label']:<{_LABEL}}{text}")
    return [part for line in lines for part in _hang(line, width)]


def _hang(line: str, width: int) -> list[str]:
    """Break a line of facts after its label column."""
    label, text = line[:_LABEL], line[_LABEL:]
    return [
        (label if index == 0 else " " * _LABEL) + part for index, part in enumerate(fold_text(text, width - _LABEL))
    ]


def _causes_text(summary: Mapping[str, Any], width: int) -> list[str]:
    """Return what needs attention: for each cause its nodes, the words of the first one, and what to do."""
    causes = summary["causes"]
    if not causes:
        return []
    lines = ["", f"Needs attention: {_number(len(summary['attention']))}"]
    for cause in causes[:LISTED]:
        names = ", ".join(plain(node["name"]) for node in cause["nodes"][:_NAMED])
        more = f" and {cause['count'] - _NAMED:,} more" if cause["count"] > _NAMED else ""
        where = f" (wave {', '.join(map(plain, cause['waves'][:_NAMED]))})" if cause["waves"] else ""
        lines += fold_text(f"{_number(cause['count'])} {plain(cause['label'])}{where}: {names}{more}", width)
        said = cut(plain(cause["reason"] or "no reason recorded"), _REASON)
        like = "" if cause["same"] else ", the others alike"
        for text in (said + like, f"Next: {cause['next_step']}" if cause["next_step"] else ""):
            lines += [f"  {part}" for part in fold_text(text, width - 2)] if text else []
    lines += [f"  and {len(causes) - LISTED:,} more causes, see nodes.csv"] if len(causes) > LISTED else []
    return lines


def _percent(states: Mapping[str, Any]) -> str:
    return "none" if states["percent"] is None else f"{states['percent']:g} %"


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else ""
