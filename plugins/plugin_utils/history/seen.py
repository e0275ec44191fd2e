# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory's nodes with what keeps them from being patched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils._core.history.runs import Seen
from ...module_utils._core.nodes import PREFIX
from ..inventory.nodes import candidates, variables_of


def seen_nodes(task_vars: Mapping[str, Any]) -> dict[str, Seen]:
    """Return the nodes by ID. One whose data comes from an old cache has the problem ``stale``."""
    found = {}
    for node in candidates(task_vars):
        known = variables_of(task_vars["hostvars"], node.host)
        problems = [str(code) for code in known.get(f"{PREFIX}coverage") or ()]
        stale = ["stale"] if known.get(f"{PREFIX}stale") else []
        found[node.node_id] = Seen(node=node, problems=(*problems, *stale))
    return found
