# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tenants_overview: the page and its files say the same, are written once, and the example is separate."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action import tenants_overview as action

from tests.checks.source import ROOT
from tests.fakes.fleet_port import FakeClock

EXAMPLE = ROOT / "examples" / "tenants"


@pytest.fixture(autouse=True)
def untrusting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(action, "find_clock", FakeClock)
    monkeypatch.setattr(action, "find_trust", lambda now: None)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")


def run(folder: Path, check: bool = False, **options: Any) -> dict[str, Any]:
    task = Mock(args={"dir": str(folder), **options}, check_mode=check, diff=False, async_val=0, environment=[])
    result: dict[str, Any] = action.ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars={})
    return result


@pytest.fixture
def tenants(tmp_path: Path) -> Path:
    """The example, with a history on this disk: nothing here reaches a bucket or a table."""
    for name in ("contoso", "fabrikam"):
        (tmp_path / name).mkdir()
        text = (EXAMPLE / name / "policy.yml").read_text("utf-8")
        text = text.replace("dynamodb:patch-exceptions-fabrikam", f"{tmp_path}/fabrikam/exceptions.json")
        (tmp_path / name / "policy.yml").write_text(text, "utf-8")
    text = (EXAMPLE / "patchtide_tenants.yml").read_text("utf-8")
    (tmp_path / "patchtide_tenants.yml").write_text(
        text.replace("s3://patch-history/contoso", f"{tmp_path}/history"), "utf-8"
    )
    return tmp_path


def test_the_example_is_separate_and_says_what_it_shares(tenants: Path) -> None:
    assert run(tenants)["problems"] == []
    text = (tenants / "patchtide_tenants.yml").read_text("utf-8")
    (tenants / "patchtide_tenants.yml").write_text(text.partition("shared:")[0], "utf-8")
    (problem,) = run(tenants)["problems"]
    assert problem.startswith("contoso and fabrikam both have receiver operations@provider.example (")


def test_page_json_and_csv_are_written_once_and_say_the_same(tenants: Path, tmp_path: Path) -> None:
    dest = tmp_path / "out"
    assert run(tenants, check=True, dest=str(dest))["changed"] and not dest.exists()
    found = run(tenants, dest=str(dest))
    assert found["changed"] and not run(tenants, dest=str(dest))["changed"]
    assert not run(tenants, check=True, dest=str(dest))["changed"]
    data = json.loads((dest / "tenants.json").read_text("utf-8"))
    assert data == {name: found[name] for name in data} and data["totals"]["tenants"] == 2
    with (dest / "tenants.csv").open(encoding="utf-8") as file:
        assert [row["tenant"] for row in csv.DictReader(file)] == [row["name"] for row in data["tenants"]]
    assert "Contoso GmbH" in (dest / "index.html").read_text("utf-8")


def test_without_the_file_of_the_provider_there_are_no_tenants(tmp_path: Path) -> None:
    found = run(tmp_path)
    assert found["failed"] and found["msg"].endswith("expected a directory with patchtide_tenants.yml")
