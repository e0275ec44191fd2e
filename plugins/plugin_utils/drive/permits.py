# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes may be changed now, checked right before an install or a reboot. The others get an outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ...module_utils._core.errors import PatchtideError, TakenOver
from ...module_utils._core.model import Status
from ...module_utils._core.plan.capacity import REBOOT_MINUTES
from ...module_utils._core.rollout.budgets_left import over_budget
from ...module_utils._core.rollout.catch_up import final_without_look
from ...module_utils._core.rollout.first_alone import first_alone
from ...module_utils._core.rollout.reboot_rule import reboot_is_due
from ...module_utils._core.rollout.shared import Answer
from ...module_utils._core.stamp import to_time
from ...module_utils._core.text import counted, plain
from ...module_utils._core.work.final_record import error as reason
from ..executors.base import Result
from ..rollout.claims import held_elsewhere
from ..rollout.folder import RETRY_SECONDS, RolloutDir
from ..rollout.sharing import Sharing
from .notes import Notes
from .pins import Pins
from .tempo import Tempo
from .watch import Objections, Watch

#: Number of times to ask the guards before nodes are left for another night.
TRIES = 3
#: Renew claims older than this, and read those of others. A run renews its claims once when it begins, since the run
#: that took them may have been days ago.
RENEWED = timedelta(hours=1)


