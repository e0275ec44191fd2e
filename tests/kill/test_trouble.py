# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller or a place is in trouble in the middle of a rollout: it pauses or stops, and the next run goes on.

No trouble of theirs is final, and none makes a second Install or one outside of the window, by the lab's ledger.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import Decision
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.catch_up import is_missed
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir

from tests.fakes.fleet_port import FakeClock
from tests.kill.conftest import Night
from tests.kill.controller import Death, controller
from tests.kill.test_stores import table

SHORT = os.environ.get("PATCHTIDE_KILL") == "short"
#: Records at which the trouble begins.
PARTS = ("intent precheck", "intent patch", "sent patch", "outcome patch", "intent reboot", "intent scan")


def strike(night: Night, *rules: dict[str, Any]) -> None:
    night.aws.post("faults", {"rules": list(rules)})


def calm(night: Night) -> None:
    night.aws.post("faults", {"reset": True})
    night.aws.post("clock", {"skew": 0})


def decide(night: Night) -> None:
    """Do what a person does with a paused wave once the trouble is over: retry what was missed, else promote."""
    state, clock = night.state(), FakeClock()
    clock.moment = from_time(night.aws.get("clock")["now"])
    for wave in state.waves.values():
        if wave.status == "paused":
            ended = {node: dict(state.nodes[node].final or {}) for node in wave.nodes}
            missed = tuple(node for node, final in ended.items() if is_missed(final))
            action, nodes = ("retry", missed) if missed else ("promote", ())
            decision = Decision(by="dana", action=action, wave=wave.name, nodes=nodes, reason="it is over")
            RolloutDir(night.folder, clock).record(decision)


def finish(night: Night, runs: int = 6) -> None:
    """Run it again, as a person does, until it is done."""
    for _run in range(runs):
        if night.state().finished:
            return
        assert night.state().status in ("running", "paused"), "trouble of the controller or a place is never final"
        decide(night)
        controller(night.folder, night.environment)
    assert night.state().finished


def after(night: Night, part: str, trouble: Callable[[], object]) -> None:
    """Begin a rollout, and let the trouble begin when it has written such a record; run it once more in trouble."""
    assert controller(night.folder, night.environment, Death(1, "after", part)) < 0
    trouble()
    controller(night.folder, night.environment)


KINDS = {
    "expired": [{"kind": "expired"}],
    "lost place": [{"kind": "deny", "account": "222222222222", "region": "eu-central-1"}],
    "dead Region": [{"kind": "error", "region": "eu-central-1", "service": "ssm"}],
}
CASES = [(kind, part) for kind in KINDS for part in PARTS]


@pytest.mark.parametrize(("kind", "part"), [("expired", "sent patch")] if SHORT else CASES)
def test_credentials_or_a_place_are_lost_and_come_back(night: Night, kind: str, part: str) -> None:
    after(night, part, lambda: strike(night, *KINDS[kind]))
    calm(night)
    finish(night)
    assert night.findings() == []


@pytest.mark.parametrize("hours", [2] if SHORT else [-100, -2, 2, 40, 100])
@pytest.mark.parametrize("part", ["sent patch"] if SHORT else PARTS)
def test_a_clock_that_is_stepped_and_put_right(night: Night, part: str, hours: int) -> None:
    skew = timedelta(hours=hours).total_seconds()
    after(night, part, lambda: night.aws.post("clock", {"skew": skew}))
    installs = len(night.aws.get("ledger")["install_runs"])
    assert not night.state().finished and installs <= 2, "by a wrong clock no other wave begins"
    calm(night)
    finish(night)
    night.check()


@pytest.mark.parametrize("kind", ["deny"] if SHORT else ["deny", "throttle"])
@pytest.mark.parametrize("store", ["dynamodb"] if SHORT else ["file", "dynamodb"])
def test_lost_answers_and_refused_look_ups(night: Night, store: str, kind: str) -> None:
    """The answers of the journal's own table are lost as well; the controller dies in between."""
    stores = {}
    if store == "dynamodb":
        stores = {
            "journal": table(night.aws, "journal", rollout="S", seq="N"),
            "claims": table(night.aws, "claims", node_id="S"),
        }
        strike(night, *({"kind": "lose_response", "operation": "PutItem", "nth": nth} for nth in (3, 17, 40)))
    lost = {"kind": "lose_response", "name": "lost", "operation": "SendCommand", "body": '"Install"', "times": 1}
    blind = {"kind": kind, "operation": ["ListCommands", "ListCommandInvocations"], "after": "lost", "times": 8}
    strike(night, lost, {**blind, **({"tps": 0} if kind == "throttle" else {})})
    assert controller(night.folder, night.environment, Death(2, "after", "intent patch"), **stores) < 0
    assert controller(night.folder, night.environment, **stores) == 0
    night.check()
