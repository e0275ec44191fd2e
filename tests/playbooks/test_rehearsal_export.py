# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rehearsal_export on the lab: reads only, predicts, changes nothing the second time, and pseudonyms hide names."""

from __future__ import annotations

from pathlib import Path

import yaml

from lab.aws.launch import Lab
from tests.playbooks.playing import Played
from tests.playbooks.test_rollout import WRITES, Cycle, cycle, small

__all__ = ["cycle", "small"]


def export(cycle: Cycle, path: Path, *options: str) -> Played:
    return cycle.play("rehearsal_export", "-e", f"patchtide_estate_file={path}", *options)


def wrote(aws: Lab) -> set[str]:
    return {row["operation"] for row in aws.get("ledger")["calls"] if row["operation"].startswith(WRITES)}


def test_export_predicts_writes_and_repeats(cycle: Cycle) -> None:
    path = cycle.folder / "estate.yml"
    checked = export(cycle, path, "--check")
    assert checked.status == 0 and not path.exists(), checked.output + checked.errors

    done = export(cycle, path)
    assert done.status == 0 and done.changed == 1, done.output + done.errors
    assert not wrote(cycle.aws) and path.stat().st_mode & 0o777 == 0o600
    groups = yaml.safe_load(path.read_text("utf-8"))["groups"]
    assert len(groups) == 10 and "web-dev-01" in {group["tags"].get("Name") for group in groups}

    again = export(cycle, path)
    assert (again.status, again.changed) == (0, 0), again.output


def test_pseudonyms_leave_no_name_and_no_id(cycle: Cycle) -> None:
    path = cycle.folder / "estate.yml"
    done = export(cycle, path, "-e", "patchtide_pseudonyms=true")
    assert done.status == 0, done.output + done.errors
    text = path.read_text("utf-8")
    rows = cycle.aws.get("nodes")["nodes"]
    assert len(yaml.safe_load(text)["groups"]) == 10
    assert not [row["name"] for row in rows if row["name"] in text or row["node_id"] in text]


def test_a_directory_that_is_a_file_is_named(cycle: Cycle) -> None:
    (cycle.folder / "file").write_text("x")
    done = export(cycle, cycle.folder / "file" / "estate.yml")
    assert done.status != 0 and "estate.yml" in done.error()
    assert "Traceback" not in done.output
