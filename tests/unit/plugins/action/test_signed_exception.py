# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""patch_exception where the trust bundle asks for signatures: nothing that the caller says loosens it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action import patch_exception
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time

from tests.fakes.fleet_port import FakeClock
from tests.fakes.trusted import Trusted

ANA, DANA, EVE = "ana@example.com", "dana@example.com", "eve@example.com"


class Desk:
    """A ledger, a bundle that asks for signatures of approvals, and everybody's keys."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.trusted = folder, Trusted(folder)
        bundle = self.trusted.bundle()
        bundle["requirements"]["exceptions"] = {
            "approve": {"roles": ["change_manager"]},
            "max_days": {"critical": 3, "any": 30},
        }
        self.trusted.pin(bundle)
        monkeypatch.setenv("PATCHTIDE_TRUST", str(folder / "trust.yml"))
        monkeypatch.setattr(patch_exception, "find_clock", lambda: FakeClock(from_time("2026-12-01T22:00:00Z")))

    def run(self, *, check: bool = False, **options: Any) -> dict[str, Any]:
        given = {
            "ledger": str(self.folder / "ledger.json"),
            "statements": str(self.folder / "exceptions"),
            "exception_id": "E1",
            "node": "web-1",
            "from": "2026-12-01",
            "to": "2026-12-03",
            "reason": "Audit",
            "requested_by": DANA,
            **options,
        }
        task = Mock(args=given, check_mode=check, diff=False, async_val=0, environment=[])
        action = patch_exception.ActionModule(task, Mock(), Mock(), Mock(), Mock(), None)
        result: dict[str, Any] = action.run(task_vars={})
        return result

    def sign(self, refused: dict[str, Any], who: str) -> None:
        command = re.search(r"(ssh-keygen .*), then run", refused["msg"])
        assert command, refused
        text = command[1].replace("~/.ssh/id_ed25519", str(self.trusted.key(who)))
        subprocess.run(text, shell=True, check=True, capture_output=True, stdin=subprocess.DEVNULL)

    def status(self) -> str:
        (row,) = json.loads((self.folder / "ledger.json").read_text())["exceptions"]
        return str(row["status"])


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(tmp_path, monkeypatch)
    assert desk.run()["changed"]
    return desk


def test_an_approval_is_recorded_once_it_is_signed(desk: Desk) -> None:
    refused = desk.run(state="approved", decided_by=ANA)
    assert refused["error"]["code"] == "NotProved" and desk.status() == "requested"
    desk.sign(refused, ANA)
    assert desk.run(check=True, state="approved", decided_by=ANA)["changed"]
    assert desk.run(state="approved", decided_by=ANA)["changed"] and desk.status() == "approved"
    assert not desk.run(state="approved", decided_by=ANA)["changed"]


def test_another_s_key_does_not_sign_it(desk: Desk) -> None:
    desk.sign(desk.run(state="approved", decided_by=ANA), EVE)
    assert "is not a key of ana@example.com" in desk.run(state="approved", decided_by=ANA)["msg"]
    assert desk.status() == "requested"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"decided_by": DANA}, "a person other than the requester"),
        ({"decided_by": "boss"}, "a person of the trust bundle"),
        ({"decided_by": EVE}, "there is none"),
        ({"decided_by": "an\u0430@example.com"}, "letters of one script"),
    ],
)
def test_who_may_not_approve(desk: Desk, options: dict[str, str], told: str) -> None:
    assert told in desk.run(state="approved", **options)["msg"] and desk.status() == "requested"


def test_a_changed_request_needs_another_signature(desk: Desk) -> None:
    desk.sign(desk.run(state="approved", decided_by=ANA), ANA)
    assert "has to sign it" in desk.run(state="approved", decided_by=ANA, node="web-2")["msg"]


def test_the_days_are_limited_by_severity(desk: Desk) -> None:
    longer = {"exception_id": "E2", "to": "2026-12-10"}
    assert "at most 3 days where patches of the severity critical" in desk.run(**longer)["msg"]
    assert desk.run(**longer, severity="low")["changed"]
    assert "at most 30 days" in desk.run(**{**longer, "to": "2027-01-10"}, severity="low")["msg"]


def test_steps_without_a_demand_need_no_signature(desk: Desk) -> None:
    assert desk.run(state="rejected", decided_by=ANA)["changed"] and desk.status() == "rejected"
