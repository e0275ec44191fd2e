# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by the actions on directly reached hosts: runs a script on the play's host, outside of a rollout."""

from __future__ import annotations

import secrets

from ...module_utils._ansible.clock import find_clock
from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.stamp import to_time
from ...module_utils._core.work.framed_script import from_framed, to_framed
from ..controller_action import ControllerAction
from .connections import LIMIT


class DirectAction(ControllerAction):
    """Works on the host of the play, over its own connection."""

    _requires_connection = True

    def shell(self, script: str) -> str:
        """Run a POSIX sh script on the host and return what it prints, even if it fails, up to ``LIMIT`` bytes.

        :raises PatchtideError: it did not run to its end, or printed nothing but errors.
        """
        mark = f"patchtide-{secrets.token_hex(8)}"
        payload = to_framed(script, mark, limit=LIMIT).encode("utf-8")
        found = self._low_level_execute_command(f"/bin/sh -s {mark}", in_data=payload, encoding_errors="replace")
        output = from_framed(str(found["stdout"]), mark, LIMIT)
        code = found["rc"] if output is None else output.rc
        if output is None or output.rc is None or (output.rc and not output.stdout.strip()):
            what = "did not run to its end" if output is None or output.rc is None else "failed"
            said = found["stderr"].strip()[-300:]
            raise PatchtideError(f"the script {what} on the host (exit code {code}): {said}")
        return output.stdout

    def now(self) -> str:
        return to_time(find_clock().now())
