# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWS's own console says of a node: its state in our scan, its exception and findings, as compliance items. Pure.

An exception is an item beside the missing patches: it explains them and does not make a node compliant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from ..canonical import to_digest
from ..ssm.inventory import MAX_VALUE, ComplianceItem
from ..text import counted
from .rows import severity_of

#: Severities of the service by ours, the highest first.
_SEVERITIES: Mapping[str, str] = {
    "critical": "CRITICAL",
    "important": "HIGH",
    "high": "HIGH",
    "medium": "MEDIUM",
    "low": "LOW",
    "info": "INFORMATIONAL",
}
_TITLE, _NAMED = 500, 40


class NodeItemsPort(Protocol):
    """The items of one custom type in one account-Region."""

    def known(self) -> Mapping[str, str]:
        """Return what identifies the items of each node, see ``content_of``."""

    def put(self, node_id: str, items: Sequence[ComplianceItem], content: str) -> None:
        """Replace the items of a node."""


def items_of(
    record: Mapping[str, Any], exception: str | None = None, findings: Mapping[str, int] | None = None
) -> tuple[ComplianceItem, ...]:
    """Return the items of a node, sorted by ID.

    :param record: of the scan. :param exception: the exception in force. :param findings: open ones by severity;
        ``None`` if none were imported.
    """
    items = [_patches(record)]
    if exception:
        title = _cut(exception[:1].upper() + exception[1:])
        items.append(ComplianceItem(id="exception", status="COMPLIANT", severity="INFORMATIONAL", title=title))
    if findings is not None:
        total, worst = sum(findings.values()), _worst(findings)
        listed = {name.capitalize(): str(count) for name, count in sorted(findings.items())}
        title = f"{counted(total, 'open finding')} of vulnerability scanners" if total else "No open finding"
        items.append(
            ComplianceItem(id="findings", status=_status(not total), severity=worst, title=title, details=listed)
        )
    return tuple(sorted(items, key=lambda item: item.id))


def _patches(record: Mapping[str, Any]) -> ComplianceItem:
    if record["status"] not in ("succeeded", "no_op") or record.get("missing") is None:
        why = (record.get("error") or {}).get("text") or record["status"]
        return ComplianceItem(id="patches", status="NON_COMPLIANT", title=_cut(f"Not known: {why}"))
    missing = record["missing"]
    counts = Counter(severity_of(patch) for patch in missing)
    pending = ["a reboot is pending"] if record.get("pending_reboot") else []
    texts = [counted(len(missing), "missing patch"), *pending] if missing else pending
    more = f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
    details = {name.capitalize(): str(count) for name, count in sorted(counts.items())}
    if missing:
        listed = ", ".join(str(patch["id"]) for patch in missing[:_NAMED]) + more
        details["Patches"] = listed[:MAX_VALUE]
    title = _cut("; ".join(texts) or "No missing patch")
    return ComplianceItem(
        id="patches",
        status=_status(not texts),
        severity=_worst(counts),
        title=title[:1].upper() + title[1:],
        details=details,
    )


def _status(fine: bool) -> str:
    return "COMPLIANT" if fine else "NON_COMPLIANT"


def _worst(counts: Mapping[str, int]) -> str:
    return next((name for word, name in _SEVERITIES.items() if counts.get(word)), "UNSPECIFIED")


def _cut(text: str) -> str:
    return text if len(text) <= _TITLE else text[: _TITLE - 1] + "…"


def content_of(items: Sequence[ComplianceItem]) -> str:
    """Return what identifies items: equal ones have the same, whenever they were found."""
    rows = [[item.id, item.status, item.severity, item.title, dict(item.details)] for item in items]
    return f"patchtide-{to_digest(rows)}"


def open_findings(findings: Iterable[Mapping[str, Any]]) -> dict[str, Counter[str]]:
    """Return the open findings of each node by severity. :param findings: rows of ``vulnerabilities.jsonl``."""
    found: dict[str, Counter[str]] = {}
    for row in findings:
        if row["node_id"] and row["status"] in ("open", "unknown"):
            found.setdefault(row["node_id"], Counter())[row["severity"]] += 1
    return found


def different(wanted: Mapping[str, Sequence[ComplianceItem]], known: Mapping[str, str]) -> list[str]:
    """Return the nodes whose items are not those that the service has."""
    return [node for node, items in sorted(wanted.items()) if known.get(node) != content_of(items)]
