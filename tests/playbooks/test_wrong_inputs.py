# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What newcomers get wrong: whole runs of playbooks give one clear message with the way out, and change nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.aws.launch import Lab
from tests.playbooks.playing import Played, play
from tests.playbooks.test_rollout import WRITES, policy, small
from tests.unit.plugins.module_utils._core.plan.test_plan import node, plan_of

__all__ = ["small"]
#: By name: what is replaced in the policy file, by what, and what the message says.
POLICIES = {
    "typing error": (
        "  window: rehearsal-night",
        "  windw: rehearsal-night",
        "has an unknown key, expected 'window'",
    ),
    "tab": ("- name: canary", "-\tname: canary", r"line \d+: .*expected valid YAML"),
    "unclosed quote": ("name: rehearsal\n", 'name: "rehearsal\n', r"line \d+: .*expected valid YAML"),
    "wrong zone": ("timezone: UTC", "timezone: Europe/Berln", "expected an IANA time zone"),
    "unknown baseline": ("  - rehearsal-rhel-9\n", "  - rehersal-rhel-9\n", "did you mean 'rehearsal-rhel-9'"),
    "unknown window": ("window: rehearsal-night", "window: rehersal-night", "did you mean 'rehearsal-night'"),
    "duplicate wave": ("- name: production", "- name: canary", "is already used by waves.0., expected a unique name"),
    "duplicate key": ("version: 1\n", "version: 1\nversion: 1\n", "duplicate of line .*expected each key once"),
    "wrong share": ("max_failure_rate: 20%", "max_failure_rate: 200%", "max_failure_rate: .*is not valid, expected"),
    "empty selection": (
        "  select:\n    tags:\n      Environment: dev\n",
        "  select:\n    patch_groups: []\n",
        r"select.patch_groups: .* expected at least one entry",
    ),
    "no number": ("duration_hours: 10", "duration_hours: ten", "duration_hours: 'ten' is not valid, expected a whole"),
    "hour 25": ("cron(0 20", "cron(0 25", "hours: '25' is not valid, expected 0-23"),
    "wrong Region": ("us-east-1", "us-eest-1", r"did you mean us-east-1 or us-west-1\?"),
}
#: By name: playbook, variables and further options, and what the message says. FOLDER is the test's directory.
RUNS = {
    "no policy": (
        "apply_policy",
        {"policy_file": "FOLDER/polici.yml"},
        "readable policy file .No such file",
    ),
    "policy is a directory": ("apply_policy", {"policy_file": "FOLDER"}, "expected a readable policy file .Is a direc"),
    "no directory given": ("plan_rollout", {}, "plan_rollout needs patchtide_dir"),
    "no policy given": (
        "plan_rollout",
        {"policy_file": "", "dir": "FOLDER"},
        "plan_rollout needs patchtide_policy_file",
    ),
    "misspelt variable": ("plan_rollout", {"dirr": "FOLDER"}, r"patchtide_dirr .did you mean patchtide_dir\?"),
    "directory is a file": ("plan_rollout", {"dir": "FOLDER/policy.yml"}, "dir: .*Not a directory"),
    "scan is missing": ("plan_rollout", {"dir": "FOLDER/new"}, "an existing file; run scan_compliance first"),
    "plan is missing": ("rollout_patches", {"dir": "FOLDER/new"}, "an existing file; run plan_rollout first"),
    "edited plan": (
        "rollout_patches",
        {"dir": "FOLDER/edited"},
        "edited/plan.json: .* is not valid, expected the digest of its content; .*run plan_rollout again",
    ),
    "nothing to report": (
        "report_compliance",
        {"dir": "FOLDER/new"},
        "a directory with plan.json, journal.jsonl or",
    ),
    "no later plan": ("diff_plans", {"before": "FOLDER"}, "diff_plans needs patchtide_after .*or patchtide_dir"),
    "unknown decision": (
        "steer_rollout",
        {"dir": "FOLDER", "decision": "promot", "reason": "x"},
        "patchtide_decision: 'promot' is not valid, expected one of promote",
    ),
    "no reason": ("steer_rollout", {"dir": "FOLDER", "decision": "promote"}, "steer_rollout needs patchtide_reason"),
    "no inventory": ("scan_compliance", {"dir": "FOLDER/new"}, "No inventory host says how it is patched"),
    "limit": ("plan_rollout --limit localhost", {"dir": "FOLDER"}, "--limit localhost would run a part .*without it"),
    "tags": ("plan_rollout --tags plan", {"dir": "FOLDER"}, "--tags plan would run a part .*without it"),
    "skipped tags": ("plan_rollout --skip-tags x", {"dir": "FOLDER"}, "--skip-tags x would run a part .*without it"),
    "refused variable": (
        "run_due",
        {"plans": "FOLDER", "dir": "FOLDER"},
        "run_due takes no patchtide_dir",
    ),
}


@pytest.fixture(scope="module")
def estate(small: Lab) -> Iterator[Lab]:
    small.reset()
    yield small
    assert not [row["operation"] for row in small.get("ledger")["calls"] if row["operation"].startswith(WRITES)]


def run(aws: Lab, folder: Path, call: str, variables: dict[str, Any]) -> Played:
    playbook, *options = call.split()
    given = {"policy_file": "FOLDER/policy.yml", **variables}
    if playbook in ("diff_plans", "steer_rollout", "run_due"):
        del given["policy_file"]
    named = {f"patchtide_{name}": value.replace("FOLDER", str(folder)) for name, value in given.items()}
    return play(aws, playbook, "-i", "localhost,", "-e", json.dumps(named), *options)


def check(done: Played, message: str) -> None:
    """The run failed at once with one error, without a traceback, and says what would be right."""
    text = " ".join(done.output.split())
    assert done.status != 0 and "Traceback" not in done.output + done.errors
    assert len(re.findall(r"^\[ERROR\]", done.output + done.errors, re.MULTILINE)) == 1, done.output
    assert re.search(message, " ".join(f"{text} {done.errors}".split())), done.output + done.errors


@pytest.mark.parametrize("name", POLICIES)
def test_a_mistake_in_the_policy_is_named_with_its_line(estate: Lab, tmp_path: Path, name: str) -> None:
    before, after, message = POLICIES[name]
    text = yaml.safe_dump(policy(), sort_keys=False)
    text = text.replace("  duration_hours: 10\n", "  duration_hours: 10\n  timezone: UTC\n", 1)
    assert before in text, f"{before!r} is not in the policy:\n{text}"
    (tmp_path / "policy.yml").write_text(text.replace(before, after, 1), "utf-8")
    check(run(estate, tmp_path, "apply_policy --check", {}), message)


@pytest.mark.parametrize("name", RUNS)
def test_a_wrong_call_is_refused_with_the_way_out(estate: Lab, tmp_path: Path, name: str) -> None:
    call, variables, message = RUNS[name]
    (tmp_path / "policy.yml").write_text(yaml.safe_dump(policy(), sort_keys=False), "utf-8")
    (tmp_path / "edited").mkdir()
    edited = {**plan_of([node(1)]), "created_at": "2026-06-02T12:00:00Z"}
    (tmp_path / "edited" / "plan.json").write_text(json.dumps(edited), "utf-8")
    check(run(estate, tmp_path, call, variables), message)
