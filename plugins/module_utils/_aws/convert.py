# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversions between the API's structures and plain data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any


def to_tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """``{"a": "b"}`` to ``[{"Key": "a", "Value": "b"}]``, sorted by key."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def from_tag_list(tags: Iterable[Mapping[str, Any]] | None) -> dict[str, str]:
    """The reverse of ``to_tag_list``."""
    return {tag["Key"]: tag["Value"] for tag in tags or []}


def to_target_list(targets: Mapping[str, Iterable[str]]) -> list[dict[str, Any]]:
    """``{"tag:a": ("b",)}`` to ``[{"Key": "tag:a", "Values": ["b"]}]``, sorted by key."""
    return [{"Key": key, "Values": list(targets[key])} for key in sorted(targets)]


def from_target_list(targets: Iterable[Mapping[str, Any]] | None) -> dict[str, tuple[str, ...]]:
    """The reverse of ``to_target_list``, values sorted. Some writers say ``instanceids``, which means the same."""
    return {
        "InstanceIds" if item["Key"].lower() == "instanceids" else item["Key"]: tuple(sorted(item["Values"]))
        for item in targets or []
    }


@lru_cache(maxsize=1000)
def snake(name: str) -> str:
    """``InstalledOtherCount`` to ``installed_other_count``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def to_time(value: datetime | str | None) -> str:
    """Return a time as ISO 8601 in UTC to the second, "" for none."""
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value or ""


def to_plain(value: Any) -> Any:
    """Turn a reply into plain data: snake-case members, times as text, without ``ResponseMetadata``.

    Maps with the users' own keys (tags, parameters) must be converted separately, or their keys would be renamed.
    """
    if isinstance(value, Mapping):
        return {snake(key): to_plain(item) for key, item in value.items() if key != "ResponseMetadata"}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    return to_time(value) if isinstance(value, datetime) else value
