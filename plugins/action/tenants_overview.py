# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows all tenants; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.report.model import to_json
from ..plugin_utils.approvals.trust import find_trust
from ..plugin_utils.aws_options import aws_spec
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.files import write_text
from ..plugin_utils.report.html import render_tenants_html
from ..plugin_utils.tenants.directory import read_directory
from ..plugin_utils.tenants.overview import overview, to_csv


class ActionModule(ControllerAction):
    """Reads the tenants' own files and histories, and writes three files."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "dest": {"type": "path"},
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        clock = find_clock()
        found = overview(read_directory(Path(options["dir"])), find_trust(clock.now()), clock, options)
        changed = False
        if options["dest"]:
            pages = {"tenants.json": to_json(found), "tenants.csv": to_csv(found)}
            for name, text in {**pages, "index.html": render_tenants_html(found)}.items():
                changed |= self._write(Path(options["dest"]) / name, text)
            self.say(f"Tenants  {Path(options['dest']) / 'index.html'}")
        for text in found["problems"]:
            self.say(f"not separate: {text}")
        return {"changed": changed, **found}

    def _write(self, path: Path, text: str) -> bool:
        if self.check_mode:
            return not path.exists() or path.read_text("utf-8") != text
        return write_text(path, text)
