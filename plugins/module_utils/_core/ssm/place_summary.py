# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Summary of module calls in many account-Regions. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: Label of a failure that belongs to no account-Region, such as invalid options.
EVERYWHERE = "everywhere"
_STEPS = ("created", "changed", "unchanged", "failed")


def summarise(results: Mapping[str, Any], reached: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Summarize the registered results of modules that work in many account-Regions, with or without a loop.

    :param results: registered result by kind of object, such as ``baselines``.
    :param reached: registered result of ``ssm_place_info``; only its failures count.
    :returns: ``places``: counts of ``created``, ``changed``, ``unchanged`` and ``failed`` by label and kind;
        ``failed``: one ``{"place", "reason", "count"}`` per account-Region that failed, with its first error;
        ``failures``: the same as text; ``lines``: everything as text, one line per account-Region and failure.
    """
    places: dict[str, dict[str, dict[str, int]]] = {}
    reasons: dict[str, list[str]] = {}
    for kind, registered in {"": reached or {}, **results}.items():
        for label, step, reason in _rows(registered):
            if reason:
                reasons.setdefault(label, []).append(reason)
            if label != EVERYWHERE and kind:
                counts = places.setdefault(label, {}).setdefault(kind, dict.fromkeys(_STEPS, 0))
                counts[step] += 1
    failed = [{"place": place, "reason": found[0], "count": len(found)} for place, found in sorted(reasons.items())]
    failures = _failure_lines(failed)
    return {"places": places, "failed": failed, "failures": failures, "lines": [*_place_lines(places), *failures]}


def _rows(registered: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield (account-Region, step, reason) of each call."""
    for call in registered.get("results", [registered]):
        done, failed = call.get("places") or [], call.get("failed_places") or []
        for row in done:
            yield row["place"], "created" if row.get("created") else _changed(row), ""
        for row in failed:
            yield row["place"], "failed", str(row["error"]["message"])
        if not (done or failed) and (call.get("failed") or call.get("failed_when_result") is not None):
            yield EVERYWHERE, "failed", str(call.get("msg", "unknown error"))


def _changed(row: Mapping[str, Any]) -> str:
    return "changed" if row.get("changed") else "unchanged"


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
