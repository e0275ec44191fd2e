# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges whether enough people approve a plan, wave by wave. It counts people, not keys or sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .bundle import Bundle, Demand, Requirement
from .operator import Operator
from .votes import STOPPING, Found, Vote


@dataclass(frozen=True, slots=True, kw_only=True)
class Actors:
    """Who must not approve and why, and the number of unidentified actors."""

    excluded: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """``missing``: what each wave lacks, nothing if it may begin. ``counted``: whose approval counts for some wave.

    ``refused``: approvals that do not count, with the reason.
    """

    missing: Mapping[str, tuple[str, ...]]
    counted: tuple[Vote, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    environments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return everything that some wave lacks, without duplicates."""
        return tuple(dict.fromkeys(f"wave {wave}: {why}" for wave, whys in self.missing.items() for why in whys))


def find_actors(
    bundle: Bundle, planner: Operator | None, launcher: Operator | None, authors: Iterable[str] = ()
) -> Actors:
    """Return who takes part in a plan in another way, and so must not approve it.

    :param launcher: ``None`` to determine only what is missing.
    :param authors: people who wrote the policy, according to the policy.
    """
    excluded: dict[str, str] = {}
    unknown: dict[Operator, str] = {}
    for name in authors:
        excluded[name] = "wrote the policy"
    asked = [("runs the rollout", launcher)] if launcher else []
    for why, operator in [*asked, ("made the plan", planner)]:
        for person in bundle.people_of(operator) if operator else ():
            excluded[person] = why
        if operator is None or not bundle.knows(operator):
            unknown.setdefault(operator or Operator(login=""), f"nobody knows who {why}")
    return Actors(excluded=excluded, unknown=tuple(unknown.values()))


def judge(
    plan: Mapping[str, Any], bundle: Bundle, found: Sequence[Found], actors: Actors, least_people: int = 0
) -> Judgement:
    """Return what each wave of a plan lacks.

    :param least_people: the number that the policy demands; it can demand more than the bundle, never less.
    """
    refused = [(item.label, item.objection) for item in found if item.vote is None]
    votes = []
    for item in found:
        if item.vote is None:
            continue
        if item.vote.verdict == "approve" and (why := actors.excluded.get(item.vote.principal)):
            refused.append((item.label, f"{item.vote.principal} {why}, so their approval does not count"))
        else:
            votes.append((item.label, item.vote))
    counted: dict[str, Vote] = {}
    missing: dict[str, tuple[str, ...]] = {}
    environments = {}
    for wave in plan["waves"]:
        names = bundle.environments_of(wave["nodes"])
        environments[wave["name"]] = tuple(sorted(names))
        court = _Court(bundle, wave["name"], names, actors, least_people)
        missing[wave["name"]] = tuple(dict.fromkeys(court.lacks([vote for _label, vote in votes])))
        counted |= court.counted
    refused += [(label, _useless(vote)) for label, vote in votes if vote.proof not in counted]
    return Judgement(
        missing=missing,
        counted=tuple(counted.values()),
        refused=tuple(refused),
        environments=environments,
    )


def _useless(vote: Vote) -> str:
    if vote.verdict in STOPPING:
        return f"{vote.principal} said {vote.verdict}: {vote.reason}"
    scope = ", ".join((*vote.environments, *(f"wave {wave}" for wave in vote.waves))) or "everything"
    return (
        f"{vote.principal} approved {scope} as {' or '.join(vote.roles) or 'nobody'} for {vote.hours:.0f} hours, "
        f"by {vote.source}, which no requirement of the plan asks for"
    )


@dataclass(slots=True)
class _Court:
    """Judges one wave."""

    bundle: Bundle
    wave: str
    environments: frozenset[str]
    actors: Actors
    least_people: int
    counted: dict[str, Vote] = field(default_factory=dict)

    def lacks(self, votes: Sequence[Vote]) -> Iterator[str]:
        """Yield what is missing; nothing if the wave may begin."""
        for vote in votes:
            if vote.verdict in STOPPING and (not vote.waves or self.wave in vote.waves):
                yield f"{vote.principal} said {vote.verdict}: {vote.reason}"
        approvals = [vote for vote in votes if vote.verdict == "approve" and vote.covers(self.wave, self.environments)]
        for environment in sorted(self.environments):
            rules = [rule for rule in self.bundle.plans if rule.concerns(self.wave, environment)]
            if not rules:
                where = f"environment {environment}" if environment else "nodes that no environment holds"
                yield f"the bundle has no requirement for {where}"
            for rule in rules:
                yield from self._rule(rule, environment, approvals)

    def _rule(self, rule: Requirement, environment: str, approvals: Sequence[Vote]) -> Iterator[str]:
        fit = [vote for vote in approvals if vote.source in rule.sources and vote.hours <= rule.max_hours]
        people: dict[str, set[str]] = {}
        for vote in fit:
            if roles := {role for demand in rule.people for role in demand.roles if role in vote.roles}:
                people.setdefault(vote.principal, set()).update(roles)
                self.counted[vote.proof] = vote
        open_places = unfilled(rule.people, people)
        for demand, number in open_places:
            named = " or ".join(demand.roles)
            yield f"{environment} needs {_people(demand.count)} with the role {named}, {number} missing"
        unknown = self.actors.unknown
        if unknown and self.bundle.unknown_identity == "refuse":
            yield from unknown
            unknown = ()
        asked = sum(demand.count for demand in rule.people)
        least = max(asked + len(unknown), self.least_people)
        if not open_places and len(people) < least:
            why = "; ".join(unknown) or f"the policy demands {self.least_people}"
            yield f"{environment} needs {_people(least)}, and {len(people)} approved ({why})"


def _people(number: int) -> str:
    return f"{number} {'person' if number == 1 else 'people'}"


def unfilled(demands: Sequence[Demand], people: Mapping[str, set[str]]) -> list[tuple[Demand, int]]:
    """Return the unmet demands, with the number of people that each lacks. A person fills only one place."""
    places = [demand for demand in demands for _number in range(demand.count)]
    holder: dict[str, int] = {}

    def seat(place: int, asked: set[str]) -> bool:
        """Find a person for a place; one in another place may move if somebody else can fill that place."""
        for person, roles in people.items():
            if person in asked or not roles & set(places[place].roles):
                continue
            asked.add(person)
            if person not in holder or seat(holder[person], asked):
                holder[person] = place
                return True
        return False

    empty = [place for place in range(len(places)) if not seat(place, set())]
    return [
        (demand, number)
        for index, demand in enumerate(demands)
        if (number := sum(_demand_of(demands, place) == index for place in empty))
    ]


def _demand_of(demands: Sequence[Demand], place: int) -> int:
    """Return the demand to which a place belongs."""
    for index, demand in enumerate(demands):
        if place < demand.count:
            return index
        place -= demand.count
    raise IndexError(place)
