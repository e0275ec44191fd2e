# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans as users make them, on the lab: once, again, in check mode, with turns, and compared with each other
and with the world.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.plugin_utils.policy.file import load_policy

from tests.playbooks.playing import Played, task
from tests.playbooks.test_rollout import Cycle, cycle, small

__all__ = ["cycle", "small"]


def good(done: Played) -> Played:
    assert done.status == 0, done.output + done.errors
    return done


def compare(cycle: Cycle, *more: str) -> Played:
    """Compare the plan that was kept with the one in the directory."""
    before = {"patchtide_before": str(cycle.folder / "before.json")}
    return good(cycle.play("diff_plans", "-e", json.dumps(before), *more))


def turns(plan: dict[str, Any]) -> dict[str, Counter[int]]:
    return {wave["name"]: Counter(node["turn"] for node in wave["nodes"]) for wave in plan["waves"]}


def test_planned_once_and_compared_with_a_plan_of_another_policy(cycle: Cycle) -> None:
    good(cycle.play("scan_compliance"))
    run = cycle.folder / "run"
    assert good(cycle.play("plan_rollout", "--check")).changed == 1 and not (run / "plan.json").exists()
    assert good(cycle.play("plan_rollout")).changed == 1
    written = {path.name: path.read_bytes() for path in run.iterdir()}
    assert {"plan.json", "plan.html"} <= set(written)
    assert good(cycle.play("plan_rollout")).changed == 0
    assert {path.name: path.read_bytes() for path in run.iterdir()} == written
    assert turns(cycle.file("plan.json")) == {"canary": {1: 3}, "production": {1: 7}}

    (cycle.folder / "before.json").write_bytes(written["plan.json"])
    assert "Both plans have the same effect." in compare(cycle).output
    cycle.policy["budgets"] = {"wave": 2}
    cycle.policy["waves"][1]["order"] = [{"patch_groups": ["DB"]}]
    cycle.policy["exclude"] = [{"select": {"patch_groups": ["WIN"]}, "reason": "patched by their vendor"}]
    nowhere = {"name": "nowhere", "select": {"tags": {"Environment": "labb"}}, "window": "rehearsal-night"}
    cycle.policy["waves"].insert(0, nowhere)
    shown = " ".join(good(cycle.play("plan_rollout")).output.split())
    assert "WARNING: Wave nowhere has no nodes, so its gate will pause: its select matches no node" in shown
    plan = cycle.file("plan.json")
    assert turns(plan) == {"nowhere": {}, "canary": {1: 2, 2: 1}, "production": {1: 2, 2: 2, 3: 1}}
    assert {node["patch_group"] for node in plan["waves"][2]["nodes"] if node["turn"] == 1} == {"DB"}
    for more in ((), ("--check",)):
        shown = compare(cycle, *more)
        assert shown.changed == 0 and "Nodes removed: 2" in shown.output and "Nodes moved: 4" in shown.output
        assert "patched by their vendor" in shown.output and "rules.budgets.wave" in shown.output


def test_a_file_that_is_no_plan_is_one_clear_mistake(cycle: Cycle) -> None:
    (cycle.folder / "before.json").write_text("{}")
    variables = json.dumps({"patchtide_before": str(cycle.folder / "before.json")})
    done = cycle.play("diff_plans", "-e", variables)
    assert done.status != 0 and "before" in done.error() and "a plan of the schema" in done.error()


def drift(cycle: Cycle) -> Played:
    """Compare the plan with the estate as it is now."""
    options = cycle.options()
    policy = load_policy(cycle.folder / "policy.yml")
    arguments = {"dir": str(cycle.folder / "run"), "policy": policy.to_dict(), "policy_digest": policy.digest}
    return task(cycle.aws, "rollout_drift", arguments, *options)


def test_a_plan_is_refused_when_its_nodes_or_its_policy_are_not_what_they_were(cycle: Cycle) -> None:
    cycle.prepare()
    fits = drift(cycle)
    assert fits.status == 0 and '"checked": true' in fits.output and '"nodes": []' in fits.output, fits.output
    for name in ("web-dev-01", "web-prod-01"):
        cycle.aws.post("faults", {"node": name, "offline": True})
        cycle.aws.post("clock", {"advance": 1800})  # Systems Manager notices after some missed pings
        done = drift(cycle)
        told = "1 of 10 planned nodes differ" if name == "web-dev-01" else "2 of 10 planned nodes differ"
        assert told in done.output and (done.status == 0) is (name == "web-dev-01"), done.output
    assert "web-prod-01: the agent is not online" in done.output and "Create a new plan" in done.output

    cycle.policy["drift"] = {"nodes": None}
    assert "allow_changed_policy" in drift(cycle).output
    good(cycle.play("plan_rollout"))
    assert good(drift(cycle)).changed == 0
