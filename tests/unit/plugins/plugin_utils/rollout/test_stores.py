# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stores of a rollout are chosen once; a name that can't be is told before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.claim_file import ClaimFile
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.journal_file import JournalFile
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.stores import NAME, choose_stores, read_stores

TABLE = "dynamodb:eu-central-1/patchtide"


def test_by_default_files_and_the_controllers_own_claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    stores = choose_stores(tmp_path, None, None, write=True)
    assert isinstance(stores.open_journal("x"), JournalFile) and isinstance(stores.open_claims(), ClaimFile)
    assert stores.claims == f"file:{tmp_path}/state/patchtide/claims.json" and read_stores(tmp_path) == stores


def test_a_rehearsal_has_claims_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHTIDE_CLOCK", "http://lab.example/clock")
    assert choose_stores(tmp_path, None, None, write=False).claims.endswith("/patchtide/rehearsal-claims.json")


def test_claims_can_be_switched_off_and_stay_so(tmp_path: Path) -> None:
    assert choose_stores(tmp_path, None, "none", write=True).open_claims() is None
    assert choose_stores(tmp_path, None, None, write=True).open_claims() is None


def test_the_choice_is_noted_and_kept(tmp_path: Path) -> None:
    choose_stores(tmp_path, TABLE, f"file:{tmp_path}/claims.json", write=True)
    kept = choose_stores(tmp_path, None, None, write=True)
    assert (kept.journal, kept.claims) == (TABLE, f"file:{tmp_path}/claims.json")
    assert isinstance(kept.open_claims(), ClaimFile) and read_stores(tmp_path) == kept


def test_check_mode_notes_nothing(tmp_path: Path) -> None:
    assert choose_stores(tmp_path, TABLE, None, write=False).journal == TABLE
    assert not (tmp_path / NAME).exists()


def test_a_rollout_stays_where_it_began(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text("{}\n")
    with pytest.raises(BadInput, match=r"in which the rollout began: journal\.jsonl"):
        choose_stores(tmp_path, TABLE, None, write=True)
    (tmp_path / "journal.jsonl").unlink()
    choose_stores(tmp_path, TABLE, None, write=True)
    with pytest.raises(BadInput, match=f"in which the rollout began: {TABLE}"):
        choose_stores(tmp_path, "file", None, write=True)


@pytest.mark.parametrize("name", ["dynamodb:", "dynamodb:eu-central-1/", "s3:bucket", "patchtide"])
@pytest.mark.parametrize("option", ["journal", "claims"])
def test_a_name_that_cannot_be_is_told(tmp_path: Path, option: str, name: str) -> None:
    given = {"journal": None, "claims": None, option: name}
    with pytest.raises(BadInput, match=f"^{option}: '{name}' is not valid"):
        choose_stores(tmp_path, given["journal"], given["claims"], write=True)
    assert not (tmp_path / NAME).exists()


def test_claims_in_a_file_need_a_place_that_all_mean(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="file:<absolute path>"):
        choose_stores(tmp_path, None, "file:claims.json", write=True)
