# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes the files of publications that were replaced, and of those that were never finished."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from ...module_utils._core.errors import BadInput
from ...module_utils._core.history.cleanup import publication_of, removable
from ...module_utils._core.history.datasets import DATASETS
from ...module_utils._core.history.store import (
    DESCRIPTOR,
    MANIFESTS,
    POINTERS,
    HistoryStore,
    Stored,
    manifest_name,
    read_format,
    read_pointer,
    read_run,
)
from ...module_utils._core.stamp import from_time
from .publish import HistoryError

#: A query that takes longer than a day is none.
LEAST_DAYS = 1


def clean_up(store: HistoryStore, now: datetime, days: int, write: bool = True) -> dict[str, Any]:
    """Remove what was replaced, or left by an interrupted publisher, at least so many days ago.

    Return ``publications`` and ``bytes`` (their numbers) and ``files`` (names).

    :param write: false in check mode.
    :raises BadInput: the place has no history, or there are too few days.
    :raises HistoryError: what was removed counts again, because it was published again at the same moment.
    """
    if days < LEAST_DAYS:
        raise BadInput("days", days, f"{LEAST_DAYS} or more, because readers may still need the files")
    data = store.read(DESCRIPTOR)
    if data is None:
        raise BadInput("history", store.where, f"a history; {DESCRIPTOR} is not there")
    read_format(data, f"{store.where}/{DESCRIPTOR}")
    earlier = {pointer["publication"] for pointer in _pointers(store)}
    files = [item for folder in (*DATASETS, MANIFESTS) for item in store.files(folder)]
    pointers = list(_pointers(store))
    counted = earlier | {pointer["publication"] for pointer in pointers}
    replaced_at = _replaced_at(store, files, pointers, counted)
    groups = list(removable(files, counted, replaced_at, now - timedelta(days=days)))
    if write:
        for item in (item for group in groups for item in group):
            store.remove(item.name)
        _check(store, {publication_of(group[0].name) for group in groups})
    found = [item for group in groups for item in group]
    names = [item.name for item in found]
    return {"publications": len(groups), "files": names, "bytes": sum(item.size for item in found)}


def _pointers(store: HistoryStore) -> Iterator[dict[str, Any]]:
    for name in store.names(POINTERS):
        yield read_pointer(store.read(name) or b"", f"{store.where}/{name}")


def _replaced_at(
    store: HistoryStore, files: list[Stored], pointers: list[dict[str, Any]], counted: set[str]
) -> dict[str, datetime]:
    """Return when publications were replaced: when the one that counts now was published."""
    times = {pointer["run_id"]: from_time(pointer["published_at"]) for pointer in pointers}
    found = {}
    for publication in {publication_of(item.name) for item in files} - counted - {""}:
        name = manifest_name(publication)
        data = store.read(name)
        run = read_run(data, f"{store.where}/{name}") if data is not None else ""
        if run in times:
            found[publication] = times[run]
    return found


def _check(store: HistoryStore, removed: set[str]) -> None:
    back = sorted(pointer["run_id"] for pointer in _pointers(store) if pointer["publication"] in removed)
    if back:
        raise HistoryError(f"{', '.join(back)} was published again while its old files were removed: publish it again")
