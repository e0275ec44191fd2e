# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes what nobody needs from a history; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..plugin_utils.aws_options import aws_spec
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.history.cleanup import clean_up
from ..plugin_utils.history.places import open_history


class ActionModule(ControllerAction):
    """Ages are those that the file system or S3 gives files, compared with the controller's clock."""

    SPEC: ClassVar[dict[str, Any]] = {
        "history": {"type": "str", "required": True},
        "days": {"type": "int", "default": 7},
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        store = open_history(options["history"], options)
        found = clean_up(store, find_clock().now(), options["days"], not self.check_mode)
        verb = "would be removed" if self.check_mode else "removed"
        size = f"{found['bytes'] / 2**20:,.1f} MB"
        self.say(f"{len(found['files']):,} files of {found['publications']:,} publications {verb}, {size}")
        return {"changed": bool(found["files"]), "history": store.where, **found}
