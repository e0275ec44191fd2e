# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run amounts to, in one sentence, and why waves did not start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..text import counted
from .rows import COMPLIANT, UNKNOWN, Row
from .story import Story, WaveStory
from .totals import count_tones

_ACCEPTED = "Every gate promoted its wave: the failures stayed within the limits of the policy."
CLOSED_STATES = ("paused", "aborted")


def wave_state(told: WaveStory | None) -> str:
    """Return ``waiting``, ``running``, ``finished``, ``paused`` or ``aborted``."""
    if told is None or told.started_at is None:
        return "waiting"
    verdict = told.gates[-1]["verdict"] if told.gates else ""
    if any(decision["action"] == "abort" for decision in told.decisions) or verdict == "abort":
        return "aborted"
    if told.ended_at or verdict == "promote" or (verdict == "pause" and _promoted_later(told)):
        return "finished"
    return "paused" if verdict == "pause" and not told.reopened else "running"


def _promoted_later(told: WaveStory) -> bool:
    promoted = [decision["at"] for decision in told.decisions if decision["action"] == "promote"]
    return bool(promoted) and promoted[-1] >= told.gates[-1]["at"]


def closed_because(waves: Sequence[Mapping[str, Any]], story: Story) -> str:
    """Say why the nodes that were never worked on were not."""
    if not story.records:
        return "not started: the rollout has not started"
    for wave in waves:
        if wave["state"] == "aborted":
            return f"not started: aborted after {wave['name']}"
        if wave["state"] == "paused":
            return f"not started: paused after {wave['name']}"
    if any(decision["action"] == "abort" for decision in story.decisions):
        return f"not started: aborted by {story.decisions[-1]['by'] or 'a person'}"
    if story.finished:
        reason = f" ({story.finished.reason})" if story.finished.reason else ""
        return f"not started: the rollout was {story.finished.status}{reason}"
    return "not started: the journal ends before it"


def _stands_at(story: Story, waves: Sequence[Mapping[str, Any]]) -> str:
    """Return ``completed``, ``aborted`` or ``paused``; a pause is the state of a wave, for it writes no last record."""
    if story.finished:
        return story.finished.status
    return "paused" if any(wave["state"] == "paused" for wave in waves) else ""


def to_conclusion(
    plan: Mapping[str, Any],
    story: Story,
    scan: Mapping[str, Any],
    rows: Sequence[Row],
    waves: Sequence[Mapping[str, Any]],
) -> dict[str, str]:
    """Return code, tone, title (two or three words), headline (one sentence) and reason.

    Codes: ``completed``, ``completed_with_failures``, ``aborted``, ``paused``, ``unfinished``, ``planned``,
    ``scanned``, ``empty``.
    """
    if not story.records:
        return _before_the_run(plan, scan, rows)
    planned = [row for row in rows if row.in_rollout]
    tones = count_tones(planned)
    wave, reason = _closing(waves, story)
    ended = _stands_at(story, waves)
    if ended == "completed":
        return _completed(len(planned), tones, not_covered(rows, scan))
    if ended in ("aborted", "paused"):
        title = f"{ended.capitalize()} after {wave}" if wave else ended.capitalize()
        tone = "bad" if ended == "aborted" else "held"
        return _conclusion(ended, tone, title, _progress(len(planned), tones), reason)
    where = next((item["name"] for item in waves if item["state"] == "running"), "")
    title = f"Unfinished in {where}" if where else "Unfinished"
    text = "The rollout was interrupted or is still in progress: the journal has no final record."
    return _conclusion("unfinished", "held", title, _progress(len(planned), tones), text)


