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
    """What the document needs is not there or is not what it should be; it fails early, with this text and code."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def _read(place: Place, url: str) -> str:
    found = next((match for form in _FORMS if (match := re.fullmatch(form, url))), None)
    if found is None:
        raise NotReadable(f"{url} is no S3 path the document can read")
    bucket = _bucket(place, found["bucket"])
    stored = bucket.keys.get(found["key"]) if bucket else None
    if stored is None:
        raise NotReadable(f"Unable to retrieve {url}: Not Found")
    if url.startswith("https://") and not (stored.acl and stored.acl.public_read):
        # the payload fetches https without credentials: what is private is read as s3://bucket/key only
        raise NotReadable(f"Unable to retrieve {url}: Forbidden")
    return bytes(stored.value).decode()


def _bucket(place: Place, name: str) -> Any:
    """A bucket of the node's account, or of another whose policy names that account."""
    for account_id, partitions in list(s3_backends.items()):
        bucket = partitions["aws"].buckets.get(name)
        if bucket is not None and (account_id == place.account or place.account in str(bucket.policy or "")):
            return bucket
    return None


def install_list(place: Place, url: str) -> list[dict[str, str]]:
    """Read an install override list: ``patches: [{id: …, title: …}]`` in YAML."""
    try:
        rows = yaml.safe_load(_read(place, url))["patches"]
        return [{key: str(value) for key, value in row.items()} for row in rows]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise NotReadable(f"{url} is no install override list: {error}") from None


def chosen(rows: Iterable[dict[str, str]], patches: Iterable[Patch], by_title: bool = True) -> list[Patch]:
    """Return the patches a list names, whatever the case: id is a KB or package name, title a version or title mask.

    :param by_title: False on Windows, where the KB number counts and the title is decoration.
    """
    return [patch for patch in patches if any(_names(row, patch, by_title) for row in rows)]


def _names(row: dict[str, str], patch: Patch, by_title: bool) -> bool:
    """Both must match one of the package's forms (the payload, ``match_package_data_strict``)."""
    mask, title = row.get("id", ""), row.get("title", "*") if by_title else "*"
    forms = _forms(patch) if by_title else (patch.patch_id,)
    return any(_fits(form, mask) for form in forms) and any(_fits(form, title) for form in forms)


def _forms(patch: Patch) -> tuple[str, ...]:
    """The texts that stand for a package (the payload, ``APT_CODES`` and ``DEFAULT_CODES``).

    Of apt the epoch is part of the version, and nothing matches without it; of rpm it may be left out.
    """
    arch, name = patch.patch_id.rpartition(".")[2], patch.name
    version = patch.title.partition(":")[2]
    if patch.title.count(":") == version.count("-") == 0:
        return (patch.patch_id, name)
    if not patch.is_rpm:
        return (name, patch.patch_id, version, f"{name}-{version}", f"{arch}:{version}", f"{patch.patch_id}:{version}")
    epoch, _, build = version.partition(":")
    number = build.partition("-")[0]
    whole = f"{name}-{build}"
    return (
        *(name, patch.patch_id, number, build, version, patch.title),
        *(f"{name}-{number}", whole, f"{whole}.{arch}", f"{name}-{version}", f"{name}-{version}.{arch}"),
        f"{epoch}:{whole}.{arch}",
    )


def blocks(rows: Iterable[dict[str, str]], patch: Patch) -> bool:
    """Whether a list names a package in another version: then that one does not come along either (the payload,
    ``_can_be_installed_or_upgraded``). What no row names comes in whatever version is offered."""
    listed = list(rows)
    by_id = any(_fits(form, row.get("id", "")) for row in listed for form in _forms(patch))
    return by_id and not any(_names(row, patch, by_title=True) for row in listed)


def _fits(name: str, mask: str) -> bool:
    return fnmatchcase(name.lower(), mask.lower())


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
