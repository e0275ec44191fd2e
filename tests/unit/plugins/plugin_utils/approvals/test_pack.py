# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An evidence pack proves who approved and decided, years later, and no byte of it can differ unnoticed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.action import rollout_decision, rollout_evidence
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.evidence_zip import read_zip, to_zip

from tests.fakes.trusted import Trusted
from tests.unit.plugins.action.test_trusted_rollout import ANA, CLEO, DANA, World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path, Trusted(tmp_path), monkeypatch)
    monkeypatch.setattr(rollout_evidence, "find_clock", lambda: world.clock)
    world.sign(ANA)
    world.sign(CLEO)
    world.open()
    wave = world.pause().plan["waves"][0]["name"]
    path = world.sign(DANA, act="decision", decision="promote", wave=wave)
    decided = {"decision": "promote", "wave": wave, "reason": "CHG0040007", "statement": str(path)}
    assert world.run(rollout_decision, dir=str(world.folder), **decided)["changed"]
    return world


def pack(world: World) -> Path:
    dest = world.folder.parent / "evidence.zip"
    packed = world.run(rollout_evidence, dir=str(world.folder), dest=str(dest))
    assert not packed.get("failed"), packed
    return dest


def verified(world: World, dest: Path) -> dict[str, Any]:
    return world.run(rollout_evidence, state="verified", dest=str(dest))


def test_years_later_with_rotated_and_revoked_keys(world: World) -> None:
    dest = pack(world)
    found = verified(world, dest)
    assert not found.get("failed"), found
    assert len(found["verified"]) == 2 and found["notes"] == []
    assert f"approved by {ANA}, {CLEO} at 2026-12-01" in found["verified"][0] and DANA in found["verified"][1]
    world.clock.sleep(5 * 365 * 86400)
    lost = {"key": world.trusted.fingerprint(ANA), "since": "2029-01-01T00:00:00Z", "reason": "lost"}
    world.pin(world.trusted.bundle(version=90, revocations=[lost]), lowest_version=90)
    later = verified(world, dest)
    assert not later.get("failed") and len(later["verified"]) == 2
    assert len(later["notes"]) == 1 and "was revoked on 2029-01-01: lost" in later["notes"][0]


def test_without_pins_only_the_pack_vouches_for_its_bundle(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    dest = pack(world)
    monkeypatch.delenv("PATCHTIDE_TRUST")
    found = verified(world, dest)
    assert not found.get("failed") and "only the pack itself vouches" in found["notes"][0]


def test_other_root_keys_do_not_vouch_for_it(world: World) -> None:
    dest = pack(world)
    roots = {name: world.trusted.public(name) for name in ("root3", "root4")}
    world.trusted.pin(world.trusted.bundle(), roots=("root3", "root4"), root_keys=roots)
    assert "root keys have signed it" in verified(world, dest)["msg"]


def test_every_byte_of_a_pack(world: World) -> None:
    dest = pack(world)
    data = dest.read_bytes()
    step = len(data) // 60
    for at in (*range(0, len(data), step), *range(len(data) - 40, len(data))):
        dest.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert verified(world, dest).get("failed"), at
    for other in (data[:-1], data + b" ", b" " + data):
        dest.write_bytes(other)
        assert verified(world, dest).get("failed")


@pytest.mark.parametrize("missing", ["bundle", "signature"])
def test_a_pack_without_its_bundle_proves_nothing(world: World, missing: str) -> None:
    for path in (world.folder / "trust").glob("*/*"):
        if path.name.endswith(".sig") == (missing == "signature"):
            path.unlink()
    refused = verified(world, pack(world))
    assert "is missing in the pack" in refused["msg"] or "root keys have signed it" in refused["msg"]


def test_the_pack_has_what_people_signed(world: World) -> None:
    files = read_zip(pack(world))
    assert to_zip(files) == pack(world).read_bytes()
    assert sum(name.startswith("trust/") for name in files) == 3
    rows = [json.loads(line) for line in files["journal.jsonl"].splitlines()]
    (approved,) = (row["data"] for row in rows if row["kind"] == "approved")
    assert [proof["principal"] for proof in approved["proofs"]] == [ANA, CLEO]
