# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No byte of a statement, of a signature or of a bundle can differ unnoticed."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.bundle import Bundle
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.bundle_read import read_bundle
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.pins import check_signatures, read_pins
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.prove import prove
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.signature import read_envelope
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.statement import Statement
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.approvals.ssh import SshKeygen

from tests.fakes.trusted import AT, Trusted, run, statement

ANA = "ana@example.com"
NOW = from_time(AT)


def flipped(data: bytes, step: int = 1) -> Iterator[bytes]:
    """Yield the data with each byte changed, by turns in its lowest bit and in its case bit."""
    for at in range(0, len(data), step):
        yield data[:at] + bytes([data[at] ^ (32 if at % 2 else 1)]) + data[at + 1 :]


def cut(data: bytes) -> Iterator[bytes]:
    yield from (data[:-1], data[1:], data + b"\n", b"\n" + data, data + b" ", data * 2, b"")


@functools.cache
def signed(folder: Path) -> tuple[Trusted, bytes, bytes]:
    trusted = Trusted(folder)
    data = statement(ANA, "change_manager").to_bytes()
    return trusted, data, trusted.sign(data, ANA, "plan@patchtide")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tampering")


@functools.cache
def bundle_of(folder: Path) -> Bundle:
    return read_bundle(signed(folder)[0].bundle(), "bundle.yml")


def proves(folder: Path, data: bytes, signature: bytes) -> bool:
    try:
        prove(data, signature, act="plan", bundle=bundle_of(folder), check=SshKeygen(), now=NOW)
    except PatchtideError as error:
        assert "\n" not in str(error)
        return False
    return True


def test_what_nobody_touched_proves_itself(folder: Path) -> None:
    _trusted, data, signature = signed(folder)
    assert proves(folder, data, signature)


def test_every_byte_of_a_statement(folder: Path) -> None:
    """What is no statement any more is refused before ssh-keygen is asked; it finds the rest."""
    _trusted, data, signature = signed(folder)
    readable = [other for other in (*flipped(data), *cut(data)) if is_statement(other)]
    assert 0 < len(readable) < len(data)
    assert not any(proves(folder, other, signature) for other in readable)


def is_statement(data: bytes) -> bool:
    try:
        return bool(Statement.from_bytes(data, "statement"))
    except BadInput:
        return False


def test_every_byte_of_a_signature(folder: Path) -> None:
    _trusted, data, signature = signed(folder)
    readable = [other for other in (*flipped(signature), *cut(signature)) if is_envelope(other)]
    assert 0 < len(readable) < len(signature)
    assert not any(proves(folder, data, other) for other in readable)


def is_envelope(data: bytes) -> bool:
    try:
        return bool(read_envelope(data, "signature"))
    except BadInput:
        return False


def test_every_byte_of_a_bundle(folder: Path) -> None:
    """The signature covers the file as it is, comments and blanks included."""
    trusted, _data, _signature = signed(folder)
    pins_file = trusted.pin(trusted.bundle())
    pins = read_pins(yaml.safe_load(pins_file.read_text()), "trust.yml")
    data = (trusted.folder / "bundle.yml").read_bytes()
    signatures = [path.read_bytes() for path in sorted(trusted.folder.glob("bundle.yml*.sig"))]
    check_signatures(data, signatures, pins, SshKeygen(), NOW)
    for other in (*flipped(data, len(data) // 12), *cut(data)):
        with pytest.raises(PatchtideError, match="0 of 3 root keys"):
            check_signatures(other, signatures, pins, SshKeygen(), NOW)


def test_two_signatures_of_one_root_key_are_one(folder: Path) -> None:
    trusted, _data, _signature = signed(folder)
    pins = read_pins(yaml.safe_load(trusted.pin(trusted.bundle(), roots=("root1",)).read_text()), "trust.yml")
    data = (trusted.folder / "bundle.yml").read_bytes()
    twice = [trusted.sign(data, "root1", "trust@patchtide") for _number in range(2)]
    with pytest.raises(PatchtideError, match="1 of 3 root keys"):
        check_signatures(data, twice, pins, SshKeygen(), NOW)


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_other_types_of_keys_prove_as_well(kind: str, tmp_path: Path) -> None:
    trusted = Trusted(tmp_path)
    trusted.key(ANA, kind)
    data = statement(ANA, "change_manager").to_bytes()
    bundle = read_bundle(trusted.bundle(), "bundle.yml")
    assert prove(
        data,
        trusted.sign(data, ANA, "plan@patchtide"),
        act="plan",
        bundle=bundle,
        check=SshKeygen(),
        now=NOW,
    )


def test_a_weak_key_is_refused(tmp_path: Path) -> None:
    trusted = Trusted(tmp_path)
    path = tmp_path / "weak"
    run("-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", str(path))
    data = trusted.bundle()
    data["people"][0]["keys"][0]["key"] = Path(f"{path}.pub").read_text().strip()
    with pytest.raises(BadInput, match="2048 bits"):
        read_bundle(data, "bundle.yml")


def test_a_missing_program_is_no_approval(folder: Path) -> None:
    _trusted, data, signature = signed(folder)
    key = bundle_of(folder).people[ANA].keys[0]
    with pytest.raises(PatchtideError, match="not installed"):
        SshKeygen("no-ssh-keygen-here").objection(data, signature, namespace="n", principal=ANA, key=key, at=NOW)
