# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A child plan's side of a split plan: its claim, the budgets that it uses, its reports, and the decisions on all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.events import Decision, GateJudged
from ...module_utils._core.rollout.agenda import Agenda, Need, agenda
from ...module_utils._core.rollout.budgets_left import usage
from ...module_utils._core.rollout.due import due_restores
from ...module_utils._core.rollout.shared import (
    ABORT,
    LEASE,
    PAUSE,
    PROMOTE,
    Answer,
    Judgement,
    Request,
    Shared,
    SharedStore,
    Writer,
    aborting,
    check_free,
    entered,
    judged,
    lacking,
    left,
    reported,
    reserved,
    update,
    without_controller,
)
from ...module_utils._core.rollout.state import DONE
from ...module_utils._core.rollout.wave_report import Ended, report_of, together
from ...module_utils._core.stamp import from_time
from .folder import RolloutDir

#: Member of a gate's numbers: which decision on the wave of all children it is.
NUMBER = "judgement"
#: How long a gate waits for a child that no controller runs: it may not have begun yet.
PATIENCE = timedelta(minutes=30)


class NotPromoted(PatchtideError):
    """The wave of another child plan is not done, or not promoted."""

    code = "NotPromoted"


class Sharing:
    """What one controller does with the shared value. ``seen``: the value as it was read or written last.

    Calls that write need the epoch of this controller (``RolloutDir.act_as``) and raise ``TakenOver`` if another one
    has taken the child over.
    """

    def __init__(self, rollout: RolloutDir, store: SharedStore) -> None:
        self._rollout = rollout
        self._store = store
        self._part = rollout.plan["part"]
        self.name = str(self._part["name"])
        self.seen = Shared()

    def read(self) -> Shared:
        """Read the value."""
        self.seen = self._store.read()[1]
        return self.seen

    def check_free(self, holder: str) -> None:
        """:raises ChildIsRun: another controller runs the child plan."""
        check_free(self.read(), self.name, holder, self._rollout.clock.now())

    def claim(self) -> None:
        """Take or renew the claim on the child plan, and state the budgets that it uses."""
        self.reserve(self.request(()))

    def leave(self) -> None:
        """Give the claim back at the end of a run. What the child uses and reported remains."""
        self.claim()
        self.seen = update(self._store, lambda shared: left(shared, self._me()))

    def request(self, nodes: Sequence[str], taken: Collection[str] = ()) -> Request:
        """Return what ``reserve`` needs, read from the rollout's state.

        :param nodes: what the child wants to take down. :param taken: nodes that have permission, and no intent yet.
        """
        wanted, used = usage(self._rollout.state, self._part["limits"], nodes, taken)
        return Request(wanted=wanted, used=used, limits=self._part["limits"])

    def reserve(self, ask: Request) -> Answer:
        """Ask for room in the budgets of all children. After an abort, nothing may begin. Blocks."""
        found = Answer()

        def change(shared: Shared, me: Writer) -> Shared:
            nonlocal found
            if why := shared.aborted:
                found = Answer(waiting=dict.fromkeys(ask.wanted, why))
                return shared
            after, found = reserved(shared, me, ask, self._rollout.clock.now())
            return after

        self._change(change)
        return found

    def report(self, wave: str) -> None:
        """Report how a wave of the child stands."""
        row = report_of(self._rollout.state, wave)
        ask = self.request(())
        now = self._rollout.clock.now()
        self._change(lambda shared, me: reported(reserved(shared, me, ask, now)[0], me, wave, row))

    def reopen(self, wave: str) -> None:
        """Report, before nodes of a wave are worked on again, that it is not complete. Needs no epoch.

        :raises NotPromoted: it can't be, because the wave of all children is promoted.
        """

        def change(shared: Shared) -> Shared:
            if shared.is_promoted(wave):
                raise NotPromoted(
                    f"Wave {wave} of all child plans is promoted, and the next one may have begun. Plan its remaining "
                    "nodes again: a wave that selects missed: true takes those of catch_up.json."
                )
            found = shared.parts.get(self.name)
            if found is None or wave not in found.waves:
                return shared
            me = Writer(self.name, found.token, found.holder)
            return reported(shared, me, wave, replace(found.waves[wave], complete=False))

        self.seen = update(self._store, change)

    def lacking(self, wave: str) -> tuple[list[str], list[str]]:
        """Return the children whose reports the gate of a wave lacks, and those of them that it does not wait for.

        A child that no controller runs is waited for half an hour after this child's own work.
        """
        shared, now = self.read(), self._rollout.clock.now()
        missing = lacking(shared, wave, self._part["nodes"])
        worked = self._rollout.state.waves[wave].worked_at
        patient = bool(worked) and now < from_time(worked) + PATIENCE
        return missing, [] if patient else without_controller(shared, missing, now)

    def together(self, wave: str, *, partial: bool = False) -> Ended:
        """Return how a wave of all children has ended, by the value as it was seen last."""
        return together(self.seen, self._rollout.state, wave, partial=partial)

    def decision(self, wave: str) -> GateJudged | None:
        """Return the decision on a wave of all children that this child has not recorded yet, if there is one.

        A pause that it has recorded is no decision any more: the run after it evaluates the wave again.
        """
        found = self.read().gates.get(wave)
        if found is None:
            return None
        own = self._rollout.state.waves[wave].gate
        if found.verdict == PAUSE and own is not None and own.numbers.get(NUMBER) == found.number:
            return None
        return _to_event(wave, found)

    def number(self, wave: str) -> int:
        """Return the number of decisions on a wave, as seen last."""
        return self.seen.gates[wave].number if wave in self.seen.gates else 0

    def decide(self, gate: GateJudged, after: int) -> GateJudged | None:
        """Record the decision on a wave of all children unless another controller was first; return what counts.

        ``None``: it would promote, and a child has taken its report back since, because nodes are worked on again.

        :param after: the number of decisions that were known when the evaluation began.
        """
        mine = Judgement(
            number=after + 1,
            verdict=gate.verdict,
            numbers=dict(gate.numbers),
            reasons=list(gate.reasons),
            health_checks=[dict(item) for item in gate.health_checks],
        )
        sizes = self._part["nodes"]

        def change(shared: Shared, _me: Writer) -> Shared:
            is_early = gate.verdict == PROMOTE and bool(lacking(shared, gate.wave, sizes))
            return shared if is_early else judged(shared, gate.wave, mine)

        self._change(change)
        return _to_event(gate.wave, self.seen.gates[gate.wave]) if self.number(gate.wave) > after else None

    def agenda(self, found: Agenda) -> Agenda:
        """Return what the child needs next in view of the others, from what it needs by itself."""
        state, shared = self._rollout.state, self.read()
        wave = next((item.name for item in state.waves.values() if item.status != "finished"), "")
        if not wave or shared.aborted or state.status not in ("running", "paused"):
            return found
        if found.need is Need.HELD and state.status == "paused" and self.decision(wave):
            text = f"the gate of wave {wave} of all child plans has decided"
            return replace(found, need=Need.DUE, text=text, at=self._rollout.clock.now())
        missing = lacking(shared, wave, self._part["nodes"])
        if not found.is_due or not missing or self.name in missing or self.decision(wave) or due_restores(state):
            return found
        if state.intents or any(state.nodes[node].stage != DONE for node in state.waves[wave].nodes):
            return found
        text = f"the gate of wave {wave} waits for the child plans {', '.join(missing)}"
        return Agenda(need=Need.WAITING, text=text, night=found.night)

    def check_start(self, wave: str) -> None:
        """:raises NotPromoted: an earlier wave of all children is not promoted, or one of them was aborted."""
        shared = self.read()
        if why := shared.aborted:
            raise NotPromoted(f"Wave {wave} does not begin: {why}.")
        names = list(self._rollout.state.waves)
        for earlier in names[: names.index(wave)]:
            if not shared.is_promoted(earlier):
                raise NotPromoted(f"Wave {wave} does not begin: wave {earlier} of all child plans is not promoted.")

    def check_promotable(self, wave: str) -> None:
        """:raises NotPromoted: another child lacks the outcome of a node, so nobody can promote the wave of all."""
        missing = [name for name in lacking(self.read(), wave, self._part["nodes"]) if name != self.name]
        if missing:
            raise NotPromoted(
                f"Wave {wave} can't be promoted: {', '.join(missing)} did not report the outcome of each node. Run "
                "these child plans again, or skip their nodes with steer_rollout."
            )

    def follow(self) -> None:
        """State what people decided on this child and the journal has: a promotion or an abort counts for all.

        Needs no epoch, and repeats safely: a controller may have died in between.
        """
        state = self._rollout.state

        def change(shared: Shared) -> Shared:
            for name, wave in state.waves.items():
                if wave.promoted_by and not shared.is_promoted(name):
                    number = shared.gates[name].number + 1 if name in shared.gates else 1
                    why = [f"{wave.promoted_by} promoted the wave on child plan {self.name}."]
                    found = Judgement(number=number, verdict=PROMOTE, by=wave.promoted_by, reasons=why)
                    shared = judged(shared, name, found)
            if state.status == "aborted" and not shared.aborted:
                shared = aborting(shared, self.name, "by decision, or by its own gate; its journal says why")
            return shared

        self.seen = update(self._store, change)

    def adopt_abort(self) -> bool:
        """Abort this child if another one was aborted; return whether it was."""
        why = self.seen.aborted
        if not why or self._rollout.state.status in ("aborted", "new") or self._rollout.state.finished:
            return False
        self._rollout.record(Decision(by="the split plan", action=ABORT, reason=why))
        return True

    def _me(self) -> Writer:
        return Writer(self.name, *self._rollout.writer)

    def _change(self, change: Callable[[Shared, Writer], Shared]) -> None:
        me, until = self._me(), self._rollout.clock.now() + LEASE
        self.seen = update(self._store, lambda shared: change(entered(shared, me, until), me))


def open_sharing(rollout: RolloutDir) -> Sharing | None:
    """Return what a child plan shares; ``None`` if the plan is no child plan.

    :raises BadInput: its claims are not in a DynamoDB table, which all controllers share.
    """
    if "part" not in rollout.plan:
        return None
    return Sharing(rollout, rollout.stores.open_shared(rollout.plan["part"]["rollout"]))


def agenda_of(rollout: RolloutDir, now: datetime, ahead: timedelta = timedelta()) -> Agenda:
    """Return what a rollout needs next, see ``agenda``; a child plan also waits for the others."""
    found = agenda(rollout.state, now, ahead)
    sharing = open_sharing(rollout) if rollout.state.status != "new" else None
    return sharing.agenda(found) if sharing else found


def _to_event(wave: str, found: Judgement) -> GateJudged:
    return GateJudged(
        wave=wave,
        verdict=found.verdict,
        numbers={**found.numbers, NUMBER: found.number},
        reasons=tuple(found.reasons),
        health_checks=tuple(found.health_checks),
    )
