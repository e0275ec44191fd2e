# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversions between the service's lists of pairs and plain mappings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def to_tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """``{"a": "b"}`` to ``[{"Key": "a", "Value": "b"}]``, sorted by key."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def from_tag_list(tags: Iterable[Mapping[str, Any]] | None) -> dict[str, str]:
    """The reverse of ``to_tag_list``."""
    return {tag["Key"]: tag["Value"] for tag in tags or []}
