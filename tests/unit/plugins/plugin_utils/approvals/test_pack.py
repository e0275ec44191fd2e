# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An evidence pack proves who approved and decided, years later, and no byte of it can differ unnoticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.action import rollout_decision, rollout_evidence
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import seal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.evidence import COMMANDS, MANIFEST, collect
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal import next_record
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.evidence_zip import read_zip, to_zip

from tests.fakes.trusted import Trusted
from tests.unit.plugins.action.test_trusted_rollout import ANA, CLEO, DANA, World

EVE = "eve@example.com"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Trusted:
    return Trusted(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def world(tmp_path: Path, keys: Trusted, monkeypatch: pytest.MonkeyPatch) -> World:
    for name in (ANA, CLEO, DANA, EVE, "root1", "root2", "root3", "root4"):
        keys.key(name)
    world = World(tmp_path, Trusted(tmp_path, keys.keys), monkeypatch)
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


def forged(world: World, **changed: bytes) -> dict[str, Any]:
    """Verify a pack whose forger made manifest, commands and archive anew, so that only signatures are against it."""
    files = {name: data for name, data in read_zip(pack(world)).items() if name not in (MANIFEST, COMMANDS)}
    dest = world.folder.parent / "forged.zip"
    dest.write_bytes(to_zip(collect({**files, **changed})))
    return verified(world, dest)


def rewritten(world: World, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> bytes:
    """Return a journal with other records, whose chain of hashes is whole."""
    last, lines = None, []
    for line in (world.folder / "journal.jsonl").read_bytes().splitlines():
        row = json.loads(line)
        if (data := change(row)) is not None:
            last = next_record(last, row["kind"], data, from_time(row["at"]))
            lines.append(last.to_line())
    return "".join(f"{line}\n" for line in lines).encode()


def other_plan(world: World) -> dict[str, bytes]:
    """Return another plan, and a journal that says it was this one."""
    nodes = deepcopy(world.plan["waves"])
    nodes[0]["nodes"][0]["patches"][0]["id"] = "evil.x86_64"
    plan = seal({**world.plan, "waves": nodes})

    def renamed(row: dict[str, Any]) -> dict[str, Any]:
        signed = row["kind"] in ("approved", "decision")
        text = json.dumps(row["data"])
        return dict(json.loads(text if signed else text.replace(world.plan["digest"], plan["digest"])))

    journal = rewritten(world, renamed)
    return {"plan.json": json.dumps(plan).encode(), "journal.jsonl": journal}


def other_proof(world: World, change: Callable[[dict[str, Any]], object]) -> dict[str, bytes]:
    def changed(row: dict[str, Any]) -> dict[str, Any]:
        if row["kind"] == "approved":
            change(row["data"])
        return dict(row["data"])

    return {"journal.jsonl": rewritten(world, changed)}


def other_statement(proof: dict[str, Any]) -> None:
    proof["statement"] = proof["statement"].replace("CHG0040007", "CHG0040008")


FORGERIES: dict[str, tuple[Callable[[World], dict[str, bytes]], str]] = {
    "another plan": (other_plan, "its plan digest is"),
    "one approval less": (lambda w: other_proof(w, lambda data: data["proofs"].pop()), "1 missing"),
    "one approval twice": (
        lambda w: other_proof(w, lambda data: data.update(proofs=[data["proofs"][0]] * 2)),
        "app_owner, 1 missing",
    ),
    "another reason": (
        lambda w: other_proof(w, lambda data: other_statement(data["proofs"][0])),
        "signature does not fit",
    ),
    "the signature of another": (
        lambda w: other_proof(w, lambda data: data["proofs"][0].update(signature=data["proofs"][1]["signature"])),
        "is not a key of ana@example.com",
    ),
    "another bundle version": (lambda w: other_proof(w, lambda data: data.update(bundle_version=9)), "not 9"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forger_who_makes_everything_fit_lacks_the_signatures(world: World, name: str) -> None:
    forge, told = FORGERIES[name]
    found = forged(world, **forge(world))
    assert found.get("failed") and told in found["msg"], found


def test_a_journal_without_its_approvals_proves_none(world: World) -> None:
    def without(row: dict[str, Any]) -> dict[str, Any] | None:
        return None if row["kind"] == "approved" else row["data"]

    kept = (world.folder / "trust").glob("*/*")
    for path in kept:
        path.unlink()
    found = forged(world, **{"journal.jsonl": rewritten(world, without)})
    wave = world.plan["waves"][0]["name"]
    assert found.get("failed") or f"began without a verified approval: wave {wave}" in found["notes"], found


def test_what_people_signed_is_packed_as_it_lies_there(world: World) -> None:
    """Also what was not accepted, such as a rejection that came too late."""
    late = world.sign(EVE, verdict="reject", reason="no backup")
    files = read_zip(pack(world))
    for name in ("approvals", "decisions"):
        for path in (world.folder / name).iterdir():
            assert files[f"{name}/{path.name}"] == path.read_bytes()
    assert sum(name.startswith("approvals/") for name in files) == 6
    (note,) = verified(world, pack(world))["notes"]
    assert note == f"approvals/{late.name} is not among what was accepted: reject by {EVE}, no backup"
    assert "was changed" in tampered(world, f"approvals/{late.name}")["msg"]


def tampered(world: World, name: str) -> dict[str, Any]:
    """Verify a pack in which the first byte of a file differs, with an archive that is whole."""
    files = read_zip(pack(world))
    dest = world.folder.parent / "tampered.zip"
    dest.write_bytes(to_zip({**files, name: bytes([files[name][0] ^ 1]) + files[name][1:]}))
    return verified(world, dest)


def test_no_file_of_a_pack_can_differ_or_be_left_out(world: World) -> None:
    files = read_zip(pack(world))
    assert len(files) > 10
    for name in files:
        assert tampered(world, name).get("failed"), name
        dest = world.folder.parent / "less.zip"
        dest.write_bytes(to_zip({other: data for other, data in files.items() if other != name}))
        assert verified(world, dest).get("failed"), name


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
