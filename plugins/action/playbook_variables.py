# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the variables of a playbook; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ansible.utils.vars import load_extra_vars

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.nodes import PREFIX
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.playbook_variables import PLAYBOOKS, VARIABLES, paths_in, read
from ..plugin_utils.rollout.next_commands import after
from ..plugin_utils.tenant_root import tenants_root


class ActionModule(ControllerAction):
    """Reads variables only."""

    SPEC: ClassVar[dict[str, Any]] = {"playbook": {"type": "str", "required": True, "choices": sorted(PLAYBOOKS)}}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        names = [PREFIX + name for name in VARIABLES if PREFIX + name in task_vars]
        given = {name: self._templar.template(task_vars[name]) for name in names}
        found = read(options["playbook"], given, load_extra_vars(self._loader))
        clock = find_clock()
        if any(tenants_root(path) for _name, path in paths_in(found)):
            # Every playbook begins with this action, and few estates have tenants, whose modules take longer to import.
            from ..plugin_utils.approvals.trust import find_trust
            from ..plugin_utils.tenants.guard import check_tenant

            check_tenant(options["playbook"], found, task_vars, lambda: find_trust(clock.now()))
        text = after(options["playbook"], found, clock.now(), check=self.check_mode)
        return {"changed": False, **found, **({"next": text} if text else {})}
