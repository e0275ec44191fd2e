# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that refuses its login has a result at once; one that gave no answer is asked again; nonsense is unknown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import Work
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.connection_errors import (
    AccessRefused,
    BadConnection,
    Unreachable,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.host_executor import HostExecutor

from tests.fakes.fleet_port import FakeClock

AT = datetime(2026, 6, 1, 20, 0, tzinfo=timezone.utc)


class OneHost(HostExecutor):
    """Answers with an error."""

    def __init__(self, why: Exception) -> None:
        self.clock, self.why = FakeClock(), why

    def _poll(self, work: Work, node: str) -> Sequence[dict[str, Any]]:
        raise self.why


def polled(why: Exception) -> dict[str, Any]:
    work = Work(
        stage="scan", attempt=1, token="t", place="h", nodes=("n",), at=AT, deadline=AT + timedelta(hours=1), handle="h"
    )
    (result,) = OneHost(why).poll(work)
    return dict(result)


@pytest.mark.parametrize("why", [AccessRefused("h", "denied"), BadConnection("h", "no such plugin")])
def test_what_no_later_look_can_change_ends_the_stage(why: Exception) -> None:
    found = polled(why)
    assert (found["node_id"], found["status"], found["error"]["text"]) == ("n", "unreachable", str(why))


def test_no_answer_is_asked_for_again() -> None:
    with pytest.raises(Unreachable):
        polled(Unreachable("h", "timed out"))


def test_nonsense_is_unknown() -> None:
    assert polled(KeyError("boot"))["status"] == "unknown"
