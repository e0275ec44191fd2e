# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A journal that was cut or removed is noticed, even if its head went with it: another is noted beside the claims."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.stores import DynamoHead
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import JournalError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.stores import HeadStore
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.stores import Stores, choose_stores

from tests.fakes.driving import Driving
from tests.fakes.dynamo import FakeDynamo
from tests.fakes.fleet_port import FakeClock


@pytest.fixture(params=["file", "dynamodb"])
def driving(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Driving:
    """A rollout that was carried out, in a directory of its own."""
    (tmp_path / "a").mkdir()
    choose_stores(tmp_path / "a", None, f"file:{tmp_path}/shared/claims.json", write=True)
    if request.param == "dynamodb":
        client = FakeDynamo()

        def open_head(_stores: Stores, rollout: str) -> HeadStore:
            return DynamoHead(client, "claims", rollout)

        monkeypatch.setattr(Stores, "open_head", open_head)
    driving = Driving(tmp_path / "a", {"a": 1})
    driving.run()
    return driving


def remove(folder: Path) -> None:
    for name in ("journal.jsonl", "journal.head"):
        (folder / name).unlink()


def cut(folder: Path) -> None:
    """Leave the first two records, and a head that agrees with them."""
    journal = folder / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:2]))
    (folder / "journal.head").unlink()


@pytest.mark.parametrize("damage", [remove, cut])
def test_it_is_noticed_and_the_way_out_told(driving: Driving, damage: Callable[[Path], None]) -> None:
    damage(driving.folder)
    with pytest.raises(
        JournalError, match=r"noted beside the claims.*Restore the journal from a backup, or make a new"
    ):
        RolloutDir(driving.folder, driving.clock)
    assert not (driving.folder / "journal.head").exists(), "nothing is written either"


def test_a_plan_that_was_begun_elsewhere_is_not_begun_again(driving: Driving, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("plan.json", "stores.json"):
        shutil.copy(driving.folder / name, tmp_path / "b" / name)
    with pytest.raises(JournalError, match=r"has begun.*/b: "):
        RolloutDir(tmp_path / "b", driving.clock)


def test_restored_from_a_backup_it_goes_on(driving: Driving, tmp_path: Path) -> None:
    shutil.copytree(driving.folder, tmp_path / "backup")
    remove(driving.folder)
    for name in ("journal.jsonl", "journal.head"):
        shutil.copy(tmp_path / "backup" / name, driving.folder / name)
    assert RolloutDir(driving.folder, driving.clock).state.nodes["a"].final


def test_without_claims_nothing_is_noted(tmp_path: Path) -> None:
    choose_stores(tmp_path, None, "none", write=True)
    Driving(tmp_path, {"a": 1}).run()
    remove(tmp_path)
    assert RolloutDir(tmp_path, FakeClock()).state.status == "new"


def test_a_head_is_private_and_no_link_is_followed(tmp_path: Path) -> None:
    choose_stores(tmp_path, None, f"file:{tmp_path}/shared/claims.json", write=True)
    driving = Driving(tmp_path, {"a": 1})
    (head,) = (tmp_path / "shared" / "heads").iterdir()
    assert head.stat().st_mode & 0o777 == 0o600 and head.parent.stat().st_mode & 0o777 == 0o700
    (tmp_path / "precious").write_text("mine")
    head.unlink()
    head.symlink_to(tmp_path / "precious")
    with pytest.raises(JournalError, match="not a symbolic link"):
        driving.run()
    assert (tmp_path / "precious").read_text() == "mine"
