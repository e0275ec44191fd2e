# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that answers nonsense, or at whose answer something breaks, harms itself only."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import PackageRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.expected import RepositoryRules
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import Work
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.linux import LinuxExecutor

from tests.fakes.package_answers import document

NOW = datetime(2026, 12, 1, tzinfo=timezone.utc)
RULES = SimpleNamespace(thresholds=None, packages=PackageRules(), repositories=RepositoryRules())


class Shell:
    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def run(self, _host: str, _script: str, *, timeout: float) -> Any:
        if isinstance(self._answer, Exception):
            raise self._answer
        return SimpleNamespace(rc=0, stdout=self._answer, stderr="")


def poll(stage: str, answer: Any) -> list[Any]:
    nodes = {"h": {"node_id": "h", "host": "h", "executor": "linux", "patches": [], "reboot_rule": "never"}}
    state = SimpleNamespace(nodes={"h": SimpleNamespace(results={})})
    promoted = SimpleNamespace(node=nodes.__getitem__)
    rollout: Any = SimpleNamespace(
        nodes=nodes, plan={"rollout": "r"}, state=state, promotion=lambda _wave: promoted, wave=lambda _name: {}
    )
    clock: Any = SimpleNamespace(now=lambda: NOW)
    rules: Any = RULES
    executor = LinuxExecutor(rollout, "canary", rules, clock, Shell(answer))
    work = Work(stage=stage, attempt=1, token="t", place="h", nodes=("h",), at=NOW, deadline=NOW + timedelta(hours=1))
    return executor.poll(work)


@pytest.mark.parametrize("trouble", [ValueError("?"), RecursionError(), UnicodeError("x"), MemoryError()])
@pytest.mark.parametrize("stage", ["patch", "reboot", "scan", "verify"])
def test_what_breaks_is_unknown_with_the_reason(stage: str, trouble: Exception) -> None:
    (found,) = poll(stage, trouble)
    assert (found["node_id"], found["status"], found["error"]["code"]) == ("h", "unknown", "unreadable")
    assert type(trouble).__name__ in found["error"]["text"]


def test_before_the_work_it_is_skipped() -> None:
    (found,) = poll("precheck", ValueError("?"))
    assert found["outcome"] == "skip" and "ValueError" in found["findings"][0]["text"]


@pytest.mark.parametrize("answer", ["", "nonsense\x9b", "{}", '{"packages":1}', document("apt", {})])
def test_a_list_that_makes_no_sense_is_a_failed_scan(answer: str) -> None:
    (found,) = poll("scan", answer)
    assert found["status"] == "failed" and found["error"]["text"].isprintable()


@pytest.mark.parametrize("state", ["state=" + "x" * 70, "state=fine", "", "\0" * 9, "rc=0"])
def test_an_unknown_state_is_asked_for_again(state: str) -> None:
    with pytest.raises(PatchtideError, match="did not say how the work goes"):
        poll("patch", state)
