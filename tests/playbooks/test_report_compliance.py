# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook report_compliance on what runs left behind: check, run, again. It needs no AWS."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from lab.aws.launch import Lab
from tests.playbooks.playing import Played, play
from tests.report import samples


def report(aws: Lab, folder: Path, *options: str) -> Played:
    return play(aws, "report_compliance", "-e", json.dumps({"patchtide_dir": str(folder)}), *options)


@pytest.mark.parametrize("name", ["completed", "aborted", "hostile"])
def test_check_run_again(aws: Lab, tmp_path: Path, name: str) -> None:
    samples.RUNS[name]().write(tmp_path)
    assert report(aws, tmp_path, "--check", "--diff").changed == 1
    assert not (tmp_path / "report").exists()
    done = report(aws, tmp_path)
    assert (done.status, done.changed, done.warnings) == (0, 1, [])
    summary = json.loads((tmp_path / "report" / "summary.json").read_text("utf-8"))
    assert summary["conclusion"]["title"] in done.output and str(tmp_path / "report" / "index.html") in done.output
    assert (
        len(list(csv.reader((tmp_path / "report" / "nodes.csv").open(encoding="utf-8"))))
        == summary["totals"]["estate"] + 1
    )
    assert report(aws, tmp_path, "--check").changed == report(aws, tmp_path).changed == 0


def test_a_directory_without_a_run_is_named(aws: Lab, tmp_path: Path) -> None:
    done = report(aws, tmp_path / "none")
    assert done.status == 2 and "expected a directory with plan.json, journal.jsonl or scan.json" in done.error()
