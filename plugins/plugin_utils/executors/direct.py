# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions on directly reached hosts share: running a script on the host of the play, outside of a rollout."""

from __future__ import annotations

from ...module_utils._ansible.clock import find_clock
from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.stamp import to_time
from ..controller_action import ControllerAction


class DirectAction(ControllerAction):
    """Works on the host of the play, over its own connection."""

    _requires_connection = True

    def shell(self, script: str) -> str:
        """Run a POSIX sh script on the host and return what it prints, even if it fails.

        :raises PatchtideError: it printed nothing but errors.
        """
        found = self._low_level_execute_command("/bin/sh -s", in_data=script.encode("utf-8"))
        if not found["stdout"].strip() and found["rc"]:
            raise PatchtideError(
                f"the script failed on the host (exit code {found['rc']}): {found['stderr'].strip()[-300:]}"
            )
        return str(found["stdout"])

    def now(self) -> str:
        return to_time(find_clock().now())
