# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Determines whether a host needs a reboot, and verifies it; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..module_utils._core.errors import PatchtideError
from ..module_utils._core.work.final_record import must_reboot
from ..module_utils._core.work.host_probe import to_probe
from ..module_utils._core.work.precheck import parse_probe
from ..plugin_utils.executors.direct import DirectAction


class ActionModule(DirectAction):
    """The reboot itself is ansible.builtin.reboot; this knows whether it is due and whether it happened."""

    SPEC: ClassVar[dict[str, Any]] = {
        "state": {"type": "str", "choices": ["decided", "proven"], "required": True},
        "rule": {"type": "str", "choices": ["never", "if_required", "always", "if_patched"], "default": "if_required"},
        "patched": {"type": "bool", "default": False},
        "boot_id_before": {"type": "str"},
    }
    RULES: ClassVar[dict[str, Any]] = {"required_if": [("state", "proven", ["boot_id_before"])]}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        facts = parse_probe(self.shell(to_probe("linux")))
        if facts is None:
            raise PatchtideError("the host's boot id could not be read: the host probe printed no document")
        boot_id = str(facts.get("boot_id") or "")
        if options["state"] == "decided":
            due = must_reboot(options["rule"], pending=bool(facts.get("pending_reboot")), patched=options["patched"])
            return {"changed": False, "due": due, "boot_id": boot_id}
        rebooted = bool(boot_id) and boot_id != options["boot_id_before"]
        if not rebooted and not self.check_mode:
            raise PatchtideError("the host was not rebooted: its boot id has not changed")
        return {"changed": False, "due": False, "boot_id": boot_id, "rebooted": rebooted}
