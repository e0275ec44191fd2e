# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A resource in memory: the ``ResourcePort``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class FakeResource:
    """Holds what was written. ``writes`` counts writes."""

    def __init__(self, found: Mapping[str, Any] | None = None) -> None:
        self.found, self.writes = found, 0

    def read(self) -> Mapping[str, Any] | None:
        return self.found

    def put(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.found, self.writes = {"name": "c", **body}, self.writes + 1
        return self.found

    def patch(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.writes += 1
        self.found = body
        return body

    def delete(self) -> None:
        self.found, self.writes = None, self.writes + 1
