# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What breaks while one piece of work is carried out is an outcome of its nodes; the wave goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import Unknown, Work
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.driver import Driver
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.notes import within_bounds

NOW = datetime(2026, 12, 1, tzinfo=timezone.utc)
WORK = Work(stage="patch", attempt=1, token="t", place="h", nodes=("h",), at=NOW, deadline=NOW)


class Tempo:
    clock = SimpleNamespace(now=lambda: NOW)

    async def on_host(self, call: Callable[[], Any]) -> Any:
        return call()


def driver() -> Driver:
    nodes = {"h": {"node_id": "h", "executor": "linux"}}
    nothing: Any = None
    tempo: Any = Tempo()
    rollout: Any = SimpleNamespace(nodes=nodes)
    rest = [nothing] * 3
    return Driver(rollout, "canary", {}, nothing, *rest[:2], tempo, *rest)


def port(trouble: Exception) -> Any:
    def broken(*_more: Any) -> Any:
        raise trouble

    return SimpleNamespace(row=SimpleNamespace(is_direct=True), begin=broken, give_up=broken, poll=broken)


def test_what_breaks_at_the_beginning_may_have_begun() -> None:
    broken = port(ValueError("?"))
    with pytest.raises(Unknown, match="ValueError"):
        asyncio.run(driver()._call(broken, WORK, lambda: broken.begin(WORK)))


@pytest.mark.parametrize("trouble", [KeyError("x"), PatchtideError("no answer")])
def test_work_that_can_t_even_be_given_up_is_unknown(trouble: Exception) -> None:
    (found,) = asyncio.run(driver()._given_up(port(trouble), WORK, None))
    assert (found["node_id"], found["status"], found["error"]["code"]) == ("h", "unknown", "unreadable")


def test_what_is_recorded_is_within_bounds() -> None:
    result = {"node_id": "h\u202e", "counts": {"a": 10**400, "b": float("nan")}, "text": "x" * 10**5}
    found = within_bounds(result)
    assert found["node_id"] == "h\u202e" and found["counts"] == {"a": None, "b": None} and len(found["text"]) == 2000