def _before_the_run(plan: Mapping[str, Any], scan: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, str]:
    if "digest" in plan:
        totals = plan["totals"]
        nodes, patches, reboots = (int(totals.get(name) or 0) for name in ("nodes", "patches", "reboots"))
        text = f"{counted(nodes, 'node')} with {counted(patches, 'patch')}, {counted(reboots, 'reboot')} expected."
        return _conclusion("planned", "idle", "Planned, not started", text, "")
    if not rows:
        text = "There is no plan, no journal and no scan." if "at" not in scan else "The scan contains no nodes."
        return _conclusion("empty", "idle", "Nothing to report", text, "")
    good = sum(row.compliance_before == COMPLIANT for row in rows)
    unknown = sum(row.compliance_before == UNKNOWN for row in rows)
    text = f"{good} of {counted(len(rows), 'node')} compliant" + (f", {unknown} unknown." if unknown else ".")
    return _conclusion("scanned", "good" if good == len(rows) else "held", "Compliance scan", text, "")


def not_covered(rows: Iterable[Row], scan: Mapping[str, Any]) -> str:
    """Return a sentence about the part of the estate whose state nobody knows; "" if there is none."""
    lost = Counter(row.code for row in rows if not row.in_rollout and row.tone == "unknown")
    silent = len(scan["failed_places"])
    parts = []
    if lost:
        by = ", ".join(f"{count:,} {code.replace('_', ' ')}" for code, count in lost.most_common())
        parts.append(f"{counted(lost.total(), 'node')} of the estate could not be patched: {by}.")
    if silent:
        parts.append(f"{counted(silent, 'account-Region')} did not answer the scan.")
    return " ".join(parts)


def _completed(nodes: int, tones: Mapping[str, int], lost: str) -> dict[str, str]:
    if tones["bad"] or tones["unknown"]:
        title = "Completed with failures" if tones["bad"] else "Completed, not all outcomes known"
        reason = " ".join(part for part in (_ACCEPTED, lost) if part)
        return _conclusion("completed_with_failures", "held", title, _progress(nodes, tones), reason)
    title = "Completed" if nodes else "Completed: nothing to do"
    if lost:
        return _conclusion("completed", "held", f"{title}, part of the estate left out", _progress(nodes, tones), lost)
    tone = "held" if tones["pending"] else "good"
    return _conclusion("completed", tone, title, _progress(nodes, tones), "")


#: How a headline names the tones.
_NAMES = (
    ("bad", "failed"),
    ("unknown", "unknown"),
    ("pending", "reboot pending"),
    ("held", "skipped"),
    ("not_started", "not started"),
)


def _progress(nodes: int, tones: Mapping[str, int]) -> str:
    """Return a sentence such as ``52 of 57 nodes patched or up to date, 3 failed, 1 unknown, 1 skipped.``"""
    if not nodes:
        return "The plan contains no nodes."
    parts = [f"{tones['good']:,} of {counted(nodes, 'node')} patched or up to date"]
    parts += [f"{tones[key]:,} {name}" for key, name in _NAMES if tones[key]]
    return ", ".join(parts) + "."


def _closing(waves: Sequence[Mapping[str, Any]], story: Story) -> tuple[str, str]:
    """Return the wave after which the run ended, and why: a person's word, the gate's reasons or the journal's."""
    for wave in waves:
        if wave["state"] not in CLOSED_STATES:
            continue
        words = [item for item in wave["decisions"] if item["action"] == "abort"]
        if words:
            return str(wave["name"]), f"{words[-1]['by'] or 'A person'} decided: {words[-1]['reason'] or 'abort'}"
        reasons = wave["gates"][-1]["reasons"] if wave["gates"] else []
        return str(wave["name"]), to_sentences(reasons) or _reason(story)
    last = [item for item in story.decisions if item["action"] == "abort"]
    if last:
        return "", f"{last[-1]['by'] or 'A person'} decided: {last[-1]['reason'] or 'abort'}"
    return "", _reason(story)


def _reason(story: Story) -> str:
    return story.finished.reason if story.finished else ""


def to_sentences(reasons: Iterable[str]) -> str:
    """Return reasons as one text; each ends like a sentence."""
    return " ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in map(str, reasons) if text)


def _conclusion(code: str, tone: str, title: str, headline: str, reason: str) -> dict[str, str]:
    return {"code": code, "tone": tone, "title": title, "headline": headline, "reason": reason}
