# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was replaced long enough ago is removed; what counts, what is young and what is not ours stays."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.datasets import Part
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.runs import Run
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.cleanup import clean_up
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.places import HistoryDirectory
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.publish import (
    HistoryError,
    find_format,
    publish,
)

NOW = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)


def limits(value: float, name: str = "limits", day: str = "2026-11-01") -> Run:
    part = Part("limits", "", "", day)
    at = f"{day}T00:00:00.000Z"
    rows = [(part, {"name": "stale", "value": value})]
    return Run(run_id=name, kind="limits", observed_at=at, as_of=at, rows=rows)


class Place:
    """A history in a directory, whose files are as old as their publication."""

    def __init__(self, root: Path) -> None:
        self.root, self.store = root, HistoryDirectory(root)
        find_format(self.store, "jsonl", True)

    def put(self, run: Run, days_ago: float) -> str:
        at = NOW - timedelta(days=days_ago)
        known = set(self.root.rglob("*"))
        stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        found = publish(self.store, run, "jsonl", stamp)
        for path in set(self.root.rglob("*")) - known:
            os.utime(path, (at.timestamp(), at.timestamp()))
        return str(found["publication"])

    def names(self) -> set[str]:
        return {path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()}

    def of(self, publication: str) -> set[str]:
        return {name for name in self.names() if publication in name}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_publication_goes_when_it_was_replaced_long_ago_and_nothing_else(place: Place) -> None:
    first, second = place.put(limits(1), 40), place.put(limits(2), 20)
    other = place.put(limits(1, "other"), 40)
    foreign = ["nodes/account=1/region=r/dt=2026-01-01/notes.txt", "views/x.sql", "manifests/readme.md", ".x"]
    for name in foreign:
        (place.root / name).parent.mkdir(parents=True, exist_ok=True)
        (place.root / name).write_text("mine")
        os.utime(place.root / name, (0, 0))
    before, old = place.names(), place.of(first)
    assert len(old) == 2
    asked = clean_up(place.store, NOW, 7, write=False)
    assert place.names() == before and set(asked["files"]) == old and asked["files"][-1] == f"manifests/{first}.json"
    found = clean_up(place.store, NOW, 7)
    assert found == asked and found["publications"] == 1 and found["bytes"] > 0
    assert place.names() == before - old and place.of(second) and place.of(other)
    assert clean_up(place.store, NOW, 7)["files"] == []


@pytest.mark.parametrize(("replaced", "goes"), [(6.9, False), (7.1, True)])
def test_a_reader_that_began_before_the_replacement_keeps_its_files(place: Place, replaced: float, goes: bool) -> None:
    first = place.put(limits(1), 300)
    place.put(limits(2), replaced)
    assert bool(clean_up(place.store, NOW, 7)["files"]) == goes
    assert bool(place.of(first)) != goes


def test_rows_that_are_being_published_again_stay(place: Place) -> None:
    """Their files have the names of the replaced publication; the pointer comes last."""
    first = place.put(limits(1), 300)
    place.put(limits(2), 200)
    (young,) = [name for name in place.of(first) if not name.startswith("manifests")]
    os.utime(place.root / young, (NOW.timestamp(), NOW.timestamp()))
    assert clean_up(place.store, NOW, 7)["files"] == [] and len(place.of(first)) == 2


@pytest.mark.parametrize("kept", ["data", "all"])
def test_what_an_interrupted_publisher_left_goes_by_its_age(place: Place, kept: str) -> None:
    left = place.put(limits(1), 8)
    (place.root / "published" / "limits.json").unlink()
    if kept == "data":
        (place.root / "manifests" / f"{left}.json").unlink()
    assert clean_up(place.store, NOW, 9)["files"] == []
    assert clean_up(place.store, NOW, 7)["publications"] == 1 and not place.of(left)


class Racing(HistoryDirectory):
    """While files are removed, or listed, somebody makes the replaced publication count again."""

    def __init__(self, root: Path, pointer: bytes, when: str) -> None:
        super().__init__(root)
        self._pointer, self._when = pointer, when

    def _publish(self, when: str) -> None:
        if when == self._when:
            self.write("published/limits.json", self._pointer)

    def files(self, folder: str) -> Iterable[Any]:  # type: ignore[override]  # it is read once
        self._publish("listed")
        return list(super().files(folder))

    def remove(self, name: str) -> None:
        super().remove(name)
        self._publish("removed")


@pytest.mark.parametrize("when", ["listed", "removed"])
def test_a_publication_that_counts_again_meanwhile_is_kept_or_told(place: Place, when: str) -> None:
    first = place.put(limits(1), 300)
    pointer = (place.root / "published" / "limits.json").read_bytes()
    place.put(limits(2), 200)
    store = Racing(place.root, pointer, when)
    if when == "removed":
        with pytest.raises(HistoryError, match="limits was published again"):
            clean_up(store, NOW, 7)
        return
    clean_up(store, NOW, 7)
    assert len(place.of(first)) == 2


def test_what_is_no_history_and_too_few_days_are_refused(place: Place, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^days: "):
        clean_up(place.store, NOW, 0)
    with pytest.raises(BadInput, match=r"^history: "):
        clean_up(HistoryDirectory(tmp_path / "nothing"), NOW, 7)
