"""The examples that run run_due every 5 minutes: each is what its scheduler reads, and runs the playbook as it is."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.playbook_variables import PLAYBOOKS, PREFIX
from botocore.validate import ParamValidator

from tests.checks.source import ROOT

FOLDER = ROOT / "examples" / "schedule"
FIVE_MINUTES = 300


def assert_runs_run_due(words: list[str]) -> None:
    """Assert that a command line runs run_due with variables that it takes."""
    assert_runs(words, "run_due", "plans")


def assert_runs(words: list[str], wanted: str, *needed: str) -> None:
    """Assert that a command line runs a playbook with variables that it takes, among them what is needed."""
    name, playbook, *options = words
    assert Path(name).name == "ansible-playbook" and playbook == f"patchtide.hybrid.{wanted}"
    assert set(options[::2]) == {"-e"}
    given = {option.partition("=")[0].removeprefix(PREFIX) for option in options[1::2]}
    assert set(needed) <= given <= set(PLAYBOOKS[wanted].names)


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """``systemd-analyze verify`` reads units as the service manager does; it wants the command to exist."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze on this machine")
    for path in FOLDER.glob("patchtide-run-due@.*"):
        text = (
            path.read_text("utf-8")
            .replace("/usr/bin/ansible-playbook", sys.executable)
            .replace("=patchtide\n", "=root\n")
        )
        (tmp_path / path.name.replace("@", "@1")).write_text(text, "utf-8")
    units = sorted(str(path) for path in tmp_path.iterdir())
    done = subprocess.run([analyze, "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "patchtide" in line]
    assert len(units) == 2 and not ours, ours
    broken = tmp_path / "broken.timer"
    broken.write_text("[Timer]\nOnCalendar=every now and then\n", "utf-8")
    done = subprocess.run([analyze, "verify", "--man=no", str(broken)], capture_output=True, text=True, check=False)
    assert "broken.timer" in done.stderr, "what is wrong is found"


def test_the_timer_runs_every_five_minutes() -> None:
    (spec,) = re.findall(r"^OnCalendar=(.*)$", (FOLDER / "patchtide-run-due@.timer").read_text(), re.MULTILINE)
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze on this machine")
    command = [analyze, "calendar", "--iterations=4", spec]
    told = subprocess.run(command, env={**os.environ, "TZ": "UTC"}, capture_output=True, text=True, check=True).stdout
    times = [
        datetime.fromisoformat(found)
        for found in re.findall(r"\w{3} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC$", told, re.M)
    ]
    times = sorted(set(times))
    assert len(times) == 4 and {(b - a).seconds for a, b in itertools.pairwise(times)} == {FIVE_MINUTES}


def test_the_service_runs_run_due() -> None:
    (command,) = re.findall(r"^ExecStart=(.*)$", (FOLDER / "patchtide-run-due@.service").read_text(), re.MULTILINE)
    assert_runs_run_due(command.split())


def test_cron_runs_run_due_and_send_notices_every_five_minutes() -> None:
    """A line of /etc/cron.d has five fields, the user and the command; ranges can have a step (crontab(5), Debian)."""
    lines = [line for line in (FOLDER / "cron").read_text("utf-8").splitlines() if line and not line.startswith("#")]
    settings, (job, notices) = (
        [x for x in lines if re.match(r"[A-Z_]+=", x)],
        [x for x in lines if not re.match(r"[A-Z_]+=", x)],
    )
    *fields, user, command = job.split(maxsplit=6)
    assert fields == ["*/5", *["*"] * 4] and user == "patchtide" and "%" not in command
    assert_runs_run_due(command.removesuffix(" >/dev/null").split())
    assert any(line.startswith("PATH=") for line in settings)
    *fields, user, command = notices.split(maxsplit=6)
    assert fields == ["2-59/5", *["*"] * 4] and user == "patchtide" and "%" not in command
    assert_runs(command.removesuffix(" >/dev/null").split(), "send_notices", "policy_file", "plans")


@pytest.mark.parametrize("file", ["eventbridge", "publish_report", "export_patch_report"])
def test_eventbridge_accepts_the_schedules(file: str) -> None:
    """Checked against the model of the service's API that botocore ships (EventBridge Scheduler, CreateSchedule)."""
    given = json.loads((FOLDER / f"{file}.json").read_text("utf-8"))
    shape = botocore.session.get_session().get_service_model("scheduler").operation_model("CreateSchedule").input_shape
    assert not ParamValidator().validate(given, shape).has_errors()
    assert ParamValidator().validate({**given, "Target": {"Arn": "x"}}, shape).has_errors()
    assert given["ScheduleExpression"] == "rate(5 minutes)" or re.fullmatch(
        r"cron\(\d+ \d+ 1 \* \? \*\)", given["ScheduleExpression"]
    )


def command_of(file: str) -> list[str]:
    """Return what a schedule runs in its container."""
    given = json.loads((FOLDER / f"{file}.json").read_text("utf-8"))
    ecs = botocore.session.get_session().get_service_model("ecs")
    overrides: Any = json.loads(given["Target"]["Input"])
    task = ecs.operation_model("RunTask").input_shape
    report = ParamValidator().validate({"taskDefinition": "t", "overrides": overrides}, task)
    assert not report.has_errors(), report.generate_report()
    (container,) = overrides["containerOverrides"]
    return list(container["command"])


def test_eventbridge_runs_playbooks_as_they_are() -> None:
    assert_runs_run_due(command_of("eventbridge"))
    assert_runs(command_of("publish_report"), "publish_report", "history", "reports", "policy_file")


def test_eventbridge_starts_aws_s_own_report() -> None:
    """Parameters: Automation runbook reference, AWS-ExportPatchReportToS3."""
    given = json.loads((FOLDER / "export_patch_report.json").read_text("utf-8"))
    assert given["Target"]["Arn"].endswith(":aws-sdk:ssm:startAutomationExecution")
    request = json.loads(given["Target"]["Input"])
    model = botocore.session.get_session().get_service_model("ssm").operation_model("StartAutomationExecution")
    assert not ParamValidator().validate(request, model.input_shape).has_errors()
    assert set(request["Parameters"]) == {"assumeRole", "s3BucketName", "targets"}
