# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of tenants that a file is in, if it is in one: the one with ``patchtide_tenants.yml``."""

from __future__ import annotations

from pathlib import Path

TENANTS = "patchtide_tenants.yml"


def tenants_root(path: str | Path) -> Path | None:
    """Return the nearest directory with ``patchtide_tenants.yml`` at or above a path, resolved; else ``None``."""
    place = Path(path).expanduser().resolve()
    return next((folder for folder in (place, *place.parents) if (folder / TENANTS).is_file()), None)


def tenant_folder(path: str | Path) -> Path | None:
    """Return the directory of the tenant that a path is in; ``None`` if it is in none."""
    root = tenants_root(path)
    parts = Path(path).expanduser().resolve().relative_to(root).parts if root else ()
    return root / parts[0] if root and parts else None
