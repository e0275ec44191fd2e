# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for ansible.windows.win_powershell where there is no Windows.

The role's scripts are not run; their answers are made from a file. So the role is shown to ask what it should, and to
understand the answers. Nothing is shown of the scripts.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule(
        {
            "script": {"type": "str", "required": True},
            "parameters": {"type": "dict", "default": {}},
            "error_action": {
                "type": "str",
                "choices": ["silently_continue", "continue", "stop"],
                "default": "continue",
            },
            "depth": {"type": "int", "default": 2},
        },
        supports_check_mode=True,
    )
    file = Path(os.environ["LAB_WSUS"])
    world = json.loads(file.read_text())
    script, given, dry = module.params["script"], module.params["parameters"], module.check_mode
    if dry and "SupportsShouldProcess = $true" not in script:
        module.exit_json(changed=False, skipped=True, msg="the script does not support check mode")
    if "StartSynchronization" in script:
        changed, result = _synchronize(world, dry)
    elif "SearchUpdates" in script:
        changed, result = _approve(world, given, dry)
    elif "DeclineSupersededUpdates" in script:
        changed, result = False, {"declined": 0}
    else:
        changed, result = False, world["state"]
    if not dry:
        world["scripts"] = [*world.get("scripts", []), script.splitlines()[0][2:]]
        file.write_text(json.dumps(world))
    module.exit_json(changed=changed, result=result, output=[], error=[])


def _synchronize(world: dict[str, Any], dry: bool) -> tuple[bool, dict[str, Any]]:
    new = world.get("upstream", [])
    if dry:
        return True, {"result": "NotStarted", "error": "", "new_updates": 0}
    world["updates"], world["upstream"] = world["updates"] + new, []
    return bool(new), {"result": world.get("synchronizes", "Succeeded"), "error": "", "new_updates": len(new)}


def _approve(world: dict[str, Any], given: dict[str, Any], dry: bool) -> tuple[bool, dict[str, Any]]:
    rows = []
    for kb in given["Kbs"]:
        for update in (item for item in world["updates"] if item["kb"] == kb):
            new = not update["declined"] and given["Group"] not in update["before"]
            rows.append({**update, "before": list(update["before"]), "approved": new})
            if new and not dry:
                update["before"].append(given["Group"])
                update["state"] = "Ready"
    return any(row["approved"] for row in rows), {"updates": rows}


if __name__ == "__main__":
    main()
