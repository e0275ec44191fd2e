# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host shows after an install, package by package. Nothing here follows from an exit code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..node_answer import BadAnswer, words
from ..trouble import NOT_OFFERED, to_cause
from .apt import STATES
from .capture import differences
from .document import Document, parse_document
from .names import PATCH, Package, package_of
from .reboot_need import RebootNeed, reconcile
from .rpm import doubled, failed_scriptlets
from .zypper import read_contents


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A package that is another one than before. ``old`` is empty for a new one, ``new`` for a removed one."""

    name: str
    arch: str
    old: str = ""
    new: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return it as every record shows a change: ``id`` (name and architecture), ``old``, ``new``."""
        return {"id": f"{self.name}.{self.arch}", "old": self.old, "new": self.new}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What is proved of a list of updates. Each id of the list is in exactly one of the first six members.

    :param installed: the planned version is there and configured. :param failed: with the reason.
    :param withdrawn: not installed, because no repository offers the planned version any more.
    :param held: left alone, with the reason: it removes packages, needs what is excluded. :param left: the deadline was
        over before their step. :param unknown: not installed, and no step that ended had it.
    :param interrupted: those of ``unknown`` whose step began and did not end.
    :param changes: every package that changed since the work began, by whomever. :param brought: those of them that
        belong to installed advisories of the list. :param broken: what the package database says about itself.
    :param stopped: why no step began, ``(code, text)``.
    """

    installed: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    withdrawn: tuple[str, ...] = ()
    held: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    interrupted: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    brought: tuple[Change, ...] = ()
    broken: str = ""
    stopped: tuple[str, str] | None = None
    is_whole: bool = False
    reboot: RebootNeed = field(default_factory=lambda: RebootNeed(pending=None))
    differences: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def removed(self) -> tuple[str, ...]:
        return tuple(item.name for item in self.changes if not item.new)

    def unplanned(self, patch_ids: Iterable[str]) -> tuple[Change, ...]:
        """Return what came in that the list does not name: dependencies, and the changes of others."""
        planned = {package_of(item)[:2] for item in patch_ids}
        brought = frozenset(self.brought)
        changes = (item for item in self.changes if item not in brought)
        return tuple(item for item in changes if item.new and (item.name, item.arch) not in planned)


def read_proof(output: str, patch_ids: Sequence[str]) -> Proof:
    """Read what the install script proves. :raises BadAnswer: it is no proof."""
    document = parse_document(output)
    if document.part("steps").rc < 0:
        raise BadAnswer("the host did not say what became of the install")
    steps = _Steps(document.lines("steps"))
    now, trouble = _states(document), _Trouble(document)
    outcomes = {patch_id: _outcome(patch_id, now, steps, trouble) for patch_id in patch_ids}
    stopped = steps.stopped
    installed = tuple(key for key, (kind, _text) in outcomes.items() if kind == "installed")
    changes = _changes(document)
    return Proof(
        installed=installed,
        failed={key: text for key, (kind, text) in outcomes.items() if kind == "failed"},
        withdrawn=tuple(key for key, (kind, _text) in outcomes.items() if kind == "withdrawn"),
        held={key: steps.held[key] for key, (kind, _text) in outcomes.items() if kind == "held"},
        left=tuple(key for key, (kind, _text) in outcomes.items() if kind == "left"),
        unknown=tuple(key for key, (kind, _text) in outcomes.items() if kind == "unknown"),
        interrupted=tuple(
            key for key, (kind, _text) in outcomes.items() if kind == "unknown" and steps.is_interrupted(key)
        ),
        changes=changes,
        brought=_brought(document, installed, changes),
        broken=words(" ".join(document.part("broken").said), 400) if document.part("broken").rc > 0 else "",
        stopped=stopped,
        is_whole=steps.is_done,
        reboot=reconcile(document.lines("reboot")),
        differences=differences(document.lines("was"), document.lines("is")),
        notes=tuple(steps.notes),
    )


class _Steps:
    """What the install wrote down on its way."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.held: dict[str, tuple[str, str]] = {}
        self.left: set[str] = set()
        self.tried: dict[str, str] = {}
        self.begun: set[str] = set()
        self.logs: dict[str, list[str]] = {}
        self.codes: dict[str, str] = {}
        self.stopped: tuple[str, str] | None = None
        self.is_done = False
        self.is_stale = False
        self.notes: list[str] = []
        for line in lines:
            self._read(*line.split("|", 3))

    def _read(self, kind: str, *rest: str) -> None:
        if kind == "held" and len(rest) == 3:
            self.held[rest[0]] = (words(rest[1], 40), words(rest[2], 300))
        elif kind == "left" and rest:
            self.left.add(rest[0])
        elif kind == "failed" and len(rest) == 2:
            self.tried[rest[0]] = rest[1]
        elif kind == "begin" and len(rest) == 2:
            self.begun.add(rest[0])
            self.tried.update(dict.fromkeys(rest[1].split(), rest[0]))
        elif kind == "end" and len(rest) == 2:
            self.codes[rest[0]] = rest[1]
        elif kind == "log" and len(rest) >= 2:
            self.logs.setdefault(rest[0], []).append("|".join(rest[1:]))
        elif kind == "stopped" and len(rest) >= 2:
            self.stopped = words(rest[0], 40), words("|".join(rest[1:]), 400)
        elif kind == "done":
            self.is_done = True
        elif kind == "refresh":
            self.is_stale = True
            self.notes.append(f"the package lists could not be refreshed: {words(' '.join(rest), 60)}")
        elif kind == "repair":
            self.notes.append(f"a repair of the package database was tried: {words(' '.join(rest), 200)}")
        elif kind == "service" and len(rest) == 2 and rest[1] != "restarted":
            self.notes.append(words(f"{rest[0]} uses deleted files: {rest[1]}", 200))

    def is_interrupted(self, patch_id: str) -> bool:
        """Tell whether the update's last step began and did not end."""
        number = self.tried.get(patch_id, "")
        return number in self.begun and number not in self.codes

    def is_withdrawn(self, patch_id: str, why: str) -> bool:
        """Tell whether no repository offers an update: the simulation said so, with package lists that are whole."""
        return self.tried.get(patch_id, "") not in self.begun and not self.is_stale and why.startswith(NOT_OFFERED)

    def why(self, patch_id: str, package: str) -> str:
        """Return what the step of an update said."""
        number = self.tried.get(patch_id, "")
        code = self.codes.get(number)
        said = to_cause(self.logs.get(number, ()), package=package)
        return f"exit code {code}: {said}" if code not in (None, "0") else said


