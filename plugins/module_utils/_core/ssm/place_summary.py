# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Summary of objects that were applied in many account-Regions. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: Label of a failure that belongs to no account-Region, such as invalid options.
EVERYWHERE = "everywhere"
_STEPS = ("created", "changed", "unchanged", "failed")


def summarise(applied: Mapping[str, Any], reached: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Summarize what ``ssm_patch_setup`` did in many account-Regions.

    :param applied: its registered result, with or without a loop.
    :param reached: registered result of ``ssm_place_info``; only its failures count.
    :returns: ``places``: counts of ``created``, ``changed``, ``unchanged`` and ``failed`` by label and kind;
        ``failed``: one ``{"place", "reason", "count"}`` per account-Region that failed, with its first error;
        ``failures``: the same as text; ``lines``: everything as text, one line per account-Region and failure.
    """
    places: dict[str, dict[str, dict[str, int]]] = {}
    reasons: dict[str, list[str]] = {}
    for label, reason in _failures(reached or {}, applied):
        reasons.setdefault(label, []).append(reason)
    for call in _calls(applied):
        for row in [*call.get("objects", []), *call.get("failed_objects", [])]:
            counts = places.setdefault(row["place"], {}).setdefault(row["kind"], dict.fromkeys(_STEPS, 0))
            counts[_step(row)] += 1
    failed = [{"place": place, "reason": found[0], "count": len(found)} for place, found in sorted(reasons.items())]
    failures = _failure_lines(failed)
    return {"places": places, "failed": failed, "failures": failures, "lines": [*_place_lines(places), *failures]}


def _calls(registered: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(registered.get("results", [registered]))


def _failures(reached: Mapping[str, Any], applied: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the account-Region and the reason of each failure."""
    for call in _calls(reached):
        yield from ((row["place"], str(row["error"]["message"])) for row in call.get("failed_places", []))
    for call in _calls(applied):
        failed = call.get("failed_objects") or []
        yield from ((row["place"], str(row["error"]["message"])) for row in failed)
        if "msg" in call and not (failed or call.get("objects")):
            yield EVERYWHERE, str(call["msg"])


def _step(row: Mapping[str, Any]) -> str:
    if "error" in row:
        return "failed"
    return "created" if row.get("created") else "changed" if row.get("changed") else "unchanged"


def _place_lines(places: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[str]:
    return [
        f"{place}: " + "; ".join(f"{kind.replace('_', ' ')} {_counted(counts)}" for kind, counts in kinds.items())
        for place, kinds in sorted(places.items())
    ]


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[step]} {step}" for step in _STEPS if counts[step])


def _failure_lines(failed: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one line per reason, with all account-Regions to which it applies."""
    alike: dict[str, list[str]] = {}
    for item in failed:
        more = f" (and {item['count'] - 1} more)" if item["count"] > 1 else ""
        alike.setdefault(f"{item['reason']}{more}", []).append(item["place"])
    return [f"FAILED in {', '.join(places)}: {reason}" for reason, places in alike.items()]
