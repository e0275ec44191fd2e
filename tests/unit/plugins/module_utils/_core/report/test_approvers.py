# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import Approved, RolloutStarted
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.approvers import approvers
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.story import Story

from tests.fakes.events import started
from tests.fakes.trusted import statement

ANA, CLEO = "ana@example.com", "cleo@example.com"


def story(approval: dict[str, Any] | None, *waves: tuple[str, str, tuple[dict[str, Any], ...]]) -> Story:
    found = Story()
    data = started("d1" * 32)
    found.started = RolloutStarted.from_data({**data.to_data(), "approval": approval})
    for wave, at, proofs in waves:
        found.approvals[wave] = (at, Approved(wave=wave, bundle_version=7, bundle_digest="b", proofs=proofs))
    return found


def proof(who: str, role: str) -> dict[str, Any]:
    text = statement(who, role).to_bytes().decode()
    return {"principal": who, "roles": [role], "source": "ssh", "statement": text, "signature": "s"}


TRUST = {
    "source": "trust",
    "digest": "d1" * 32,
    "counted": [{"principal": ANA, "roles": ["change_manager"], "source": "ssh", "reason": "CHG1"}],
}


def test_what_people_signed_with_its_waves() -> None:
    both = (proof(ANA, "change_manager"), proof(CLEO, "app_owner"))
    rows = approvers(story(TRUST, ("canary", "T1", both), ("broad", "T2", both[:1])))
    assert [(row["by"], row["roles"], row["at"], row["waves"]) for row in rows] == [
        (ANA, ["change_manager"], "T1", ["canary", "broad"]),
        (CLEO, ["app_owner"], "T1", ["canary"]),
    ]
    assert {row["reason"] for row in rows} == {"CHG0040007"} and {row["source"] for row in rows} == {"ssh"}


def test_before_the_first_wave_it_is_what_counted_at_the_start() -> None:
    (row,) = approvers(story(TRUST))
    assert (row["by"], row["at"], row["reason"]) == (ANA, "", "CHG1")


def test_a_typed_approval() -> None:
    typed = {"by": "dana", "at": "", "reason": "", "source": "approved_digest", "digest": "d1" * 32}
    assert approvers(story(typed)) == [{**typed, "roles": [], "waves": []}]


def test_nobody() -> None:
    assert approvers(story(None)) == [] == approvers(Story())


def test_what_awx_keeps_has_no_reason() -> None:
    kept = {"principal": ANA, "roles": ["change_manager"], "source": "awx", "statement": '{"id": 12}', "signature": ""}
    (row,) = approvers(story(TRUST, ("canary", "T1", (kept,))))
    assert (row["source"], row["reason"]) == ("awx", "")
