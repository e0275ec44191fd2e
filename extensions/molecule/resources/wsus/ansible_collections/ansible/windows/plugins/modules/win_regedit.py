# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for ansible.windows.win_regedit where there is no Windows: values in a file."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    spec = {"path": {"required": True}, "name": {"required": True}, "data": {"type": "raw"}, "type": {"required": True}}
    module = AnsibleModule(spec, supports_check_mode=True)
    file = Path(os.environ["LAB_WSUS"])
    world = json.loads(file.read_text())
    key, data = f"{module.params['path']}\\{module.params['name']}", module.params["data"]
    values = world.setdefault("registry", {})
    changed = values.get(key) != data
    if changed and not module.check_mode:
        values[key] = data
        file.write_text(json.dumps(world))
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
