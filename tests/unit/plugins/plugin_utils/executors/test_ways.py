# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host probe on Windows hosts and machines of Azure: who answers, who does not and why, and what is left behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import ServiceError
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.ways import (
    AZURE_SECONDS,
    Printed,
    ask_azure,
    ask_windows,
)


@dataclass
class Clock:
    at: datetime = datetime(2026, 11, 28, tzinfo=timezone.utc)

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Port:
    """Run Command of a subscription. ``answers``: by machine, the instance views that it shows one after the other."""

    answers: dict[str, list[dict[str, Any] | None]]
    refused: tuple[str, ...] = ()
    began: dict[str, tuple[str, str]] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)

    def run_script(self, node_id: str, location: str, name: str, script: str, seconds: int) -> None:
        if node_id in self.refused:
            raise ServiceError("run a script", "OperationNotAllowed", "the VM is not running")
        self.began[node_id] = (location, script)

    def script(self, node_id: str, name: str) -> dict[str, Any] | None:
        rows = self.answers[node_id]
        return rows.pop(0) if len(rows) > 1 else rows[0]

    def forget_script(self, node_id: str, name: str) -> None:
        self.forgotten.append(node_id)


def test_machines_of_azure_run_the_script_of_their_platform_and_nothing_is_left_behind() -> None:
    ran = {"executionState": "Running"}
    port = Port(
        {
            "good": [ran, {"executionState": "Succeeded", "output": "{}"}],
            "bad": [{"executionState": "Failed", "error": "no shell"}],
            "quiet": [{"executionState": "Succeeded", "output": ""}],
            "slow": [ran],
            "gone": [None],
        },
        refused=("stopped",),
    )
    nodes = [
        {"node_id": name, "region": "westeurope", "platform": "windows" if name == "good" else "linux"}
        for name in (*port.answers, "stopped")
    ]
    clock = Clock()
    found = ask_azure(port, nodes, lambda platform: f"for {platform}", clock, 20)  # type: ignore[arg-type] # a part
    assert found["good"] == Printed(output="{}") and port.began["good"] == ("westeurope", "for windows")
    assert found["bad"].why == "its run command ended Failed: no shell" and found["quiet"].why == "it printed nothing"
    assert found["slow"].why == f"its run command did not end in {AZURE_SECONDS} seconds"
    assert "deleted by somebody" in found["gone"].why and "the VM is not running" in found["stopped"].why
    assert sorted(port.forgotten) == ["bad", "good", "quiet", "slow"]
    assert clock.now() - Clock().at < timedelta(seconds=AZURE_SECONDS + 120)


def test_windows_hosts_answer_or_say_why_not() -> None:
    class Hosts:
        def run(self, host: str, script: str, *, timeout: float) -> str:
            if host == "lost":
                raise ServiceError("connect", "timeout", "no route to host")
            return f"{host} ran {script}"

    found = ask_windows(Hosts(), ["dc-01", "lost"], "probe")
    assert found["dc-01"] == Printed(output="dc-01 ran probe") and "no route to host" in found["lost"].why
