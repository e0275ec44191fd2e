# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Approvals and decisions as people give them: approve_plan and steer_rollout, signed by the commands they print."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.aws.launch import Lab, lab
from tests.fakes.trusted import Trusted
from tests.playbooks.pinned_cycle import WEB, PinnedCycle
from tests.playbooks.playing import Played

ANA, BEN, CLEO, DANA = (f"{name}@example.com" for name in ("ana", "ben", "cleo", "dana"))
YEAR = {"valid_from": "2026-01-01T00:00:00Z", "valid_until": "2027-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def month() -> Iterator[Lab]:
    with lab(Path(__file__).parents[1] / "lab" / "month.yml") as running:
        yield running


class Board:
    """A cycle on a controller that trusts a bundle. Nobody knows who runs it, so each plan needs one more person."""

    def __init__(self, aws: Lab, folder: Path) -> None:
        self.cycle, self.trusted = PinnedCycle(aws, folder), Trusted(folder)
        data = self.trusted.bundle()
        data["environments"] = [{"name": "production", "accounts": [WEB]}]
        data["requirements"]["plans"] = data["requirements"]["plans"][:1]
        data["requirements"]["unknown_identity"] = "one_more"
        for person in data["people"]:
            for key in person["keys"]:
                key.update(YEAR)
        pins = self.trusted.pin(data)
        self.cycle.environment["PATCHTIDE_TRUST"] = str(pins)

    def approve(self, who: str, *more: str, **variables: str) -> Played:
        given = {"patchtide_principal": who, "patchtide_reason": "CHG0040007", **variables}
        return self.cycle.play("approve_plan", *more, **given)

    def sign(self, shown: Played, who: str) -> None:
        """Run the command that a playbook printed, with somebody's key."""
        command = re.search(r"ssh-keygen -Y sign -n \S+ -f \S+ [^\s\"]+", shown.output + shown.errors)
        assert command, shown.output
        text = command[0].replace("~/.ssh/id_ed25519", str(self.trusted.key(who)))
        subprocess.run(text, shell=True, check=True, capture_output=True, stdin=subprocess.DEVNULL)

    def files(self, name: str) -> list[str]:
        folder = self.cycle.run / name
        return sorted(path.suffix for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def board(month: Lab, tmp_path: Path) -> Board:
    return Board(month, tmp_path)


def test_a_plan_runs_once_its_board_has_signed_and_a_pause_goes_on_once_an_operator_has(board: Board) -> None:
    cycle = board.cycle
    cycle.policy["waves"][0]["gate"]["unplanned"] = "pause"
    cycle.prepare()
    refused = cycle.play("rollout_patches")
    assert refused.status != 0 and "is not approved" in refused.error() and not cycle.installs(), refused.output
    checked = board.approve(ANA, "--check", "--diff")
    assert checked.status == 0 and board.files("approvals") == [], checked.output + checked.errors
    for who, role in ((ANA, ""), (CLEO, ""), (BEN, "change_manager")):
        shown = board.approve(who, **({"patchtide_role": role} if role else {}))
        assert shown.status == 0 and shown.changed, shown.output + shown.errors
        board.sign(shown, who)
    again = board.approve(ANA)
    assert again.status == 0 and "ana@example.com has signed" in again.output, again.output
    settled = cycle.play("approve_plan")
    assert (settled.status, settled.changed) == (0, 0) and "missing for" not in settled.output, settled.output
    page = (cycle.run / "plan.html").read_text("utf-8")
    assert all(f"{who}</bdi> approved" in page for who in (ANA, BEN, CLEO))
    paused = cycle.play("rollout_patches")
    assert paused.status != 0 and "is paused" in paused.error(), paused.output + paused.errors
    assert len(cycle.journal("approved")) == 1
    report = (cycle.run / "report" / "index.html").read_text("utf-8")
    assert all(f"approved by <bdi>{who}</bdi>" in report for who in (ANA, BEN, CLEO))
    assert [item["verdict"] for item in cycle.journal("gate")] == ["pause"], paused.output
    steer(board)


def steer(board: Board) -> None:
    """The decision is written, signed by the operator, recorded once, and the rollout goes on."""
    cycle = board.cycle
    asked = {"patchtide_decision": "promote", "patchtide_wave": "canary", "patchtide_reason": "CHG0040007"}
    asked |= {"patchtide_principal": DANA}
    checked = cycle.play("steer_rollout", "--check", "--diff", **asked)
    assert checked.status != 0 and board.files("decisions") == [], checked.output + checked.errors
    unsigned = cycle.play("steer_rollout", **asked)
    assert unsigned.status != 0 and "has to sign the decision" in unsigned.error(), unsigned.output
    assert cycle.journal("decision") == []
    board.sign(unsigned, DANA)
    done = cycle.play("steer_rollout", "--diff", **asked)
    assert done.status == 0 and done.changed == 1, done.output + done.errors
    assert [item["by"] for item in cycle.journal("decision")] == [DANA]
    replayed = cycle.play("steer_rollout", **asked)
    assert f"promote has no effect: {DANA} has promoted it already" in replayed.error(), replayed.output
    assert len(cycle.journal("decision")) == 1 and replayed.changed == 0
    on = cycle.play("rollout_patches")
    assert on.status == 0 and len(cycle.journal("approved")) == 2, on.output + on.errors
    assert cycle.journal("rollout_finished"), on.output
