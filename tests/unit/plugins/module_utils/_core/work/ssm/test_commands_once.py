# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command is sent once, although the service's lists lag behind and answers are lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.commands import (
    Ambiguous,
    Chunk,
    find_command,
    send,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.ports import CommandRequest

from tests.fakes.fleet_port import START, FakeClock, FakeFleet

REQUEST = CommandRequest(document="AWS-RunPatchBaseline", parameters={}, node_ids=("i-1",), comment="patchtide x")


def chunk() -> Chunk:
    late = START + timedelta(hours=2)
    return Chunk(token="x", place="111111111111/eu-central-1", request=REQUEST, intended_at=START, deadline=late)


@pytest.mark.parametrize("lag", [0, 1.5, 6, 16])
def test_resumed_at_once_it_finds_what_the_lists_show_only_later(lag: float) -> None:
    fleet = FakeFleet(FakeClock(), visible_after=lag)
    sent = fleet.send(REQUEST)  # by a controller that died before it could write that down
    assert send(chunk(), fleet, look_first=True, clock=fleet.clock) == sent
    assert len(fleet.commands) == 1


def test_after_an_abort_it_is_looked_for_as_patiently() -> None:
    fleet = FakeFleet(FakeClock(), visible_after=6)
    sent = fleet.send(REQUEST)
    assert find_command(chunk(), fleet, fleet.clock) == sent
    assert find_command(chunk(), FakeFleet(FakeClock()), FakeClock()) is None


def test_found_after_the_last_try_is_found() -> None:
    fleet = FakeFleet(FakeClock(), lost=1)
    assert send(chunk(), fleet, look_first=False, clock=fleet.clock, tries=1) == "command-1"


def test_a_lost_answer_that_can_not_be_looked_for_is_no_refusal() -> None:
    fleet = FakeFleet(FakeClock(), lost=1)

    def down(*_arguments: object) -> None:
        raise ServiceError("list commands", "AccessDeniedException", "not now")

    fleet.find = down  # type: ignore[assignment]  # it only raises
    with pytest.raises(Ambiguous, match="can't be looked for"):
        send(chunk(), fleet, look_first=False, clock=fleet.clock)
    assert fleet.calls["send"] == 1
