# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles are assumed once per process, and once per play with a private directory."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.role_cache import RoleCache
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput

ROLE = ("arn:aws:iam::111122223333:role/patchtide", "", "patchtide", "AKIA")


class Sts:
    """Counts AssumeRole; each answer lasts as long as told."""

    def __init__(self, minutes: int = 60) -> None:
        self.calls = 0
        self._minutes = minutes
        self._lock = threading.Lock()

    def __call__(self) -> dict[str, str]:
        with self._lock:
            self.calls += 1
        expiry = datetime.now(timezone.utc) + timedelta(minutes=self._minutes)
        return {"access_key": f"A{self.calls}", "secret_key": "s", "token": "t", "expiry_time": expiry.isoformat()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "roles"
    found.mkdir(mode=0o700)
    return found


def test_many_regions_assume_a_role_once() -> None:
    cache, sts = RoleCache(), Sts()
    with ThreadPoolExecutor(max_workers=8) as pool:
        keys = {found["access_key"] for found in pool.map(lambda _n: cache.get(ROLE, sts), range(40))}
    assert (sts.calls, keys) == (1, {"A1"})


def test_processes_share_a_private_directory(folder: Path) -> None:
    sts = Sts()
    first = RoleCache(str(folder)).get(ROLE, sts)
    assert RoleCache(str(folder)).get(ROLE, sts) == first
    assert sts.calls == 1
    assert [file.stat().st_mode & 0o777 for file in folder.iterdir()] == [0o600]


@pytest.mark.parametrize("other", [0, 1, 2, 3])
def test_credentials_depend_on_role_external_id_name_and_caller(folder: Path, other: int) -> None:
    cache, sts = RoleCache(str(folder)), Sts()
    cache.get(ROLE, sts)
    cache.get((*ROLE[:other], "other", *ROLE[other + 1 :]), sts)
    assert sts.calls == 2


def test_credentials_that_soon_expire_are_renewed(folder: Path) -> None:
    """botocore renews from 15 minutes before the end: it must never get the same ones again."""
    sts = Sts(minutes=15)
    for _number in range(2):
        RoleCache(str(folder)).get(ROLE, sts)
    assert sts.calls == 2


@pytest.mark.parametrize("content", ["", "{", "[]", '{"access_key": "x"}'])
def test_a_damaged_file_is_ignored(folder: Path, content: str) -> None:
    sts = Sts()
    RoleCache(str(folder)).get(ROLE, sts)
    next(folder.iterdir()).write_text(content)
    assert RoleCache(str(folder)).get(ROLE, sts)["access_key"] == "A2"


def test_a_region_whose_sts_hangs_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{RoleCache.__module__}._PATIENCE", 0.05)
    cache, sts, hung = RoleCache(), Sts(), threading.Event()

    def hang() -> dict[str, str]:
        hung.wait(20)
        return sts()

    with ThreadPoolExecutor(max_workers=2) as pool:
        slow = pool.submit(cache.get, ROLE, hang)
        assert pool.submit(cache.get, ROLE, sts).result(10)["access_key"] == "A1"
        hung.set()
        slow.result(10)


@pytest.mark.parametrize("kind", ["missing", "file", "link", "open"])
def test_a_directory_that_others_can_read_is_refused(folder: Path, kind: str) -> None:
    place = folder / kind
    if kind == "file":
        place.write_text("")
    elif kind == "link":
        place.symlink_to(folder)
    elif kind == "open":
        place.mkdir()
        place.chmod(0o750)
    with pytest.raises(BadInput, match=r"^role_cache: "):
        RoleCache(str(place))
