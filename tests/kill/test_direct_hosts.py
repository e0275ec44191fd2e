# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller of a wave of service nodes and direct hosts is killed at every record: a host has one install as well.

The hosts are directories in which the production scripts run, detached, with stand-ins for apt and systemd.
"""

from __future__ import annotations

import os
import signal

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import final_results

from tests.fakes.stub_host import StubShell
from tests.kill.conftest import Night
from tests.kill.controller import MOMENTS, Death, controller

#: Records of an undisturbed rollout, and a few more.
RECORDS = 60
#: An install and a reboot have been announced to a host, and the controller dies.
CHOSEN = [(11, "after"), (18, "after")]
SHORT = os.environ.get("PATCHTIDE_KILL") == "short"
EVERY = [(number, MOMENTS[number % len(MOMENTS)]) for number in range(2, RECORDS + 1)]


def check(night: Night) -> None:
    """By what ran on the hosts and by the lab's ledger: one install each, and one reboot where the plan has one."""
    state = night.state()
    assert (state.status, state.finished, state.intents, state.prepared) == ("completed", True, {}, {})
    ran = {name: StubShell(night.folder / "hosts" / name, "apt").began() for name in night.hosts}
    assert all(began == ["install", "reboot"] for began in ran.values()), ran
    assert {item["status"] for item in final_results(state)} == {"succeeded"}
    assert night.findings() == []


@pytest.mark.parametrize(("number", "moment"), CHOSEN if SHORT else EVERY)
def test_killed_once_and_resumed(mixed: Night, number: int, moment: str) -> None:
    mixed.lose(1 + number % 3)
    died = controller(mixed.folder, mixed.environment, Death(number, moment))
    if died == 0:
        assert len(mixed.records()) < number, "it lived, so there was no such record"
    else:
        assert died == -signal.SIGKILL
        assert controller(mixed.folder, mixed.environment) == 0
    check(mixed)
