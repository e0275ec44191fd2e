# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What scanners found, for a report. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..text import counted
from .rows import in_severity_order

_WORDS: Mapping[str, str] = {
    "patch": "that a missing patch closes",
    "reboot": "that wait for a reboot",
    "other": "that no missing patch closes",
    "unknown": "of which this is not known",
}


def to_vulnerabilities(
    end: Mapping[str, Any], scan: Mapping[str, Any] | None, changes: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the section of a report about findings.

    :param end: the last line of ``vulnerabilities.jsonl``, with ``at``. :param scan: of the report.
    :param changes: sentences that compare an earlier import with this one.
    """
    summary, matched = end["summary"], end.get("scan") or {}
    parts = [f"{count:,} {_WORDS[name]}" for name in _WORDS if (count := summary["remediations"].get(name))]
    return {
        "imported_at": end["at"],
        "of_this_scan": bool(scan) and matched.get("digest") == (scan or {}).get("digest"),
        **{name: summary[name] for name in ("findings", "open", "unmatched", "remediations")},
        "severities": in_severity_order(summary["severities"]),
        "sentence": f"{counted(summary['open'], 'open finding')}{': ' if parts else ''}{', '.join(parts)}.",
        "changes": list(changes),
    }
