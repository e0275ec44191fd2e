# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Splits a plan into child plans; see the module of the same name for the documentation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.canonical import to_lines
from ..module_utils._core.errors import BadInput
from ..module_utils._core.nodes import BY
from ..module_utils._core.plan.split import split_plan
from ..module_utils._core.text import counted
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.files import read_json, write_pieces, write_text
from ..plugin_utils.rollout.folder import RolloutDir, read_plan
from ..plugin_utils.rollout.parent import PARTS, SPLIT
from ..plugin_utils.rollout.stores import choose_stores

SCHEMA = "patchtide/split/1"


class ActionModule(ControllerAction):
    """Notes first that the plan is split, so that nobody carries out the parent beside its children."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "by": {"type": "str", "choices": list(BY), "default": BY[0]},
        "at_most": {"type": "int", "default": 0},
        "claims": {"type": "str", "required": True},
        "journal": {"type": "str"},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        folder = Path(options["dir"])
        if not options["claims"].startswith("dynamodb:"):
            raise BadInput("claims", options["claims"], "dynamodb:<table>, which all controllers share")
        rollout = RolloutDir(folder, find_clock())
        if rollout.state.status != "new":
            raise BadInput("dir", str(folder), "a plan whose rollout has not begun")
        children = split_plan(rollout.plan, options["by"], options["at_most"])
        found = _note(folder, rollout.plan, options, children)
        _check_same(folder, found)
        changed = self._write(folder, found, children, options)
        for row in found["children"]:
            self.say(f"{row['name']}: {counted(row['nodes'])}, plan {row['digest']}")
        return {"changed": changed, "digest": rollout.plan["digest"], "children": found["children"]}

    def _write(
        self, folder: Path, found: Mapping[str, Any], children: list[dict[str, Any]], options: Mapping[str, Any]
    ) -> bool:
        """Write what is missing; a crash in between is repaired by the next run."""
        text, changed = json.dumps(found, indent=1) + "\n", False
        if not (folder / SPLIT).exists():
            changed = True
            if not self.check_mode:
                write_text(folder / SPLIT, text)
        for child in children:
            path = folder / PARTS / child["part"]["name"]
            if not _is_there(path / "plan.json", child):
                changed = True
                if not self.check_mode:
                    write_pieces(path / "plan.json", to_lines(child))
            if not self.check_mode:
                choose_stores(path, options["journal"], options["claims"], write=True)
        return changed


def _note(
    folder: Path, plan: Mapping[str, Any], options: Mapping[str, Any], children: list[dict[str, Any]]
) -> dict[str, Any]:
    rows = [
        {
            "name": child["part"]["name"],
            "dir": str(folder / PARTS / child["part"]["name"]),
            "rollout": child["rollout"],
            "digest": child["digest"],
            "nodes": child["totals"]["nodes"],
        }
        for child in children
    ]
    about = {"schema": SCHEMA, "digest": plan["digest"], "by": options["by"], "at_most": options["at_most"]}
    return {**about, "children": rows}


def _check_same(folder: Path, found: Mapping[str, Any]) -> None:
    """:raises BadInput: the plan was split otherwise, and its child plans may have begun."""
    if not (folder / SPLIT).exists():
        return
    before = read_json(folder / SPLIT, "dir")
    same = ("schema", "digest", "by", "at_most")
    if not isinstance(before, Mapping) or any(before.get(name) != found[name] for name in same):
        shown = {name: before.get(name) for name in same} if isinstance(before, Mapping) else before
        raise BadInput("dir", shown, "a plan that was not split in another way; make a new plan to divide it again")


def _is_there(path: Path, child: Mapping[str, Any]) -> bool:
    """Return whether the child plan is written. :raises BadInput: it was changed."""
    return path.exists() and read_plan(path)["digest"] == child["digest"]
