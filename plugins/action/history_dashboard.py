# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the dashboard of a history; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..plugin_utils.aws_options import aws_spec
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.files import write_text
from ..plugin_utils.history.dashboard import pages
from ..plugin_utils.history.places import open_history
from ..plugin_utils.history.read import open_history_tables


class ActionModule(ControllerAction):
    """Writes the page last, so that it never names files that are not there yet."""

    SPEC: ClassVar[dict[str, Any]] = {
        "history": {"type": "str", "required": True},
        "dest": {"type": "path", "required": True},
        "title": {"type": "str", "default": "Patch compliance"},
        "owners": {"type": "bool", "default": False},
        "since": {"type": "str", "default": ""},
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        dest, changed, files = Path(options["dest"]), False, []
        with open_history_tables(open_history(options["history"], options), options["since"]) as database:
            for name, text in pages(database, options["title"], options["owners"]):
                files.append(name)
                changed |= self._write(dest / name, text)
        self.say(f"Dashboard  {dest / 'index.html'}")
        return {"changed": changed, "dest": str(dest), "files": files}

    def _write(self, path: Path, text: str) -> bool:
        if self.check_mode:
            return not path.exists() or path.read_text("utf-8") != text
        return write_text(path, text)
