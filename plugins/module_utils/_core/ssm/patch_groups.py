# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch groups and their baseline for each operating system. Pure.

A patch group exists only through its registrations; a group without one gets the default baselines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..arns import name_of
from ..change import Change
from ..errors import BadInput, Conflict
from . import limits


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Bound:
    """A baseline with which a group is or can be registered. Without an ID it does not exist (yet)."""

    operating_system: str = ""
    name: str
    baseline_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchGroup:
    """A patch group in one account-Region with its baselines, at most one per operating system, sorted by operating
    system.
    """

    name: str
    baselines: tuple[Bound, ...] = ()


class PatchGroupPort(Protocol):
    """Patch groups of one account-Region."""

    def find(self, name: str) -> PatchGroup | None:
        """Return the group with its baselines; ``None`` if it has none."""

    def candidates(self) -> Sequence[Bound]:
        """Return every baseline with which a group can be registered, own and AWS-owned."""

    def register(self, name: str, baseline_id: str) -> None:
        """Register the group with a baseline."""

    def deregister(self, name: str, baseline_id: str) -> None:
        """Deregister it; does nothing if it is not registered."""


def resolve(references: Iterable[str], candidates: Sequence[Bound]) -> tuple[Bound, ...]:
    """Return the baselines with these names or IDs. A baseline that does not exist has no ID.

    :raises Conflict: several baselines have the name.
    :raises BadInput: two of them are for the same operating system.
    """
    found: dict[str, Bound] = {}
    for index, reference in enumerate(references):
        bound = _resolve_one(f"baselines[{index}]", reference, candidates)
        other = found.setdefault(bound.operating_system or reference, bound)
        if other != bound:
            expected = f"one baseline per operating system; {other.name} is for {bound.operating_system} as well"
            raise BadInput(f"baselines[{index}]", reference, expected)
    return tuple(sorted(found.values(), key=_order))


def _resolve_one(where: str, reference: str, candidates: Sequence[Bound]) -> Bound:
    matching = [item for item in candidates if reference in (item.name, item.baseline_id, _short_id(item))]
    if len(matching) > 1:
        ids = ", ".join(str(item.baseline_id) for item in matching)
        raise Conflict(f"{where}: {reference!r} matches several baselines: {ids}. Use the ID.")
    return matching[0] if matching else Bound(name=reference)


def _short_id(bound: Bound) -> str:
    """The ID of an AWS-owned baseline is an ARN; its last part is the ID that users know."""
    return name_of(str(bound.baseline_id))


def _order(bound: Bound) -> tuple[str, str]:
    return bound.operating_system, bound.name


def plan_patch_group(
    before: PatchGroup | None, name: str, wanted: Sequence[Bound] | None, *, present: bool, rebind: bool, purge: bool
) -> Change[PatchGroup]:
    """Return the registrations that change.

    Present: ``wanted`` is registered; other registrations remain unless ``purge``.
    Absent: ``wanted`` is deregistered, or everything if it is ``None``.

    :raises Conflict: an operating system has another baseline and ``rebind`` is not set.
    """
    limits.matches("name", name, r".{1,256}", "1 to 256 characters")
    bound = before.baselines if before else ()
    if not present:
        gone = bound if wanted is None else wanted
        left = tuple(item for item in bound if item not in gone)
        return Change(before, PatchGroup(name=name, baselines=left) if left else None)
    new = {item.operating_system or item.name: item for item in wanted or ()}
    for item in bound:
        other = new.get(item.operating_system)
        if other and other != item and not rebind:
            raise Conflict(
                f"Patch group {name!r} gets {item.name} for {item.operating_system}, not {other.name}."
                " Set rebind to true to change it."
            )
    kept = {} if purge else {item.operating_system: item for item in bound}
    baselines = tuple(sorted({**kept, **new}.values(), key=_order))
    return Change(before, PatchGroup(name=name, baselines=baselines) if baselines else None)


def ensure_patch_group(port: PatchGroupPort, change: Change[PatchGroup]) -> PatchGroup | None:
    """Deregister first, then register, because the service allows one baseline per operating system.

    :raises BadInput: a baseline does not exist; nothing was written.
    """
    before = change.before.baselines if change.before else ()
    after = change.after.baselines if change.after else ()
    for item in after:
        if item.baseline_id is None:
            raise BadInput("baselines", item.name, "the name or ID of an existing patch baseline")
    name = str((change.after or change.before or PatchGroup(name="")).name)
    for item in before:
        if item not in after:
            port.deregister(name, str(item.baseline_id))
    for item in after:
        if item not in before:
            port.register(name, str(item.baseline_id))
    return change.after


class PatchGroupNoun:
    """Declared patch group in one account-Region."""

    def __init__(self, port: PatchGroupPort, options: Mapping[str, Any]) -> None:
        self._port = port
        self._options = options

    def plan(self) -> Change[PatchGroup]:
        options = self._options
        name, references = options["name"], options["baselines"]
        before = self._port.find(name)
        wanted = None if references is None else resolve(references, self._port.candidates())
        present = options["state"] == "present"
        return plan_patch_group(
            before, name, wanted, present=present, rebind=options["rebind"], purge=options["purge_baselines"]
        )

    def apply(self, change: Change[PatchGroup]) -> PatchGroup | None:
        return ensure_patch_group(self._port, change)
