# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directories of a split plan: the parent's, and those of its children. People approve the parent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...module_utils._core.errors import BadInput
from ...module_utils._core.plan.split import check_part
from .folder import read_plan

#: In the parent's directory: that it was split, and the directory of its children.
SPLIT, PARTS = "split.json", "parts"
#: A copy of the parent's plan in a child's directory, on a controller that does not have the parent's.
PARENT = "parent.json"


@dataclass(frozen=True, slots=True)
class Approvable:
    """The plan that people approve, and the directory with their approvals."""

    folder: Path
    plan: Mapping[str, Any]


def to_approve(folder: Path, plan: Mapping[str, Any]) -> Approvable:
    """Return the plan to approve: the plan itself, or for a child plan its parent, which proves the child.

    :raises BadInput: the parent's plan is missing or was changed. :raises NotOfParent: the child is no part of it.
    """
    if "part" not in plan:
        return Approvable(folder, plan)
    copy, above = folder / PARENT, folder.absolute().parents[1] / "plan.json"
    path = copy if copy.is_file() else above
    if not path.is_file():
        raise BadInput("dir", str(folder), f"a child plan with its parent's plan in {above}, or a copy of it in {copy}")
    parent = read_plan(path)
    check_part(plan, parent)
    return Approvable(path.parent, parent)


def check_not_split(folder: Path) -> None:
    """:raises BadInput: the plan was split, so that its child plans are carried out instead."""
    if (folder / SPLIT).exists():
        raise BadInput("dir", str(folder), f"the directory of one of its child plans in {folder / PARTS}: it was split")
