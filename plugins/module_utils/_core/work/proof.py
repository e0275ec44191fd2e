# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was done on a node compared with its plan: as shown by the node, never taken from the plan. Pure.

Sources, as far as a node has them: the host probe's list of what changed since the pre-check; the patches that the
install left as InstalledPendingReboot, which is all that it brought in; what an install shows of each planned version;
and the scan after the work. What the plan has forecast, such as a new dependency, is no difference.

=====================  ==============================================================================================
code of a difference   means
=====================  ==============================================================================================
withdrawn              planned, and neither installed nor missing: it is no longer offered, or was replaced
newly_approved         missing now and not planned: approved since. Information, never a failure
not_promoted           planned and missing: the wave that this one promotes from has not proven it
unplanned              came in though nothing planned it: a dependency, or whatever the baseline approved meanwhile
unplanned_here         came in, and was planned for another node of the same list
removed                was installed before and is not any more
by_unknown             changed between pre-check and final look, and not by the install
installed_rejected     is installed though the baseline rejects it
unclear                planned, and the node shows neither that it is installed nor that it is missing or withdrawn
=====================  ==============================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..lists.per_object import PerObject
from .node_answer import words
from .packages_changed import PackageChange, is_patch, read_changes

CODES = (
    "withdrawn",
    "unplanned",
    "removed",
    "unplanned_here",
    "by_unknown",
    "newly_approved",
    "not_promoted",
    "installed_rejected",
    "unclear",
)
#: Maximum number of a node's differences in a record; their total number is kept too.
MOST = 200
Row = tuple[str, str]
_INSTALLED = ("INSTALLED", "INSTALLED_OTHER", "INSTALLED_PENDING_REBOOT", "INSTALLED_REJECTED")
_DATED = re.compile(r"^\d{4}-\d{2} |\s*\(?KB\d+\)?\s*")


