# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges a wave; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock, is_rehearsal
from ..module_utils._ansible.spec import PLACES
from ..module_utils._core.events import GateJudged, WaveFinished
from ..module_utils._core.gate.decide import GateDecision, GateRules, Health, HealthCheck, Verdict, decide
from ..module_utils._core.gate.health_rules import clean
from ..module_utils._core.rollout.wave_report import Ended, ended
from ..module_utils._core.stamp import from_time
from ..module_utils._core.text import plain
from ..plugin_utils.aws_options import aws_spec
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.drive.forecast import gate_forecast
from ..plugin_utils.health.checks import run_health_checks
from ..plugin_utils.progress import LIFE_SECONDS
from ..plugin_utils.rollout.controller_lock import at_work
from ..plugin_utils.rollout.folder import RETRY_SECONDS, RolloutDir
from ..plugin_utils.rollout.sharing import NUMBER, Sharing, open_sharing

LISTED = 5


class ActionModule(ControllerAction):
    """Waits for the soak time, asks the health checks, decides once, and says why."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "wave": {"type": "str", "required": True},
        "partial": {"type": "bool", "default": False},
        "soak_wait_minutes": {"type": "int"},
        "window_wait_minutes": {"type": "int"},
        "accounts": PLACES["accounts"],
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        rollout, name = RolloutDir(options["dir"], find_clock()), options["wave"]
        wave = rollout.state_of_wave(name)
        if self.check_mode and rollout.state.status != "aborted" and wave.status not in ("promoted", "finished"):
            return self._forecast(rollout, name)
        with nullcontext() if self.check_mode else at_work(rollout):
            return self._evaluate(rollout, name, options)

    def _evaluate(self, rollout: RolloutDir, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        wave, sharing = rollout.state_of_wave(name), None if self.check_mode else open_sharing(rollout)
        if rollout.state.status == "aborted":
            aborted = GateJudged(wave=name, verdict=Verdict.ABORT.value, reasons=("The rollout was aborted.",))
            gate = replace(wave.gate or aborted, verdict=Verdict.ABORT.value)
        elif wave.status in ("running", "paused") and sharing:
            found = self._judge_all(rollout, sharing, name, options)
            if found is None:
                return {**_no_verdict(), "changed": rollout.events > 0}
            gate = found
        elif wave.status in ("running", "paused"):
            if not options["partial"] and self._too_early(rollout, name, wave.worked_at, options):
                return _no_verdict()
            gate = self._judge(rollout, name, options)
        elif wave.status == "promoted" or wave.status == "finished":
            gate = wave.gate or GateJudged(wave=name, verdict=Verdict.PROMOTE.value)
        else:
            gate = GateJudged(wave=name, verdict=Verdict.PROMOTE.value, reasons=(f"The wave is {wave.status}.",))
        if rollout.state.waves[name].status == "promoted" and not self.check_mode:
            if sharing:
                sharing.follow()
            rollout.record(WaveFinished(wave=name))
        self._show(gate)
        return {
            "changed": rollout.events > 0,
            "verdict": gate.verdict,
            "numbers": dict(gate.numbers),
            "reasons": list(gate.reasons),
            "health_checks": list(gate.health_checks),
            "next_waits": gate.verdict == Verdict.PROMOTE.value and self._next_waits(rollout, name, options),
        }

    def _next_waits(self, rollout: RolloutDir, name: str, options: Mapping[str, Any]) -> bool:
        """Return whether what follows begins in a night that opens later than this run may wait for."""
        patience, names = options["window_wait_minutes"], [wave["name"] for wave in rollout.plan["waves"]]
        follows = name if options["partial"] else next(iter(names[names.index(name) + 1 :]), None)
        night = rollout.next_night(follows) if follows else None
        if patience is None or night is None or night.is_over:
            return False
        waits = night.at_hand.start - rollout.clock.now() > timedelta(minutes=patience)
        if waits:
            self.say(f"{follows} waits for its window, {night.local}; a later run begins it")
        return waits

    def _forecast(self, rollout: RolloutDir, name: str) -> dict[str, Any]:
        """Say that nothing is judged: a verdict would be about work that was not done."""
        self.say(gate_forecast(rollout, name))
        return _no_verdict()

    def _too_early(self, rollout: RolloutDir, name: str, worked_at: str, options: Mapping[str, Any]) -> bool:
        """Return whether the gate waits for the soak time, if that is longer than this run may wait."""
        soak, patience = rollout.wave(name)["soak_minutes"], options["soak_wait_minutes"]
        if patience is None or not soak or not worked_at:
            return False
        until = from_time(worked_at) + timedelta(minutes=soak)
        if until - rollout.clock.now() <= timedelta(minutes=patience):
            return False
        self.say(f"{name} soak: until {until:%Y-%m-%d %H:%M} UTC; a later run judges the wave")
        return True

    def _judge(self, rollout: RolloutDir, name: str, options: Mapping[str, Any]) -> GateJudged:
        """Decide and record it. After a part of the wave only what can't get better is a decision: the abort."""
        state = rollout.state
        if not options["partial"]:
            gate = self._decide(rollout, name, options, ended(state, name)).to_event(name)
            rollout.record(gate)
            return gate
        decision = decide(GateRules.from_dict(rollout.wave(name)["gate"]), ended(state, name, partial=True).tally)
        if decision.verdict is Verdict.ABORT:
            gate = decision.to_event(name)
            rollout.record(gate)
            return gate
        return replace(decision, verdict=Verdict.PROMOTE).to_event(name)

    def _judge_all(
        self, rollout: RolloutDir, sharing: Sharing, name: str, options: Mapping[str, Any]
    ) -> GateJudged | None:
        """Judge the wave of all child plans, once for all of them; ``None`` if that is not possible yet."""
        sharing.report(name)
        gate: GateJudged | None = None
        if sharing.seen.aborted:
            gate = _aborted(sharing, name)
        elif options["partial"]:
            rules, found = GateRules.from_dict(rollout.wave(name)["gate"]), sharing.together(name, partial=True)
            decision = decide(rules, found.tally)
            if decision.verdict is not Verdict.ABORT:
                return replace(decision, verdict=Verdict.PROMOTE).to_event(name)
            gate = sharing.decide(decision.to_event(name), sharing.number(name))
        else:
            gate = self._decided_by_all(rollout, sharing, name, options)
        if gate and NUMBER in gate.numbers:
            rollout.record(gate)
        elif gate:
            sharing.adopt_abort()
        return gate

    def _decided_by_all(
        self, rollout: RolloutDir, sharing: Sharing, name: str, options: Mapping[str, Any]
    ) -> GateJudged | None:
        """Wait for the reports of all child plans and decide, unless another controller has."""
        begun, patience = rollout.clock.now(), options["soak_wait_minutes"]
        while (gate := sharing.decision(name)) is None:
            if sharing.seen.aborted:
                return _aborted(sharing, name)
            missing, dead = sharing.lacking(name)
            if not missing:
                found = sharing.together(name)
                if self._too_early(rollout, name, found.worked_at, options):
                    return None
                after = sharing.number(name)
                decision = self._decide(rollout, name, options, found, sharing.claim)
                if (decided := sharing.decide(decision.to_event(name), after)) is not None:
                    return decided
                continue
            if dead:
                self.say(
                    f"{name} gate: no verdict. No controller runs {', '.join(dead)}, and what their nodes did is not "
                    "known. Run these child plans; then run this one again."
                )
                return None
            self.say(f"{name} gate: waits for {', '.join(missing)}")
            if patience is not None and rollout.clock.now() - begun >= timedelta(minutes=patience):
                return None
            rollout.clock.sleep(RETRY_SECONDS)
            sharing.claim()
        return gate

    def _decide(
        self,
        rollout: RolloutDir,
        name: str,
        options: Mapping[str, Any],
        found: Ended,
        beat: Callable[[], None] = lambda: None,
    ) -> GateDecision:
        """Decide, after the soak time.

        :param beat: called while the gate waits.
        """
        plan = rollout.wave(name)
        rules, known = GateRules.from_dict(plan["gate"]), _in_service(found)
        soak = from_time(found.worked_at) + timedelta(minutes=plan["soak_minutes"]) if found.worked_at else None

        def judge(health_checks: Sequence[HealthCheck] = ()) -> GateDecision:
            return decide(
                rules,
                found.tally,
                health_checks=(*known, *health_checks),
                emptied=str(plan.get("emptied") or ""),
                differences=found.differences,
                soak_until=soak,
                now=rollout.clock.now(),
            )

        decision = judge()
        while decision.verdict is Verdict.WAIT and decision.wait_until:
            self._wait(rollout, name, decision.wait_until)
            beat()
            decision = judge()
        if decision.verdict is Verdict.ABORT or not rules.health_checks:
            return decision
        health_checks = run_health_checks(
            rules.health_checks,
            clock=rollout.clock,
            options=options,
            say=lambda line: self.say(f"{name} {line}"),
        )
        return judge(health_checks)

    def _wait(self, rollout: RolloutDir, name: str, until: datetime) -> None:
        left = (until - rollout.clock.now()).total_seconds()
        self.say(f"{name} soak: {max(left, 0) / 60:.0f} minutes left, until {until:%H:%M} UTC")
        rollout.clock.sleep(max(1.0, left if is_rehearsal() else min(left, LIFE_SECONDS)))

    def _show(self, gate: GateJudged) -> None:
        numbers = gate.numbers
        counts = ", ".join(
            f"{numbers[key]} {key.replace('_', ' ')}"
            for key in ("good", "failed", "unknown", "reboot_pending", "skipped", "missing")
            if key in numbers and (numbers[key] or key not in ("unknown", "reboot_pending"))
        )
        self.say(f"{gate.wave} gate: {gate.verdict.upper()}" + (f" ({counts} of {numbers['total']})" if counts else ""))
        for reason in gate.reasons:
            self.say(f"  {plain(reason)}")


def _no_verdict() -> dict[str, Any]:
    nothing: dict[str, Any] = {"numbers": {}, "reasons": [], "health_checks": [], "next_waits": False}
    return {"changed": False, "verdict": Verdict.WAIT.value, **nothing}


def _aborted(sharing: Sharing, wave: str) -> GateJudged:
    """Return the verdict after another child plan was aborted."""
    return GateJudged(wave=wave, verdict=Verdict.ABORT.value, reasons=(sharing.seen.aborted,))


def _in_service(found: Ended) -> list[HealthCheck]:
    """Return nodes that were restored and did not come into service, as a health check that nobody has to ask."""
    if not found.problems:
        return []
    texts = [found.problems[node] for node in sorted(found.problems)]
    shown, more = texts[:LISTED], [f"and {len(texts) - LISTED} more"] if len(texts) > LISTED else []
    return [HealthCheck(name="back in service", health=Health.INCONCLUSIVE, text=clean("; ".join([*shown, *more])))]
