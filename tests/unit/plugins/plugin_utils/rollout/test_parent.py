# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""People approve the parent; a child plan is carried out only if it is the parent's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import seal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.split import NotOfParent
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.parent import (
    SPLIT,
    check_not_split,
    to_approve,
)

from tests.fakes.split import Split


def test_a_plan_of_its_own_is_approved_itself(tmp_path: Path) -> None:
    split = Split(tmp_path)
    found = to_approve(tmp_path, split.parent)
    assert (found.folder, found.plan) == (tmp_path, split.parent)


def test_of_a_child_the_parent_is_approved_where_its_approvals_are(tmp_path: Path) -> None:
    split = Split(tmp_path / "here") if (tmp_path / "here").mkdir() is None else None
    assert split
    child = split.open("a").plan
    found = to_approve(split.folders["a"], child)
    assert (found.folder, found.plan["digest"]) == (tmp_path / "here", split.parent["digest"])
    away = tmp_path / "elsewhere"
    shutil.copytree(split.folders["a"], away)
    with pytest.raises(BadInput, match=r"its parent's plan in .*plan.json, or a copy of it in .*parent.json"):
        to_approve(away, child)
    shutil.copy(tmp_path / "here" / "plan.json", away / "parent.json")
    assert to_approve(away, child).folder == away


def test_a_child_that_was_changed_or_is_of_another_plan_is_refused(tmp_path: Path) -> None:
    split = Split(tmp_path)
    child = split.open("a").plan
    wider = seal({**child, "part": {**child["part"], "limits": {"rollout": 99}}})
    with pytest.raises(NotOfParent):
        to_approve(split.folders["a"], wider)
    (tmp_path / "plan.json").write_text(json.dumps(seal({**split.parent, "warnings": ["new"]})), "utf-8")
    with pytest.raises(NotOfParent):
        to_approve(split.folders["a"], child)


def test_a_plan_that_was_split_is_not_carried_out_itself(tmp_path: Path) -> None:
    check_not_split(tmp_path)
    (tmp_path / SPLIT).write_text("{}", "utf-8")
    with pytest.raises(BadInput, match="the directory of one of its child plans"):
        check_not_split(tmp_path)