@dataclass(slots=True, kw_only=True)
class Proof:
    """``source``: ``node`` (the host probe's whole list), ``pending`` (what the install left pending) or ``scan``
    (nothing but what is missing now). ``missing``: planned and still missing."""

    source: str = "scan"
    installed: list[str] = field(default_factory=list)
    changes: list[dict[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    differences: list[dict[str, str]] = field(default_factory=list)

    def add(self, code: str, patch_id: str, title: str = "", text: str = "") -> None:
        """Add a difference."""
        found = {"code": code, "id": patch_id, "title": title, "text": words(text, 300)}
        self.differences.append({key: value for key, value in found.items() if value})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What is known of one node. ``arrived`` and ``changes`` are ``None`` if the node does not know them.

    ``shown``, ``failed`` and ``gone``: IDs of planned patches that the install itself shows as installed, as failed,
    and as no longer offered. ``brought``: IDs with versions of packages that belong to planned advisories. ``adds`` and
    ``removes``: names of packages that the plan has forecast.
    """

    by_title: bool
    planned: tuple[Row, ...]
    missing: tuple[Row, ...]
    unclear: tuple[Mapping[str, Any], ...] | None
    offered: tuple[Row, ...]
    arrived: tuple[Row, ...] | None
    changes: tuple[PackageChange, ...] | None
    whole: bool
    shown: frozenset[str]
    failed: frozenset[str]
    gone: frozenset[str]
    absent: frozenset[str]
    brought: tuple[Row, ...]
    adds: frozenset[str]
    removes: frozenset[str]
    #: Patches and changes by what they can be found by: a node has hundreds of both.
    named: PerObject[Any] = field(default_factory=lambda: PerObject(_by_name))
    packages: PerObject[Any] = field(default_factory=lambda: PerObject(_by_package))

    def same(self, one: Row, other: Row) -> bool:
        return one[0].lower() == other[0].lower() and (
            not self.by_title or not one[1] or not other[1] or one[1] == other[1]
        )

    def among(self, row: Row, rows: Sequence[Row]) -> bool:
        return any(self.same(row, other) for other in self.named(rows).get(row[0].lower(), ()))

    def change_of(self, row: Row) -> PackageChange | None:
        """Return the first change that brought a patch in."""
        known = self.named(self.changes or ())
        near = {number for key in _row_keys(row) for number in known.get(key, ())}
        found = ((self.changes or ())[number] for number in sorted(near))
        return next((item for item in found if is_patch(item, *row, by_title=self.by_title)), None)

    def brings(self, change: PackageChange, rows: Sequence[Row], by_title: bool | None = None) -> bool:
        """Return whether a change brought one of these patches in."""
        by_title, known = self.by_title if by_title is None else by_title, self.packages(rows)
        near = (row for key in _change_keys(change) for row in known.get(key, ()))
        return any(is_patch(change, *row, by_title=by_title) for row in near)

    def is_installed(self, row: Row) -> bool:
        """Return whether the node shows that a patch is installed."""
        if row[0] in self.shown or self.change_of(row) or self.among(row, self.arrived or ()):
            return True
        return any(
            item.get("state") in _INSTALLED and self.same(row, (str(item.get("id")), str(item.get("title") or "")))
            for item in self.unclear or ()
        )

    def is_forecast(self, change: PackageChange) -> bool:
        """Return whether the plan has forecast that a package is new, or goes."""
        if change.old and change.new:
            return False
        return bool({change.name, change.name.rpartition(".")[0]} & (self.adds if change.new else self.removes))


def _by_name(items: Sequence[Any]) -> dict[str, list[Any]]:
    """Return rows by their IDs in lower case, and the numbers of changes by their keys."""
    found: dict[str, list[Any]] = {}
    for number, item in enumerate(items):
        if isinstance(item, PackageChange):
            for key in _change_keys(item):
                found.setdefault(key, []).append(number)
        else:
            found.setdefault(item[0].lower(), []).append(item)
    return found


def _by_package(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        for key in _row_keys(row):
            found.setdefault(key, []).append(row)
    return found


def _row_keys(row: Row) -> set[str]:
    """A row and a change that ``is_patch`` accepts have a key in common: the package with or without its architecture,
    or the KB."""
    return _package_keys(row[0].partition(":")[0])


def _change_keys(change: PackageChange) -> set[str]:
    return _package_keys(change.name)


def _package_keys(name: str) -> set[str]:
    return {name.lower(), name.lower().rpartition(".")[0]} - {""}


def rows_of(patches: Iterable[Mapping[str, Any]] | None) -> tuple[Row, ...]:
    """Return IDs and titles of patches in the form of results."""
    return tuple((str(item.get("id") or ""), str(item.get("title") or "")) for item in patches or ())


def prove(
    node: Mapping[str, Any],
    results: Mapping[str, Mapping[str, Any]],
    facts: Mapping[str, Any] | None,
    listed: Iterable[Row] = (),
) -> Proof:
    """Return the proof of the work that the node shows.

    :param node: the plan's node. :param results: stage to result. :param facts: the host probe's document after it.
    :param listed: the rows of the node's list, which also has the patches of other nodes.
    """
    seen = _look(node, results, facts)
    proof = Proof(source=_source(seen), changes=[item.to_dict() for item in seen.changes or ()][:MOST])
    _judge_planned(proof, seen)
    _judge_missing(proof, seen, rows_of(node.get("not_promoted")), frozenset(node.get("deferred") or ()))
    if node.get("patches") or node.get("pin") not in (None, "baseline"):
        _judge_changes(proof, seen, tuple(listed))
    scan, patch = results.get("scan", {}), results.get("patch", {})
    for row in rows_of(scan.get("rejected")):
        proof.add("installed_rejected", *row)
    if proof.source == "scan":
        proof.installed = list(patch.get("installed") or ()) or proof.installed
    return proof


def _look(node: Mapping[str, Any], results: Mapping[str, Mapping[str, Any]], facts: Mapping[str, Any] | None) -> _Seen:
    patch, scan = results.get("patch", {}), results.get("scan", {})
    found = read_changes(facts)
    missing, unclear = scan.get("missing"), scan.get("unclear")
    arrived = rows_of(patch["arrived"]) if isinstance(patch.get("arrived"), list) else None
    return _Seen(
        by_title=node.get("platform") != "windows",
        planned=rows_of(node.get("patches")),
        missing=rows_of(missing)
        if missing is not None
        else tuple((item, "") for item in scan.get("missing_after") or ()),
        unclear=tuple(item for item in unclear if isinstance(item, Mapping)) if isinstance(unclear, list) else None,
        offered=rows_of(scan.get("offered")),
        arrived=arrived,
        changes=found[0] if found else None,
        whole=bool(found and found[1]),
        shown=_ids(patch, "installed"),
        failed=_ids(patch, "failed") | _ids(scan, "failed"),
        gone=_ids(patch, "withdrawn"),
        absent=_ids(patch, "absent"),
        brought=tuple((item, "") for item in sorted(_ids(patch, "brought"))),
        adds=_ids(node.get("forecast"), "adds"),
        removes=_ids(node.get("forecast"), "removes"),
    )


def _ids(found: Mapping[str, Any] | None, member: str) -> frozenset[str]:
    return frozenset(map(str, (found or {}).get(member) or ()))


def _source(seen: _Seen) -> str:
    if seen.changes is not None and seen.whole:
        return "node"
    return "pending" if seen.arrived is not None else "scan"


def _judge_planned(proof: Proof, seen: _Seen) -> None:
    for row in seen.planned:
        # Windows may report success and roll back at the reboot: what is offered again is missing
        again = not seen.by_title and seen.among(row, seen.missing)
        if seen.is_installed(row) and not again:
            proof.installed.append(row[0])
        elif seen.among(row, seen.missing):
            proof.missing.append(row[0])
        elif row[0] in seen.absent:
            proof.add("unclear", *row, text="its package is not installed any more, and was not installed again")
        elif why := _why_withdrawn(row, seen):
            proof.add("withdrawn", *row, text=why)
        elif row[0] in seen.failed:
            continue
        elif proof.source == "scan":
            proof.installed.append(row[0])
        else:
            proof.add("unclear", *row, text="installed by others before, or no longer offered")


def _why_withdrawn(row: Row, seen: _Seen) -> str:
    """Return the successor of a planned patch; "" if it can't be distinguished from patches that others installed."""
    windows = not seen.by_title
    if approved := instead_of(row, seen.missing, windows=windows):
        return f"replaced by {approved}, which was approved after the plan"
    if seen.unclear is None and row[0] not in seen.gone:
        return ""
    other = instead_of(row, seen.offered, windows=windows)
    return f"replaced by {other}, which is not approved" if other else "no longer offered"


def instead_of(row: Row, others: Iterable[Row], *, windows: bool) -> str:
    """Return which of other patches takes the place of one: the same package in another version, or on Windows the KB
    of the same title without month and number; "" if none does."""
    stem = _DATED.sub("", row[1])
    for other in others:
        if not windows and other != row and _package(other) == _package(row):
            return other[1] if other[1].startswith(other[0]) else other[0]
        if windows and stem and other[0] != row[0] and _DATED.sub("", other[1]) == stem:
            return other[0]
    return ""


def _package(row: Row) -> str:
    """Return the package name of a patch with its architecture, or the KB."""
    return row[0].partition(":")[0].lower()


def _judge_missing(proof: Proof, seen: _Seen, put_off: Sequence[Row], deferred: frozenset[str]) -> None:
    for row in seen.missing:
        if row[0] not in deferred and not seen.among(row, seen.planned):
            proof.add("not_promoted" if seen.among(row, put_off) else "newly_approved", *row)


def _judge_changes(proof: Proof, seen: _Seen, listed: Sequence[Row]) -> None:
    """Sort what changed and was not planned; of a list that is cut, the rest is taken from what is pending."""
    for change in seen.changes or ():
        if seen.is_forecast(change):
            proof.installed += [change.name] if change.new else []
        elif not change.new:
            proof.add("removed", change.name, text=f"was {change.old}")
        elif seen.brings(change, seen.brought, by_title=True):
            continue  # its advisory counts
        elif not seen.brings(change, seen.planned):
            row = (change.name, f"{change.name}:{change.new}")
            _sort(proof, seen, change, row, listed)
    for row in seen.arrived or ():
        known = seen.among(row, seen.planned) or seen.change_of(row) is not None
        if not known:
            proof.installed.append(row[0])
            proof.add("unplanned_here" if seen.among(row, listed) else "unplanned", *row)


def _sort(proof: Proof, seen: _Seen, change: PackageChange, row: Row, listed: Sequence[Row]) -> None:
    ours = seen.arrived is None or seen.brings(change, seen.arrived)
    text = f"{change.old or 'new'} → {change.new}"
    if not ours:
        proof.add("by_unknown", *row, text=text)
        return
    proof.installed.append(change.name)
    here = seen.brings(change, listed)
    proof.add("unplanned_here" if here else "unplanned", *row, text=text)
