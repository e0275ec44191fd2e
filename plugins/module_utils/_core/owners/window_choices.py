# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owners choose the maintenance windows of their own nodes: who may, and what each choice changes. Pure.

Who owns a node follows from the person's identity and the policy's ``owners``, whose selectors name accounts, inventory
groups or nodes. Tags can be written by whoever owns the machine, so they never decide it alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any

from ..errors import BadInput, PatchtideError
from ..nodes import Candidate, matches
from ..policy.values import Policy
from ..text import LISTED, plain

SCHEMA = "patchtide/window-choices/1"
_REASON = 500


class NotOwner(PatchtideError):
    """The person may not choose for these nodes."""

    code = "NotOwner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person asks for. ``until``: the last day, after which the earlier window counts again; none for good."""

    by: str
    nodes: tuple[str, ...]
    window: str
    reason: str
    until: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceRecord:
    """One choice for one node, as the ledger keeps it. ``ended``: why it counts no more, empty while it does."""

    node_id: str
    host: str
    window: str
    before: str
    by: str
    owner: str
    reason: str
    at: str
    until: str = ""
    ended: str = ""

    @classmethod
    def from_dict(cls, data: Any, where: str) -> ChoiceRecord:
        """Read a record. :raises BadInput: it is none."""
        names = [item.name for item in fields(cls)]
        if not isinstance(data, Mapping) or any(not isinstance(data.get(name, ""), str) for name in names):
            raise BadInput(where, data, f"an object with the texts {', '.join(names)}")
        return cls(**{name: data.get(name, "") for name in names})

    def to_dict(self) -> dict[str, str]:
        """Return the record as plain data."""
        return asdict(self)


def check_request(request: Request, policy: Policy, today: date) -> None:
    """:raises BadInput: it names no window of the policy, no nodes, no reason, or a day that is past."""
    menu = [window.name for window in policy.windows]
    if request.window not in menu:
        raise BadInput("window", request.window, f"a window of the policy: {', '.join(menu) or 'it has none'}")
    if not request.nodes:
        raise BadInput("nodes", list(request.nodes), "at least one node, by id or inventory name")
    if not request.reason.strip() or len(request.reason) > _REASON:
        raise BadInput("reason", request.reason, f"the reason, up to {_REASON} characters")
    if request.until:
        try:
            day = date.fromisoformat(request.until)
        except ValueError:
            raise BadInput("until", request.until, "a day such as 2026-12-31") from None
        if day < today:
            raise BadInput("until", request.until, f"today, {today.isoformat()}, or later")


def owned_by(by: str, policy: Policy, nodes: Iterable[Candidate]) -> Iterator[tuple[Candidate, str]]:
    """Yield the nodes of a person with the owner for whom the person speaks, in the order of the inventory.

    :raises NotOwner: the person speaks for no owner.
    """
    mine = [owner for owner in policy.owners if by in owner.people]
    if not mine:
        raise NotOwner(f"{plain(by)} is in no entry of the policy's owners, and speaks for nobody.")
    for node in nodes:
        if team := next((owner.name for owner in mine if matches(node, owner.select)), None):
            yield node, team


def owned(by: str, names: Iterable[str], policy: Policy, nodes: Iterable[Candidate]) -> list[tuple[Candidate, str]]:
    """Return the named nodes with the owner for whom the person speaks, in the order of the inventory.

    :param names: IDs or inventory names of nodes.

    :raises NotOwner: not every one of them exists and is theirs. Which of the two is not said.
    """
    wanted, found = set(names), []
    for node, team in owned_by(by, policy, nodes):
        if meant := wanted & {node.node_id, node.host}:
            found.append((node, team))
            wanted -= meant
    if wanted:
        few = ", ".join(sorted(map(plain, wanted))[:LISTED])
        raise NotOwner(f"{plain(by)} owns no nodes {few}: nothing was changed. The policy's owners decide.")
    return found


def choose(
    request: Request, found: Sequence[tuple[Candidate, str]], ledger: Sequence[ChoiceRecord], key: str, at: str
) -> tuple[dict[str, str], list[ChoiceRecord]]:
    """Return the tag value of each node that changes, and the ledger as it then is.

    :param key: the tag that holds a node's window.
    """
    values: dict[str, str] = {}
    records = list(ledger)
    for node, team in found:
        now = node.maintenance_window or node.tags.get(key, "")
        last = _current(records, node.node_id)
        if now == request.window and (last.until if last else "") == request.until:
            continue
        before = last.before if last and last.until else now
        records = [_ended(item, f"replaced by {request.by}") if item == last else item for item in records]
        records.append(
            ChoiceRecord(
                node_id=node.node_id,
                host=node.host,
                window=request.window,
                before=before if request.until else "",
                by=request.by,
                owner=team,
                reason=request.reason,
                at=at,
                until=request.until,
            )
        )
        if now != request.window:
            values[node.node_id] = request.window
    return values, records


def past(ledger: Sequence[ChoiceRecord], today: date) -> set[str]:
    """Return the nodes whose choice has run out and is still open."""
    return {item.node_id for item in ledger if _is_past(item, today)}


def expire(
    ledger: Sequence[ChoiceRecord], nodes: Iterable[Candidate], key: str, today: date
) -> tuple[dict[str, str], list[ChoiceRecord]]:
    """Return the tag value of each node whose choice has run out ("" to remove the tag), and the ledger then.

    A tag that somebody changed meanwhile stays.
    """
    known = {node.node_id: node for node in nodes}
    values: dict[str, str] = {}
    records = []
    for item in ledger:
        node = known.get(item.node_id)
        if not _is_past(item, today) or node is None:
            records.append(item)
            continue
        now = node.maintenance_window or node.tags.get(key, "")
        if now == item.window != item.before:
            values[item.node_id] = item.before
        changed = now not in (item.window, item.before)
        records.append(_ended(item, f"it ended on {item.until}{'; the tag was changed before' if changed else ''}"))
    return values, records


def without_failed(
    before: Sequence[ChoiceRecord], after: Sequence[ChoiceRecord], failed: Collection[str]
) -> list[ChoiceRecord]:
    """Return the ledger after ``expire``, in which the choices of nodes whose tags were not restored are still open."""
    return [old if new.node_id in failed else new for old, new in zip(before, after, strict=True)]


def with_window(node: Candidate, window: str, key: str) -> Candidate:
    """Return the node with another window in its tag ``key``, or without one if it is empty."""
    return replace(node, tags={**node.tags, key: window}, maintenance_window=window)


def _is_past(item: ChoiceRecord, today: date) -> bool:
    return bool(item.until) and not item.ended and date.fromisoformat(item.until) < today


def _current(records: Sequence[ChoiceRecord], node_id: str) -> ChoiceRecord | None:
    return next((item for item in reversed(records) if item.node_id == node_id and not item.ended), None)


def _ended(item: ChoiceRecord, why: str) -> ChoiceRecord:
    return ChoiceRecord(**{**asdict(item), "ended": why})
