# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of one account-Region in the bucket of a resource data sync, which show whether the sync writes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .._core.fleet.data_sync import key_prefixes
from .._core.ssm.data_syncs import DataSync
from .errors import aws_errors

_AT_ONCE = 8


def read_folders(s3: Any, sync: DataSync, account: str, region: str) -> dict[str, list[str]]:
    """Return the inventory types that this account-Region has in the bucket, and those that only others have.

    One read for the types, and one for each of them.

    :param s3: an S3 client of the bucket's Region.
    """
    start = f"{sync.prefix.strip('/')}/" if sync.prefix.strip("/") else ""
    found = [name for name in _types(s3, sync.bucket, start) if ":" in name]  # AWS:… and Custom:…

    def has(kind: str) -> bool:
        prefix = key_prefixes(sync.prefix, kind, [account], [region])[0]
        with aws_errors(f"list s3://{sync.bucket}/{prefix}"):
            return bool(s3.list_objects_v2(Bucket=sync.bucket, Prefix=prefix, MaxKeys=1).get("KeyCount"))

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        here = dict(zip(found, pool.map(has, found), strict=True))
    return {"types": [kind for kind in found if here[kind]], "types_of_others": [k for k in found if not here[k]]}


def _types(s3: Any, bucket: str, start: str) -> list[str]:
    with aws_errors(f"list s3://{bucket}/{start}"):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=start, Delimiter="/")
        names = [row["Prefix"] for page in pages for row in page.get("CommonPrefixes", [])]
    return sorted(name.removeprefix(start).rstrip("/") for name in names)