@dataclass(slots=True)
class Permits:
    """Asks the guards, the budgets and the clock.

    :param check_clock: raises an error if the controller's clock is wrong.
    :param promised: nodes with permission whose install is not announced yet: the budgets count them as down.
    :param sharing: for a child plan, what it shares with the others. :param waiting: nodes that wait for room in the
        budgets of all child plans.
    """

    rollout: RolloutDir
    wave: str
    watch: Watch
    pins: Pins
    tempo: Tempo
    notes: Notes
    check_clock: Callable[[], None] = lambda: None
    promised: set[str] = field(default_factory=set)
    sharing: Sharing | None = None
    waiting: set[str] = field(default_factory=set)
    _one_by_one: asyncio.Lock = field(default_factory=asyncio.Lock)
    _renewed: datetime | None = None
    _elsewhere: Mapping[str, str] = field(default_factory=dict)

    async def allowed(self, stage: str, nodes: Sequence[str]) -> list[str]:
        """Return the nodes on which the install or the reboot may begin now; the others get their outcome.

        :raises ListTrouble: the list of some nodes differs from the plan, so nothing may be sent to them.
        :raises ClockSkew: the controller's clock is wrong.
        """
        await self.tempo.call("clock", self.check_clock)
        objections = await self._asked(stage, nodes)
        cleared = [node for node in nodes if node not in objections]
        if stage == "patch":
            self.promised.update(cleared)
        await self.refuse(stage, objections)
        if stage == "patch" and cleared and self.sharing:
            cleared = await self._within_shared_budgets(self.sharing, cleared)
        if stage == "patch" and cleared:
            await self.tempo.call("lists", lambda: self.pins.check(cleared))
        return cleared

    async def _within_shared_budgets(self, sharing: Sharing, nodes: Sequence[str]) -> list[str]:
        """Return the nodes for which the budgets of all child plans have room; the others wait or are refused.

        What is used is stated as a whole, so one request is made after the other. After an abort of another child plan
        nothing is granted, and ``beat`` ends this one.
        """
        async with self._one_by_one:
            ask = sharing.request(nodes, self.promised.difference(nodes))
            try:
                answer = await self.tempo.call("guards", lambda: sharing.reserve(ask))
            except TakenOver:
                raise
            except PatchtideError as error:
                answer = Answer(waiting=dict.fromkeys(nodes, plain(f"the shared budgets can't be read: {error}")))
            self.promised.difference_update({*answer.waiting, *answer.refused})
        if answer.waiting:
            self.waiting.update(answer.waiting)
            why = next(iter(answer.waiting.values()))
            self.notes.say(f"{self.wave} patch: {counted(len(answer.waiting))} wait for others; {why}")
        await self.refuse("patch", {node: ("missed_budget", why) for node, why in answer.refused.items()})
        return answer.granted

    async def beat(self) -> None:
        """Renew the claim on the child plan, state the budgets that it uses, and learn of an abort.

        An error is no reason to stop: if the claim expires, another controller may take the child over, and then this
        one ends.

        :raises TakenOver: another controller has.
        """
        sharing = self.sharing
        if sharing is None:
            return
        async with self._one_by_one:
            ask = sharing.request((), self.promised)
            try:
                await self.tempo.call("guards", lambda: sharing.reserve(ask))
            except TakenOver:
                raise
            except PatchtideError as error:
                self.notes.say(plain(f"the state of the split plan can't be written: {error}"))
                return
        sharing.adopt_abort()

    def take_waiting(self) -> list[str]:
        """Return the nodes that wait for room in shared budgets, once."""
        found = sorted(self.waiting)
        self.waiting.clear()
        return found

    async def _asked(self, stage: str, nodes: Sequence[str]) -> Objections:
        """Ask the guards, repeatedly while they can't be read. Other nodes continue meanwhile; nodes that can't be
        cleared wait for another night."""
        why = ""
        for number in range(TRIES):
            if number:
                self.notes.say(
                    f"{self.wave} {stage}: {why}; {len(nodes)} nodes wait, asked again in {RETRY_SECONDS} seconds"
                )
                await self.tempo.sleep(RETRY_SECONDS)
            try:
                return await self.objections(stage, nodes)
            except PatchtideError as error:
                why = plain(f"calendars, exceptions or quorum can't be read: {error}")
        return dict.fromkeys(nodes, ("guards_unread" if stage == "reboot" else "missed_guards_unread", why))

    async def objections(self, stage: str, nodes: Sequence[str]) -> Objections:
        """Return on which of these nodes the install or the reboot may not begin now, and why. Nothing is recorded."""
        found: Objections = {}
        if stage == "reboot":
            found = {node: ("", "") for node in nodes if not reboot_is_due(self.rollout.state, node)}
        if stage == "patch":
            refused = first_alone(self.rollout.state, self.wave).refused
            found = {node: ("missed_list", refused[node]) for node in nodes if node in refused}
        now = self.tempo.clock.now()
        if members := _others(nodes, found):
            found |= await self.tempo.call("guards", lambda: self._claimed(members))
        if asked := _others(nodes, found):
            found |= await self.tempo.call("guards", lambda: self.watch.objections(asked, now))
        if stage == "patch" and (left := _others(nodes, found)):
            found |= await self.tempo.call("guards", lambda: self.watch.without_quorum(left))
        found |= self._out_of_time(stage, _others(nodes, found))
        if stage == "patch":  # refused nodes take nothing from the budgets
            over = over_budget(self.rollout.state, self.wave, without=found, taken=self.promised.difference(nodes))
            found |= {node: ("missed_budget", why) for node, why in over.items() if node in nodes}
        return {node: why for node, why in found.items() if node in nodes}

    def blocking_objections(self, stage: str, nodes: Sequence[str]) -> Objections:
        """Like ``objections``, for a thread about to begin announced work, which budgets and quorum already count."""
        self.check_clock()
        found = {**self._claimed(nodes), **self.watch.objections(nodes, self.tempo.clock.now())}
        return {**found, **self._out_of_time(stage, _others(nodes, found))}

    def note_claims(self) -> None:
        """Note that the wave was just claimed, and that nodes held by others have their final records."""
        self._elsewhere, self._renewed = {}, self.tempo.clock.now()

    def _claimed(self, nodes: Sequence[str]) -> Objections:
        """Return the nodes that another rollout holds by now; renew our own claims when they are old."""
        now = self.tempo.clock.now()
        if self._renewed is None or not timedelta() <= now - self._renewed < RENEWED:
            self._elsewhere, self._renewed = held_elsewhere(self.rollout, self.wave), now
        return {node: ("claimed_elsewhere", why) for node in nodes if (why := self._elsewhere.get(node))}

    def _out_of_time(self, stage: str, nodes: Sequence[str]) -> Objections:
        found: Objections = {}
        for node in nodes:
            minutes = REBOOT_MINUTES if stage == "reboot" else float(self.rollout.nodes[node]["expected_minutes"])
            guard = self.rollout.may_start(node, minutes)
            if not guard.ok:
                found[node] = ("out_of_time" if stage == "reboot" else "missed_out_of_time", guard.text)
        return found

    async def to_look_at(self, nodes: Sequence[str]) -> list[str]:
        """Give nodes that were skipped or lost their final record; return those that must still be checked."""
        at, found = to_time(self.tempo.clock.now()), {}
        for node in nodes:
            record = final_without_look(self.rollout.nodes[node], self.rollout.state.nodes[node].results, at)
            if record is not None:
                found[node] = record.to_dict()
        await self.notes.outcome(self.wave, "verify", list(found.values()))
        return [node for node in nodes if node not in found]

    async def refuse(self, stage: str, objections: Objections) -> None:
        """Record why a stage does not begin; a node with an earlier attempt keeps its result and is not retried."""
        results: list[Result] = []
        for node, (code, text) in objections.items():
            tried = self.rollout.state.nodes[node].results.get(stage)
            if tried:
                results.append({**tried, "node_id": node, "no_retry": text})
            elif stage == "reboot":
                status = Status.REBOOT_PENDING if code else Status.NO_OP
                why = {"error": reason(code, text)} if code else {}
                results.append({"node_id": node, "status": status.value, "rebooted": False, **why})
            else:
                results.append({"node_id": node, "status": Status.SKIPPED.value, "error": reason(code, text)})
        await self.notes.outcome(self.wave, stage, results)


def _others(nodes: Sequence[str], found: Objections) -> list[str]:
    return [node for node in nodes if node not in found]
