# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gates with health checks, and nodes whose services stay down, in rollouts on the lab."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.contract.test_alarms import put_alarm
from tests.playbooks.test_rollout import Cycle, cycle, small
from tests.playbooks.test_rollout_guards import finals

__all__ = ["cycle", "small"]

ALARM = {"name": "errors", "alarm": {"names": ["shop-5xx"], "region": "eu-central-1"}}


def command(code: str, **members: Any) -> dict[str, Any]:
    return {"name": "smoke", "command": {"argv": [sys.executable, "-c", code]}, **members}


def gates(cycle: Cycle) -> list[dict[str, Any]]:
    return [row["data"] for row in cycle.journal() if row["kind"] == "gate"]


@pytest.mark.slow
def test_a_probe_without_answer_pauses_and_a_wrong_one_aborts(cycle: Cycle) -> None:
    """The canaries are fine by their numbers; what is measured around them decides."""
    watch = cycle.aws.client("cloudwatch", "eu-central-1")
    asked = cycle.folder / "asked"
    canary = cycle.policy["waves"][0]
    canary["gate"]["health_checks"] = [ALARM, command(f"open({str(asked)!r}, 'a').write('x')")]
    cycle.policy["waves"][1]["soak_minutes"] = 0
    canary["soak_minutes"] = 30
    cycle.prepare()
    assert cycle.play("rollout_patches", "--check").status == 0 and not asked.exists()

    paused = cycle.play("rollout_patches")
    assert paused.status != 0 and "canary gate: PAUSE" in paused.output, paused.output + paused.errors
    assert "Health check errors is inconclusive: alarm not found: shop-5xx." in paused.output
    (gate,) = gates(cycle)
    assert [(row["name"], row["health"]) for row in gate["health_checks"]] == [
        ("errors", "inconclusive"),
        ("smoke", "ok"),
    ]
    assert gate["numbers"]["health_checks_inconclusive"] == 1 and gate["numbers"]["failed"] == 0
    installed = cycle.installs()
    soaked(cycle)

    put_alarm(watch, "shop-5xx", "ALARM", "5 of 5 datapoints")
    aborted = cycle.play("rollout_patches")
    assert "canary gate: ABORT" in aborted.output and "in ALARM: shop-5xx (5 of 5 datapoints)" in aborted.output
    assert [row["verdict"] for row in gates(cycle)] == ["pause", "abort"]
    assert cycle.installs() == installed and asked.read_text() == "xx"
    assert "in ALARM: shop-5xx" in (cycle.folder / "run" / "report" / "index.html").read_text("utf-8")


def soaked(cycle: Cycle) -> None:
    """The health checks were asked after the soak time."""
    from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time

    rows = cycle.journal()
    ended = max(from_time(row["at"]) for row in rows if row["kind"] == "outcome")
    judged = next(from_time(row["at"]) for row in rows if row["kind"] == "gate")
    assert (judged - ended).total_seconds() >= 30 * 60


@pytest.mark.slow
def test_a_probe_that_comes_right_in_time_lets_the_wave_go_and_a_service_that_stays_down_fails_its_node(
    cycle: Cycle,
) -> None:
    count = cycle.folder / "count"
    code = f"f = open({str(count)!r}, 'a+'); f.write('x'); f.seek(0); print('{{\"tries\": %d}}' % len(f.read()))"
    health_check = command(code, attempts=5, interval=60, condition="json.tries >= `3`")
    cycle.policy["gates"] = {"health_checks": [health_check], "max_failure_rate": "50%"}
    cycle.policy["waves"] = [{**cycle.policy["waves"][0], "reboot": "always"}]
    cycle.policy["waves"][0]["gate"] = {}
    cycle.prepare()
    first, *_others = [node["node_id"] for node in cycle.file("plan.json")["waves"][0]["nodes"]]
    cycle.aws.post("faults", {"node": first, "services_down": ["shop", "db"]})

    done = cycle.play("rollout_patches")
    assert done.status == 0, done.output + done.errors
    assert "canary gate: PROMOTE (2 good, 1 failed" in done.output and count.read_text() == "xxx"
    text = "services that ran before do not run: shop, db"
    (failed,) = [item for item in finals(cycle).values() if item["status"] == "failed"]
    assert (failed["node_id"], failed["error"]) == (first, {"code": "services_down", "text": text})
    assert text in done.output and text in (cycle.folder / "run" / "report" / "index.html").read_text("utf-8")
