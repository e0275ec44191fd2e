# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public keys as gpg writes them. ``gpg --show-keys`` says the same of the keyrings that this machine has."""

from __future__ import annotations

import base64
import shutil
import subprocess
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.openpgp import (
    Key,
    fingerprint,
    read_keys,
)

from tests.fakes.openpgp_keys import EXPIRED, EXPIRED_FINGERPRINT, GOOD, GOOD_FINGERPRINT

KEYRINGS = sorted(Path("/usr/share/keyrings").glob("*.gpg"))


def test_fingerprint_and_expiry_are_those_that_gpg_shows() -> None:
    (good,), (expired,) = read_keys(GOOD.encode()), read_keys(EXPIRED.encode())
    assert (good.fingerprint, good.expires) == (GOOD_FINGERPRINT, None)
    assert (expired.fingerprint, f"{expired.expires:%F}") == (EXPIRED_FINGERPRINT, "2020-12-31")
    assert expired.is_expired(datetime(2021, 1, 1, tzinfo=timezone.utc))
    assert not expired.is_expired(datetime(2020, 12, 30, tzinfo=timezone.utc))
    assert [key.fingerprint for key in read_keys(f"{GOOD}{EXPIRED}".encode())] == [
        GOOD_FINGERPRINT,
        EXPIRED_FINGERPRINT,
    ]


@pytest.mark.skipif(not KEYRINGS or not shutil.which("gpg"), reason="this machine has no gpg, or no keyrings")
@pytest.mark.parametrize("path", KEYRINGS, ids=lambda path: path.name)
def test_keyrings_of_this_machine_are_read_as_gpg_reads_them(path: Path, tmp_path: Path) -> None:
    command = ["gpg", "--homedir", str(tmp_path), "--show-keys", "--with-colons", str(path)]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    rows = [line.split(":") for line in lines]
    wanted = {}
    for row, after in pairwise(rows):
        if row[0] == "pub" and after[0] == "fpr" and len(after[9]) == 40:
            wanted[after[9]] = int(row[6]) if row[6] else None
    found = {
        key.fingerprint: int(key.expires.timestamp()) if key.expires else None for key in read_keys(path.read_bytes())
    }
    assert {name: found.get(name, "missing") for name in wanted} == wanted


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"\x99", b"\x99\x01\x0d\x04", b"\xc6\xff\xff\xff\xff\xff", GOOD.encode()[:200], b"\xff" * 99],
)
def test_what_is_no_key_is_left_out(data: bytes) -> None:
    assert read_keys(data) == ()


def test_a_damaged_key_never_raises() -> None:
    body = base64.b64decode("".join(GOOD.splitlines()[2:-2]))
    for index in range(len(body)):
        for value in (0, 0x7F, 0xFF):
            found = read_keys(body[:index] + bytes([value]) + body[index + 1 :])
            assert all(isinstance(key, Key) for key in found)


@pytest.mark.parametrize("text", ["ab cd", "0xABCD", "AB:CD", "AB CD\n"])
def test_a_fingerprint_as_people_write_it(text: str) -> None:
    assert fingerprint(text) == "ABCD"
