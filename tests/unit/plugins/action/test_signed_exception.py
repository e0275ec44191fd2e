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
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.scan import SCHEMA
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.scan_file import write_scan

from tests.fakes.fleet_port import FakeClock
from tests.fakes.trusted import Trusted

ANA, DANA, EVE = "ana@example.com", "dana@example.com", "eve@example.com"


class Desk:
    """A ledger, a bundle that asks for signatures of approvals, and everybody's keys."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.trusted = folder, Trusted(folder)
        self.pin()
        monkeypatch.setenv("PATCHTIDE_TRUST", str(folder / "trust.yml"))
        monkeypatch.setattr(patch_exception, "find_clock", lambda: FakeClock(from_time("2026-12-01T22:00:00Z")))

    def pin(self, **changes: Any) -> None:
        bundle = self.trusted.bundle(**changes)
        bundle["requirements"]["exceptions"] = {
            "approve": {"roles": ["change_manager"]},
            "max_days": {"critical": 3, "any": 30},
        }
        self.trusted.pin(bundle)

    def scan(self, *severities: str) -> str:
        """Write a scan in which the node lacks a patch of each severity."""
        missing = [{"id": f"p{number}", "severity": name} for number, name in enumerate(severities)]
        record = {"node_id": "i-1", "host": "web-1", "status": "succeeded", "missing": missing}
        scan = {"schema": SCHEMA, "at": "2026-12-01T20:00:00Z", "nodes": {"i-1": record}, "failed_places": []}
        path = self.folder / "scan.json"
        write_scan(path, scan)
        return str(path)

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


def test_the_patches_own_severity_limits_the_days(desk: Desk) -> None:
    longer = {"exception_id": "E2", "to": "2026-12-10"}
    assert "at most 3 days by the trust bundle, because the severity" in desk.run(**longer)["msg"]
    assert "at most 3 days" in desk.run(**longer, scan_file=desk.scan("Low", "Critical"))["msg"]
    low = desk.scan("Low")
    assert "at most 30 days" in desk.run(**{**longer, "to": "2027-01-10"}, scan_file=low)["msg"]
    assert desk.run(**longer, scan_file=low)["changed"]


def test_what_was_signed_names_the_severities(desk: Desk) -> None:
    """A patch that turns out to be critical after the signature needs another one."""
    approval = {"state": "approved", "decided_by": ANA}
    desk.sign(desk.run(**approval, scan_file=desk.scan("Low")), ANA)
    assert "has to sign it" in desk.run(**approval, scan_file=desk.scan("Critical"))["msg"]
    assert desk.run(**approval, scan_file=desk.scan("Low"))["changed"]


def test_a_requester_whom_nobody_knows_may_be_the_approver(desk: Desk) -> None:
    assert desk.run(exception_id="E3", requested_by="somebody")["changed"]
    asked = {"exception_id": "E3", "requested_by": "somebody", "state": "approved", "decided_by": ANA}
    assert "nobody knows who requested the exception: 'somebody'" in desk.run(**asked)["msg"]


def test_the_requester_s_login_is_the_requester(desk: Desk) -> None:
    assert desk.run(exception_id="E6", requested_by="ana")["changed"]
    refused = desk.run(exception_id="E6", requested_by="ana", state="approved", decided_by=ANA)
    assert "ana@example.com requested the exception" in refused["msg"]


def test_an_operator_is_called_what_the_bundle_calls_them(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    target = "ansible_collections.patchtide.hybrid.plugins.plugin_utils.operator._login"
    monkeypatch.setattr(target, lambda: "ana")
    assert desk.run(exception_id="E4", requested_by=None)["patch_exception"]["requested_by"] == ANA
    refused = desk.run(exception_id="E4", requested_by=None, state="approved", decided_by=ANA)
    assert "a person other than the requester" in refused["msg"]


@pytest.mark.parametrize(
    ("login", "options", "told"),
    [
        ("eve", {"exception_id": "E5"}, "eve@example.com has none of the roles that may request an exception"),
        ("dana", {"exception_id": "E5", "requested_by": EVE}, "eve@example.com has none of the roles"),
        ("eve", {"state": "rejected", "decided_by": ANA}, "eve@example.com has none of the roles that may approve"),
        ("ana", {"state": "revoked", "decided_by": EVE}, "eve@example.com has none of the roles that may approve"),
    ],
)
def test_who_is_not_responsible(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, login: str, options: dict[str, str], told: str
) -> None:
    monkeypatch.setattr("ansible_collections.patchtide.hybrid.plugins.plugin_utils.operator._login", lambda: login)
    desk.pin(
        responsibilities=[
            {"activity": "request_exception", "responsible": ["operator"]},
            {"activity": "approve_exception", "accountable": ["change_manager"]},
        ]
    )
    assert told in desk.run(**options)["msg"]


def test_steps_without_a_demand_need_no_signature(desk: Desk) -> None:
    assert desk.run(state="rejected", decided_by=ANA)["changed"] and desk.status() == "rejected"
