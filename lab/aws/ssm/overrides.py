# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of AWS-RunPatchBaseline may be given from S3: an install override list, a baseline override; snapshots."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import yaml
from moto.s3.models import s3_backends

from ..catalogue import Patch

if TYPE_CHECKING:
    from .backend import Place

#: "the snapshot … is retained for 3 days" (user guide, SSM command document AWS-RunPatchBaseline, SnapshotId)
SNAPSHOT_LIFE = timedelta(days=3)
_FORMS = (
    r"s3://(?P<bucket>[^/]+)/(?P<key>.+)",
    r"https://s3[.-][^/]*amazonaws\.com/(?P<bucket>[^/]+)/(?P<key>.+)",
    r"https://(?P<bucket>[^/]+?)\.s3[.-][^/]*amazonaws\.com/(?P<key>.+)",
)


class NotReadable(Exception):
    """The object is not there or is not what it should be; the document fails with this text."""


def _read(place: Place, url: str) -> str:
    found = next((match for form in _FORMS if (match := re.fullmatch(form, url))), None)
    if found is None:
        raise NotReadable(f"{url} is no S3 path the document can read")
    bucket = s3_backends[place.account]["aws"].buckets.get(found["bucket"])
    stored = bucket.keys.get(found["key"]) if bucket else None
    if stored is None:
        raise NotReadable(f"Unable to retrieve {url}: Not Found")
    return bytes(stored.value).decode()


def install_list(place: Place, url: str) -> list[dict[str, str]]:
    """Read an install override list: ``patches: [{id: …, title: …}]`` in YAML."""
    try:
        rows = yaml.safe_load(_read(place, url))["patches"]
        return [{key: str(value) for key, value in row.items()} for row in rows]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise NotReadable(f"{url} is no install override list: {error}") from None


def chosen(rows: Iterable[dict[str, str]], patches: Iterable[Patch]) -> list[Patch]:
    """Return the patches a list names: id is a KB or package name, title a version or title mask."""
    return [patch for patch in patches if any(_names(row, patch) for row in rows)]


def _names(row: dict[str, str], patch: Patch) -> bool:
    mask, title = row.get("id", ""), row.get("title", "*")
    version = patch.version.split(":", 1)[-1]
    return any(fnmatchcase(name, mask) for name in (patch.patch_id, patch.name)) and any(
        fnmatchcase(name, title) for name in (patch.title, patch.version, version, f"{version}.*")
    )


def baseline_override(place: Place, url: str, system: str) -> dict[str, Any]:
    """Read a baseline override, a JSON list of baselines as GetPatchBaseline gives them, and take the system's."""
    try:
        rows = json.loads(_read(place, url))
        return {"BaselineId": "", **next(row for row in rows if row.get("OperatingSystem", "WINDOWS") == system)}
    except StopIteration:
        raise NotReadable(f"{url} has no baseline for {system}") from None
    except (ValueError, AttributeError, TypeError) as error:
        raise NotReadable(f"{url} is no list of baselines: {error}") from None


def snapshot(place: Place, snapshot_id: str, baseline: dict[str, Any]) -> tuple[datetime, dict[str, Any]]:
    """Return when a snapshot was taken and the baseline as it was then; the first use within three days takes it."""
    key = (snapshot_id, baseline["BaselineId"])
    taken = place.snapshots.get(key)
    if taken is None or place.sim.now - taken[0] > SNAPSHOT_LIFE:
        taken = place.snapshots[key] = (place.sim.now, copy.deepcopy(baseline))
    return taken
