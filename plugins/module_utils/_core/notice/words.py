# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of notices. Pure.

Titles count the nodes of the receiver. Texts say the rest in sentences; they name no other receiver's nodes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from ..text import counted

#: By kind, the title and the text. ``{nodes}`` and ``{points}`` are counts with their noun, the rest are facts.
_WORDS: Mapping[str, tuple[str, str]] = {
    "plan_made": (
        "{policy}: plan for {nodes}",
        "A plan was made: {waves}. {nights} {approval} Its digest is {digest}.",
    ),
    "impending": (
        "{policy}: {nodes} will be patched {window}",
        "Wave {wave} is worked on in window {window_name}, which opens {window}. Nodes may be rebooted then.",
    ),
    "started": ("{policy}: patching of {nodes} has started", "{operator} started the rollout."),
    "paused": ("{policy}: rollout paused after wave {wave}, {points} to look at", "The gate paused: {reason}"),
    "aborted": ("{policy}: rollout aborted after wave {wave}, {points} to look at", "The gate aborted: {reason}"),
    "nodes_failed": (
        "{policy}: {points} to look at in wave {wave}",
        "The gate promoted the wave: its failures are within the limits of the policy.",
    ),
    "finished": ("{policy}: rollout {status}, {points} to look at", "{headline} {reason}"),
    "exception_requested": (
        "{policy}: exception {exception} requested",
        "{by} requests that its nodes are not patched from {first} to {last}: {reason}",
    ),
    "exception_approved": (
        "{policy}: exception {exception} approved",
        "{by} approved that its nodes are not patched from {first} to {last}: {reason}",
    ),
    "exception_rejected": (
        "{policy}: exception {exception} rejected",
        "{by} rejected the request. Its nodes are patched as planned. {note}",
    ),
    "exception_revoked": (
        "{policy}: exception {exception} revoked",
        "{by} revoked it. Its nodes are patched again. {note}",
    ),
    "exception_alarm": ("{policy}: exceptions: {alarm}", "{text}"),
    "exceptions_listed": (
        "{policy}: {points} with exceptions in {month}",
        "These are not patched on some days of the month, by the ledger as it is now. Each has the last day and the "
        "reason.",
    ),
    "coverage_found": (
        "{policy}: {points} that the next plan would miss or cannot patch",
        "Found by enroll_nodes at {found}. Each has what is wrong with it and how it is fixed.",
    ),
    "report_published": ("{policy}: patch report {period}", "{headline}. The report is {page}. {link}"),
    "repository_repaired": ("{policy}: repositories of {nodes} corrected", "Corrected on {day}: {repair}."),
}


def to_title(kind: str, facts: Mapping[str, str], nodes: int, points: int) -> str:
    """Return the title, in one line."""
    counts = {"nodes": counted(nodes), "points": counted(points) if points else "nothing"}
    return " ".join(_WORDS[kind][0].format_map(defaultdict(str, {**facts, **counts})).split())


def to_text(kind: str, facts: Mapping[str, str]) -> str:
    """Return the sentences, in one line."""
    return " ".join(_WORDS[kind][1].format_map(defaultdict(str, facts)).split())
