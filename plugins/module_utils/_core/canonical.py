# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canonical JSON and digests: the same data has the same bytes, whoever writes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def to_canonical(data: Any) -> str:
    """Return JSON with sorted keys, no spaces, and UTF-8 text as it is."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def to_digest(data: Any) -> str:
    """Return the SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(to_canonical(data).encode("utf-8", "surrogatepass")).hexdigest()


def without(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return a copy of ``data`` without some members."""
    return {key: value for key, value in data.items() if key not in names}
