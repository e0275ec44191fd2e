# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this controller can use an executor: it is in the registry, and its requirements are installed."""

from __future__ import annotations

from importlib.util import find_spec

from ...module_utils._core.executors import find, lacks, unserved


def why_unserved(name: str) -> str:
    """Return why this controller can't use the executor, and how to fix it; "" if it can."""
    row = find(name)
    if row is None:
        return unserved(name)
    return lacks(row, [item for item in row.requires if not _is_installed(item.module)])


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # a parent package is missing, or a module was loaded without a spec
        return False