class _Trouble:
    """What the package database says is wrong, read once for all updates."""

    def __init__(self, document: Document) -> None:
        self.document = document

    @cached_property
    def scripts(self) -> Mapping[Package, str]:
        return failed_scriptlets(self.document.lines("scripts"))

    @cached_property
    def doubles(self) -> frozenset[tuple[str, str]]:
        return frozenset(package_of(item)[:2] for item, _text in doubled(self.document.lines("twice")))

    @cached_property
    def unsatisfied(self) -> Sequence[str]:
        return [line for line in self.document.part("verify").said if "nsatisfied dependencies" in line]


def _states(document: Document) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Return (version, state) of what is installed, by name and architecture."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for line in document.lines("states"):
        fields = line.split()
        if len(fields) == 4:
            found.setdefault((fields[0], fields[1]), []).append((fields[2], fields[3]))
    return found


def _outcome(
    patch_id: str, now: Mapping[tuple[str, str], list[tuple[str, str]]], steps: _Steps, trouble: _Trouble
) -> tuple[str, str]:
    """Return the member of the proof that has an update, with the reason of a failure."""
    package = package_of(patch_id)
    if patch_id.startswith(PATCH):
        there = _applied(package.name.removeprefix(PATCH), trouble.document)
    else:
        there, bad = _installed(package, now.get((package.name, package.arch), []), steps, patch_id, trouble)
        if bad:
            return "failed", bad
    if there:
        return "installed", ""
    if patch_id in steps.held:
        return "held", ""
    if patch_id in steps.tried and not steps.is_interrupted(patch_id):
        why = steps.why(patch_id, package.name)
        return ("withdrawn", "") if steps.is_withdrawn(patch_id, why) else ("failed", why)
    return ("left", "") if patch_id in steps.left else ("unknown", "")


def _installed(
    package: Package, found: Sequence[tuple[str, str]], steps: _Steps, patch_id: str, trouble: _Trouble
) -> tuple[bool, str]:
    """Return whether the planned version is there, and what is wrong with it."""
    states = [state for version, state in found if version == package.version]
    if not states:
        return False, ""
    state = states[0]
    if state[1:2] != "i":
        return False, f"{STATES.get(state[1:2], f'state {words(state, 10)}')}: {steps.why(patch_id, package.name)}"
    if package in trouble.scripts:
        return False, f"not completely installed: {trouble.scripts[package]}"
    if (package.name, package.arch) in trouble.doubles:
        return False, f"installed, but the old version stayed beside it: {steps.why(patch_id, package.name)}"
    wrong = [line for line in trouble.unsatisfied if _names(line, package)]
    return (False, words(wrong[0], 200)) if wrong else (True, "")


def _names(line: str, package: Package) -> bool:
    return f"{package.name}-{package.version.rpartition(':')[2]}" in line


def _applied(name: str, document: Document) -> bool:
    """Tell whether zypper lists a patch as applied, or as no longer needed."""
    for line in document.part("applied").out:
        cells = [cell.strip() for cell in line.split("|")]
        if name in cells and any(cell in ("applied", "not-needed", "not needed") for cell in cells):
            return True
    return False


def _changes(document: Document) -> tuple[Change, ...]:
    """Return what is another package than before; of one that can be there several times, each version."""
    gone, came = (_by_name(document.lines(part)) for part in ("gone", "came"))
    found = []
    for name, arch in sorted({*gone, *came}):
        old, new = gone.get((name, arch), []), came.get((name, arch), [])
        for index in range(max(len(old), len(new))):
            was, now = (items[index] if index < len(items) else "" for items in (old, new))
            if was != now:
                found.append(Change(name=name, arch=arch, old=was, new=now))
    return tuple(found)


def _brought(document: Document, installed: Sequence[str], changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes that are what installed advisories say: the package in the very version."""
    contents = read_contents(document.lines("contents"))
    here = frozenset(installed)
    theirs = {(name, version) for patch, name, version in contents if f"{PATCH}{patch}" in here}
    return tuple(item for item in changes if {(item.name, item.new), (f"{item.name}.{item.arch}", item.new)} & theirs)


def _by_name(lines: Iterable[str]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        fields = line.split()
        if len(fields) == 4:
            found.setdefault((words(fields[0], 200), words(fields[1], 40)), []).append(words(fields[2], 200))
    return found
