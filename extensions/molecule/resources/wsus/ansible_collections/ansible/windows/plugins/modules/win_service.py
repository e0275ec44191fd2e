# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for ansible.windows.win_service where there is no Windows."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule({"name": {"required": True}, "state": {"required": True}}, supports_check_mode=True)
    module.exit_json(changed=True)


if __name__ == "__main__":
    main()
