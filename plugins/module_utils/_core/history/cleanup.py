# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of a history nobody needs any more. Pure.

A publication is replaced when a pointer names another one. A reader that began before may still read its files, and a
publisher may be writing the same rows again, which have the same names. So all of a publication's files stay until it
was replaced, and each of them written, long enough ago.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

from .datasets import DATASETS
from .store import EXTENSIONS, MANIFESTS, Stored


def publication_of(name: str) -> str:
    """Return the publication that a data file or a manifest belongs to, "" for all other files."""
    parts = name.split("/")
    if parts[0] == MANIFESTS and len(parts) == 2 and name.endswith(".json"):
        return parts[1].removesuffix(".json")
    extension = next((item for item in EXTENSIONS.values() if name.endswith(item)), "")
    is_data = len(parts) == 5 and parts[0] in DATASETS and extension
    return parts[4].removesuffix(extension) if is_data else ""


def removable(
    files: Iterable[Stored], counted: Collection[str], replaced_at: Mapping[str, datetime], before: datetime
) -> Iterator[list[Stored]]:
    """Yield the files of each publication that can go, its manifest last: without it the others are found no less.

    :param counted: publications that pointers name. :param replaced_at: when others were replaced; of one that no
        pointer has ever named, because its publisher was interrupted, only the age of its files is known.
    :param before: what was written or replaced since stays.
    """
    found: dict[str, list[Stored]] = {}
    for item in files:
        if publication := publication_of(item.name):
            found.setdefault(publication, []).append(item)
    for publication, members in sorted(found.items()):
        youngest = max([*(item.modified for item in members), *_known(replaced_at, publication)])
        if publication not in counted and youngest < before:
            yield sorted(members, key=lambda item: (item.name.startswith(f"{MANIFESTS}/"), item.name))


def _known(replaced_at: Mapping[str, datetime], publication: str) -> list[datetime]:
    return [replaced_at[publication]] if publication in replaced_at else []
