# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_evidence: one archive with the same bytes each time, which proves itself and tells every change."""

from __future__ import annotations

import json
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action.rollout_evidence import ActionModule
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.evidence import MANIFEST, collect
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.evidence_zip import read_zip, to_zip

from tests.report import samples

Files = dict[str, bytes]


def run(check: bool = False, **options: Any) -> dict[str, Any]:
    task = Mock(args={key: str(value) for key, value in options.items()}, diff=False, async_val=0, environment=[])
    task.check_mode = check
    result: dict[str, Any] = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars={})
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    samples.completed().write(tmp_path / "run")
    (tmp_path / "run" / "report").mkdir()
    (tmp_path / "run" / "report" / "index.html").write_text("<p>Fine</p>")
    (tmp_path / "policy.yml").write_text("version: 1\n")
    return tmp_path / "run"


def test_packed_once_with_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yml"
    assert run(check=True, dir=folder, policy=policy)["changed"] is True
    assert not list(folder.glob("*.zip"))
    first = run(dir=folder, policy=policy)
    assert first["changed"] is True and first["files"] == sorted(first["files"])
    assert {"commands.json", "journal.jsonl", "plan.json", "policy.yml", "report/index.html", "scan.json"} == set(
        first["files"]
    )
    assert run(dir=folder, policy=policy)["changed"] is False
    other = run(dir=folder, policy=policy, dest=tmp_path / "copy.zip")
    assert other["sha256"] == first["sha256"]
    assert Path(first["dest"]).name == f"evidence-{first['rollout']}.zip"


def test_verified_without_network_or_its_directory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = run(dir=folder)
    for path in ("plan.json", "journal.jsonl", "scan.json"):
        (folder / path).unlink()
    monkeypatch.setattr(socket, "socket", Mock(side_effect=AssertionError("no network")))
    found = run(state="verified", dest=packed["dest"], head=packed["head"])
    notes = ["began without a verified approval: wave canary, wave early, wave broad"]
    assert {**found, "changed": True} == {**packed, "verified": [], "notes": notes}
    assert "not with 0000" in run(state="verified", dest=packed["dest"], head="0000")["msg"]


def test_it_lists_the_commands_that_were_sent(folder: Path) -> None:
    run(dir=folder)
    (pack,) = folder.glob("*.zip")
    with zipfile.ZipFile(pack) as archive:
        commands = json.loads(archive.read("commands.json"))["commands"]
    sent = [json.loads(line) for line in (folder / "journal.jsonl").open() if '"kind":"sent"' in line]
    assert [row["command_id"] for row in commands] == [row["data"]["command_id"] for row in sent]
    assert commands and all(row["command_id"] and row["place"] for row in commands)


def drop(name: str) -> Callable[[Files], Files]:
    return lambda files: {key: data for key, data in files.items() if key != name}


def edit(name: str, old: bytes, new: bytes) -> Callable[[Files], Files]:
    return lambda files: {**files, name: files[name].replace(old, new, 1)}


def shortened(files: Files) -> Files:
    """A journal without its last record, with a manifest made anew: whole in itself."""
    lines = files["journal.jsonl"].splitlines(keepends=True)
    rest = {key: data for key, data in files.items() if key not in (MANIFEST, "commands.json")}
    return collect({**rest, "journal.jsonl": b"".join(lines[:-1])})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (drop("scan.json"), "scan.json is missing"),
        (lambda files: {**files, "more.txt": b""}, "more.txt is not in the manifest"),
        (edit("report/index.html", b"Fine", b"Good"), "report/index.html was changed"),
        (edit("journal.jsonl", b'"operator":"', b'"operator":"x'), "record 1 was changed"),
        (edit("plan.json", b'"canary"', b'"parrot"'), "the plan was changed"),
        (edit("commands.json", b'"command_id":"', b'"command_id":"x'), "commands.json was changed"),
        (edit(MANIFEST, b'"rehearsal":', b'"rehearsal2":'), "does not match the plan and the journal"),
        (drop(MANIFEST), "expected an archive with a manifest"),
        (shortened, "the journal ends with"),
    ],
    ids=["missing", "added", "report", "journal", "plan", "commands", "manifest", "no-manifest", "cut-off"],
)
def test_every_change_is_told(folder: Path, change: Callable[[Files], Files], told: str) -> None:
    packed = run(dir=folder)
    path = Path(packed["dest"])
    before = read_zip(path)
    after = change(before)
    assert after != before
    path.write_bytes(to_zip(after))
    failed = run(state="verified", dest=path, head=packed["head"])
    assert failed.get("failed") and told in failed["msg"]


def test_a_damaged_journal_is_not_packed(folder: Path) -> None:
    journal = folder / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"operator":"', '"operator":"x', 1))
    assert "record 1 was changed" in run(dir=folder)["msg"]
    assert not list(folder.glob("*.zip"))


def test_no_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("no")
    assert "expected a readable ZIP archive" in run(state="verified", dest=tmp_path / "x.zip")["msg"]
    assert "expected an existing pack" in run(state="verified", dest=tmp_path / "y.zip")["msg"]
