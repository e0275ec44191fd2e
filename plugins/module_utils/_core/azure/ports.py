# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The port of a resource of Azure Resource Manager that is read, written and deleted as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class ResourcePort(Protocol):
    """One resource. All calls raise ``PatchtideError``."""

    def read(self) -> Mapping[str, Any] | None:
        """Return the resource, ``None`` if it does not exist."""

    def put(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Create or replace the resource; return it."""

    def patch(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Update members of the resource; return it."""

    def delete(self) -> None:
        """Delete the resource; one that does not exist is not an error."""
