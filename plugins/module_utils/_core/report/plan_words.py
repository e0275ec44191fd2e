# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What steers a plan's run, in words for those who approve it. Text from the plan is not made safe here. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..plan.emergency import WAITING
from ..plan.rules import PlanRules
from ..text import counted
from .plan_facts import affected, pinned, undoable
from .rows import moment
from .timeline_words import move_notes

#: Values that a line names.
_NAMED = 5
_RETRIES = (("delivery", "commands that were not delivered"), ("execution", "installs that failed"))


def plan_rules(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (what, rule) of everything that steers the rollout beside its waves."""
    rules = PlanRules.of(plan)
    tries = asdict(rules.retries)
    again = [f"{what}, {_times(tries[name])}" for name, what in _RETRIES if tries[name]]
    limits = [f"{limit} {_per(scope)}" for scope, limit in rules.budgets.limits.items() if limit is not None]
    return [
        ("Retries", "; ".join(again) or "none"),
        ("Out of service at once", _at_most(limits)),
        ("Exceptions", _exceptions(plan.get("exceptions") or {})),
        ("Approval", "required" if (plan.get("approval") or {}).get("required") else "not required by the policy"),
        *((("Emergency", _emergency(plan)),) if "emergency" in plan else ()),
    ]


def _emergency(plan: Mapping[str, Any]) -> str:
    """Return what an emergency plan is for, and which findings it leaves out."""
    found, nodes = plan["emergency"], [node for wave in plan["waves"] for node in wave["nodes"]]
    first = min(nodes, key=lambda node: (node["urgent"]["due"], node["node_id"]), default=None)
    urgent = f"{counted(found['findings'], 'finding')} cannot wait for the next window of their nodes"
    named = f"; the most urgent is {first['urgent']['why']} on {first['name'] or first['host']}" if first else ""
    rest = [f"{number:,} {WAITING.get(why, why)}" for why, number in found["left_out"].items()]
    return f"{urgent}{named}. Left out: {'; '.join(rest) or 'no other finding'}"


def _exceptions(rules: Mapping[str, Any]) -> str:
    if rules.get("ledger"):
        tag = f", and the tag {rules['tag']}" if rules.get("tag") else ""
        return f"ledger {rules['ledger']}{tag}; re-read before every install"
    return f"no ledger, only the tag {rules['tag']} counts" if rules.get("tag") else "none"


def plan_facts(plan: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (what, text) of what the plan affects, how far it is pinned and what it does not know."""
    scan = plan.get("scan") or {}
    if at := moment(str(scan.get("at") or "")):
        yield "Scanned", f"{at:%a %d %b %Y %H:%M} UTC"
    for place in plan.get("failed_places") or ():
        yield "Did not answer", f"{place['place']}: {place['error']['message']}"
    for name, groups in affected(plan).items():
        values = [f"{group['key'] or 'not set'} ({group['nodes']:,})" for group in groups[:_NAMED]]
        more = [f"{len(groups) - _NAMED:,} more"] if len(groups) > _NAMED else []
        yield _capital(name), ", ".join([*values, *more])
    for item in pinned(plan):
        yield (
            f"Pinned, {item['executor']}",
            f"{item['pin']} ({item['nodes']:,}): {item['certain']}. Open: {item['open']}",
        )
    for item in undoable(plan):
        yield f"Undo, {item['platform']}", item["text"]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _times(number: int) -> str:
    return "1 retry" if number == 1 else f"{number} retries"


def _per(scope: str) -> str:
    return f"of the {scope}" if scope == "rollout" else f"of each {scope}"


def _at_most(limits: Sequence[str]) -> str:
    return f"at most {', '.join(limits)}" if limits else "no limit except the size of the wave"


def start_note(node: Mapping[str, Any]) -> str:
    """Return what a node needs to know about that is started for its wave; ``""`` for any other."""
    if not node.get("start"):
        return ""
    if at := moment(node.get("assessed_at")):
        return f"will be started; its missing patches are those of its assessment on {at:%Y-%m-%d at %H:%M} UTC"
    return "will be started; its missing patches are not known yet"


def wave_notes(wave: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is special about a wave: its turns, nodes to start, what touches its window."""
    nodes = wave["nodes"]
    if turn_count(wave) > 1:
        busiest = max(Counter(node.get("turn", 1) for node in nodes).values(), default=0)
        yield f"{turn_count(wave):,} turns of at most {counted(busiest)}"
    starts = [node for node in nodes if node.get("start")]
    unknown = sum(not node.get("assessed_at") for node in starts)
    if unknown:
        yield f"{counted(unknown, 'stopped node')} will be started; missing patches are not known yet"
    if known := len(starts) - unknown:
        yield f"{counted(known, 'deallocated node')} will be started; missing patches are those of the last assessments"
    yield from move_notes(wave)
    yield from (str(note) for note in wave.get("notes", ()) if note != wave.get("emptied"))


def wave_warnings(wave: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a wave; the plan's own ``warnings`` say it too."""
    capacity = wave["capacity"]
    if wave.get("emptied"):
        yield f"no nodes, so its gate will pause: {wave['emptied']}"
    if not capacity.get("fits", True):
        yield f"does not fit its window: {capacity.get('text', '')}"


def turn_count(wave: Mapping[str, Any]) -> int:
    """Return the number of a wave's turns."""
    return int(wave["turns"])


def health_check_names(wave: Mapping[str, Any]) -> list[str]:
    """Return the health checks that the wave's gate asks, by name."""
    return [str(health_check.get("name") or "") for health_check in wave["gate"]["health_checks"]]
