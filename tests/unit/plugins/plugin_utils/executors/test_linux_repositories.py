# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pre-check gives a host the snapshot of its wave if the policy allows it, and says so; else it holds the host."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.precheck import PrecheckRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.expected import (
    ExpectedRepository,
    RepositoryRules,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import Work
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.linux import LinuxExecutor
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.rules import WaveRules

from tests.fakes.package_answers import document
from tests.fakes.stub_host import PROBE

NOW = datetime(2026, 12, 1, tzinfo=timezone.utc)
FILE = "/etc/yum.repos.d/redhat.repo"
RHSM = "/etc/rhsm/rhsm.conf"
ITEM = ExpectedRepository(name="base", manager="dnf", urls=("http://m/{snapshot}/os",), snapshot="20260601")


@dataclass
class Host:
    """Answers the probe, and has the repository at a date; ``locked``: nothing can be written."""

    date: str = "20260701"
    locked: bool = False
    internet: str = "no"
    written: list[str] = field(default_factory=list)

    def run(self, _host: str, script: str, *, timeout: float) -> Any:
        if "patchtide-part-" in script:
            return SimpleNamespace(rc=0, stdout="", stderr="")  # each script is run by itself then
        if "repository_files" not in script:
            reached = {"url": "http://m/os", "ok": self.date == "20260601", "text": "404 Not Found"}
            return SimpleNamespace(rc=0, stdout=json.dumps({**PROBE, "manager": "dnf", "repos": [reached]}), stderr="")
        more: dict[str, tuple[int, list[str]]] = {}
        if "write_all()" in script:
            self.written.append(script)
            if self.locked:
                more = {"lock": (0, ["dnf (4711)"])}
            else:
                self.date, more = "20260601", {"refresh": (0, [])}
        text = f"[base]\nname=b\nbaseurl=http://m/{self.date}/os\ngpgcheck=1\n"
        if "closed 'http://deb.example/'" in script:
            more["closed"] = (0, [f"{self.internet} http://deb.example/"])
        files = {FILE: text, RHSM: "[rhsm]\nmanage_repos = 1\n"}
        lines = [
            line for path, data in files.items() for line in (f"F {path}", base64.b64encode(data.encode()).decode())
        ]
        shown = (0, lines)
        return SimpleNamespace(rc=0, stdout=document("dnf", {"files": shown, "keys": (0, [])}, **more), stderr="")


def executor(host: Host, rule: str) -> LinuxExecutor:
    repositories = RepositoryRules(repair=rule, closed=("http://deb.example/",))
    rules = WaveRules(thresholds=PrecheckRules.from_dict({"disk": {"/": 1}}), repositories=repositories)
    rollout: Any = SimpleNamespace(plan={"rollout": "r"})
    clock: Any = SimpleNamespace(now=lambda: NOW)
    return LinuxExecutor(rollout, "prod", rules, clock, host, expected=lambda _node: (ITEM,))


def precheck(host: Host, rule: str) -> tuple[str, dict[str, bool]]:
    """Return the outcome, and the findings about repositories with whether they are good."""
    work = Work(stage="precheck", attempt=1, token="t", place="h", nodes=("h",), at=NOW, deadline=NOW)
    (found,) = executor(host, rule).poll(work)
    return found["outcome"], {row["text"]: row["ok"] for row in found["findings"] if row["check"] == "repositories"}


WRONG = "repository base: it is at snapshot 20260701, 20260601 expected (/etc/yum.repos.d/redhat.repo)"


def test_a_host_at_a_later_date_is_held_and_nothing_is_written() -> None:
    host = Host()
    outcome, found = precheck(host, "none")
    assert (outcome, found[WRONG], host.written, host.date) == ("skip", False, [], "20260701")


def test_a_host_gets_the_date_of_its_wave_and_the_record_says_so() -> None:
    host = Host()
    outcome, found = precheck(host, "once")
    assert (outcome, host.date, len(host.written)) == ("pass", "20260601", 1)
    good = {f"corrected: {WRONG}", "the repositories are as expected", "1 of 1 repositories reached"}
    assert found == dict.fromkeys(good, True)


@pytest.mark.parametrize("rule", ["once", "permanent"])
def test_other_tools_are_kept_from_the_files_only_if_the_policy_says_so(rule: str) -> None:
    host = Host()
    assert precheck(host, rule)[0] == "pass"
    assert (f"put '{RHSM}'" in host.written[0]) == (rule == "permanent")


def test_a_host_that_is_right_is_not_written_to() -> None:
    host = Host(date="20260601")
    assert precheck(host, "once")[1] == {"the repositories are as expected": True}
    assert host.written == []


def test_a_host_that_can_not_be_corrected_is_held_with_both_reasons() -> None:
    outcome, found = precheck(Host(locked=True), "once")
    assert outcome == "skip" and found[WRONG] is False
    assert found["its package lists: the package manager is locked by dnf (4711)"] is False
    assert not [text for text in found if text.startswith("corrected")]


@pytest.mark.parametrize(("rule", "minutes"), [("none", 6), ("once", 26), ("permanent", 26)])
def test_a_correction_gets_the_time_that_it_takes(rule: str, minutes: int) -> None:
    assert executor(Host(), rule).deadline("precheck", NOW) == NOW + timedelta(minutes=minutes)


@pytest.mark.parametrize("date", ["20260601", "20260701"])
@pytest.mark.parametrize(
    ("internet", "words"),
    [("yes", "http://deb.example/ answers from this host"), ("unknown", "whether http://deb.example/ answers")],
)
def test_a_host_with_another_way_to_patches_is_held(date: str, internet: str, words: str) -> None:
    host = Host(date=date, internet=internet)
    outcome, found = precheck(host, "once")
    assert outcome == "skip" and [ok for text, ok in found.items() if text.startswith(words)] == [False]
    assert host.date == "20260601"
