# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a wave has ended, as its gate needs it: of one rollout, or of all child plans of a split plan together. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..gate.decide import WaveTally
from ..gate.differences import Differences, count_differences
from ..model import Status
from .shared import Shared, WaveReport
from .state import DONE, Rollout, final_results

#: Patches that a report names for each rule, those on the most nodes first: the shared value must stay small.
_NAMED = 20
_COUNTS = ("good", "failed", "skipped", "unknown", "reboot_pending")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """``worked_at``: when the last outcome was recorded, which starts the soak time; empty if nothing was worked on.

    ``problems``: by node ID, the name of a node that was restored but is not in service, and why.
    """

    tally: WaveTally
    worked_at: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)
    differences: Mapping[str, Differences] = field(default_factory=dict)


def ended(state: Rollout, wave: str, *, partial: bool = False) -> Ended:
    """Return how a wave of one rollout has ended.

    :param partial: only the nodes with a final record count, in the middle of a wave.
    """
    names = list(state.waves)
    earlier, found = final_results(state, names[: names.index(wave)]), final_results(state, [wave])
    problems = {
        node: f"{state.planned[node].get('name') or node}: {why}" for node, why in state.waves[wave].problems.items()
    }
    return Ended(
        tally=WaveTally.from_statuses(
            len(found) if partial else len(state.waves[wave].nodes),
            [str(item["status"]) for item in found],
            earlier_failed=sum(Status(item["status"]).is_failure for item in earlier),
            rollout_total=len(state.nodes),
        ),
        worked_at=state.waves[wave].worked_at,
        problems=problems,
        differences={} if partial else count_differences(found, earlier),
    )


def report_of(state: Rollout, wave: str) -> WaveReport:
    """Return what the controller of a child plan reports of a wave."""
    found = ended(state, wave)
    return WaveReport(
        complete=all(state.nodes[node].stage == DONE for node in state.waves[wave].nodes),
        tally=asdict(found.tally),
        worked_at=found.worked_at,
        problems=dict(sorted(found.problems.items())[:_NAMED]),
        differences={rule: _to_data(item) for rule, item in found.differences.items()},
    )


def _to_data(found: Differences) -> dict[str, Any]:
    named = sorted(found.patches, key=lambda name: (-found.patches[name], name))[:_NAMED]
    return {
        "nodes": found.nodes,
        "patches": {name: found.patches[name] for name in named},
        "texts": {name: found.texts[name] for name in named},
    }


def together(shared: Shared, state: Rollout, wave: str, *, partial: bool = False) -> Ended:
    """Return how a wave of all child plans has ended. What a child has not reported has no outcome.

    :param state: of any child, which knows the waves and how many nodes each child has.
    """
    sizes, names = state.plan["part"]["nodes"], list(state.waves)
    reports = [found for part in shared.parts.values() if (found := part.waves.get(wave))]
    counts = {name: sum(int(item.tally[name]) for item in reports) for name in _COUNTS}
    planned = sum(item.get(wave, 0) for item in sizes.values())
    tally = WaveTally(
        **counts,
        total=sum(counts.values()) if partial else planned,
        earlier_failed=_failed(shared, names[: names.index(wave)]),
        rollout_total=sum(sum(item.values()) for item in sizes.values()),
    )
    return Ended(
        tally=tally,
        worked_at=max((item.worked_at for item in reports), default=""),
        problems={name: why for item in reports for name, why in item.problems.items()},
        differences={} if partial else _differences([item.differences for item in reports]),
    )


def _failed(shared: Shared, waves: Sequence[str]) -> int:
    """Return the failed nodes of some waves, by the reports."""
    parts = shared.parts.values()
    return sum(int(found.tally["failed"]) for part in parts for wave in waves if (found := part.waves.get(wave)))


def _differences(reports: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, Differences]:
    found: dict[str, Differences] = {}
    for rule in sorted({rule for report in reports for rule in report}):
        rows = [report[rule] for report in reports if rule in report]
        patches: Counter[str] = Counter()
        for row in rows:
            patches.update(row["patches"])
        texts = {name: text for row in rows for name, text in row["texts"].items()}
        found[rule] = Differences(nodes=sum(int(row["nodes"]) for row in rows), patches=patches, texts=texts)
    return found
