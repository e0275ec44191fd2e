# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks, right before work begins on nodes, whether a freeze, an exception or a quorum prevents it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.exceptions.guard import ExceptionGuard
from ...module_utils._core.model import place_label
from ...module_utils._core.nodes import Candidate
from ...module_utils._core.policy.values import Policy
from ...module_utils._core.text import plain
from ...module_utils._core.times.calendars import Calendar, freeze_at, freeze_during
from ..health.checks import ask_quorum
from ..inventory.nodes import planned_candidate
from ..rollout.folder import RolloutDir
from ..rollout.guards import LiveTags, is_fresh, read_calendars, read_guard

#: Node id to (code, text): why nothing begins on it.
Objections = dict[str, tuple[str, str]]


class Frozen(PatchtideError):
    """Nothing starts during a freeze."""

    code = "Frozen"


@dataclass(slots=True)
class Watch:
    """The guards of one wave. Reading calendars, ledgers and tags blocks, so call it in a thread.

    :param options: with the AWS connection and ``accounts``.
    :param now_known: gives nodes as they are in the inventory now, ``None`` for one that is gone. Only called where
        the plan and the tags in AWS are not enough: Ansible takes most of a millisecond for each node.
    """

    rollout: RolloutDir
    policy: Policy
    options: Mapping[str, Any]
    say: Callable[[str], None]
    now_known: Callable[[Sequence[Mapping[str, Any]]], Sequence[Candidate | None]]
    _calendars: tuple[datetime, list[Calendar]] | None = None
    _ledger: tuple[datetime, ExceptionGuard] | None = None
    _live: LiveTags | None = None

    def refuse_start(self, wave: str, begin: datetime) -> None:
        """:raises Frozen: a calendar is closed when the wave would begin."""
        freeze = freeze_at(self._read_calendars(begin, begin), begin)
        if freeze.frozen:
            until = f" until {freeze.next_transition:%Y-%m-%d %H:%M} UTC" if freeze.next_transition else ""
            why = "; ".join(freeze.reasons)
            raise Frozen(
                f"Wave {wave} can't begin at {begin:%Y-%m-%d %H:%M} UTC: frozen{until} ({why}). "
                "Run it again after that, or make a new plan."
            )

    def objections(self, nodes: Sequence[str], now: datetime) -> Objections:
        """Return which of these nodes must not be changed now because of a freeze or an exception."""
        planned = [self.rollout.nodes[node] for node in nodes]
        longest = max((int(node["expected_minutes"]) for node in planned), default=1)
        calendars = self._read_calendars(now, now + timedelta(minutes=max(1, longest)))
        found: Objections = {}
        for node in planned:
            freeze = freeze_during(calendars, now, _end(now, node)) if calendars else None
            if freeze and freeze.frozen:
                found[node["node_id"]] = ("freeze", f"frozen: {'; '.join(freeze.reasons)}")
        return {**self._exceptions([node for node in planned if node["node_id"] not in found], now), **found}

    def without_quorum(self, nodes: Sequence[str]) -> Objections:
        """Return which of these nodes are members of a cluster that lacks its quorum."""
        rules = self.policy.budgets.quorum
        clusters = sorted({cluster for node in nodes if (cluster := self._cluster(node))})
        if not rules or not clusters:
            return {}
        lacking = ask_quorum(rules, clusters, clock=self.rollout.clock, options=self.options, say=self.say)
        return {node: ("missed_quorum", why) for node in nodes if (why := lacking.get(self._cluster(node)))}

    def _cluster(self, node: str) -> str:
        return str(self.rollout.nodes[node].get("cluster") or "")

    def _exceptions(self, planned: Sequence[Mapping[str, Any]], now: datetime) -> Objections:
        guard = self._read_ledger(now)
        if not planned or not (guard.records or guard.tag):
            return {}
        found: Objections = {}
        for node, candidate in zip(planned, self._candidates(planned, guard, now), strict=True):
            if why := guard.during(now, _end(now, node))(candidate):
                found[node["node_id"]] = ("exception", why)
        return found

    def _candidates(
        self, planned: Sequence[Mapping[str, Any]], guard: ExceptionGuard, now: datetime
    ) -> list[Candidate]:
        """Return the nodes with their current tags; tags that AWS does not return come from the inventory."""
        live = self._live = self._live or LiveTags(guard.tag, self.options)
        by_name = all(record.select.by_name for record in guard.records)
        key = self.policy.tags.application
        unsure = [node for node in planned if not (by_name and planned_candidate(node, key).in_aws)]
        found, failed = live.on(self._known(planned, unsure), now)
        for place, why in sorted(failed.items()):
            self.say(f"the exception tags of {place} are those of the inventory: {plain(why)}")
        unread = [node for node in planned if place_label(node["account"], node["region"]) in failed]
        known = {item.node_id: item for item in (*found, *(self._known(unread, unread) if unread else ()))}
        return [known[node["node_id"]] for node in planned]

    def _known(self, planned: Sequence[Mapping[str, Any]], unsure: Sequence[Mapping[str, Any]]) -> list[Candidate]:
        """Return nodes as the plan has them; those in ``unsure`` as the inventory has them now, if still there."""
        found = dict(zip((node["node_id"] for node in unsure), self.now_known(unsure) if unsure else (), strict=True))
        key = self.policy.tags.application
        return [found.get(node["node_id"]) or planned_candidate(node, key) for node in planned]

    def _read_ledger(self, now: datetime) -> ExceptionGuard:
        ledger = self._ledger
        if not is_fresh(ledger, now):
            ledger = self._ledger = (now, read_guard(self.policy.exceptions, self.options))
        return ledger[1]

    def _read_calendars(self, start: datetime, end: datetime) -> list[Calendar]:
        """Read the calendars for a day ahead, so that they need not be read for every node."""
        freeze = self.policy.freeze
        if not freeze.ics and not freeze.change_calendars:
            return []
        calendars = self._calendars
        if not is_fresh(calendars, start):
            regions = sorted({node["region"] for node in self.rollout.nodes.values() if node["region"]})
            span = (start, max(end, start + timedelta(days=1)))
            calendars = self._calendars = (start, read_calendars(freeze, [span], self.options, regions))
        return calendars[1]


def _end(now: datetime, node: Mapping[str, Any]) -> datetime:
    return now + timedelta(minutes=max(1, int(node["expected_minutes"])))
