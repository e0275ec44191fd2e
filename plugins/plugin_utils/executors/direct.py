# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions on directly reached hosts share: running a script there, and the node's place in a rollout."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ...module_utils._ansible.clock import find_clock
from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.events import Intent, Outcome
from ...module_utils._core.rollout.state import NodeState
from ...module_utils._core.stamp import to_time
from ...module_utils._core.work.node_answer import bounded
from ..controller_action import ControllerAction
from ..progress import SignOfLife
from ..rollout.folder import RolloutDir


class DirectAction(ControllerAction):
    """Works on the play's host over its own connection. With ``dir`` and ``wave`` it is a stage of a rollout."""

    _requires_connection = True
    SPEC: ClassVar[dict[str, Any]] = {"dir": {"type": "path"}, "wave": {"type": "str"}, "node": {"type": "str"}}
    RULES: ClassVar[dict[str, Any]] = {"required_together": [("dir", "wave", "node")]}

    def sign_of_life(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> SignOfLife:
        shared = Path(options["dir"]) / ".sign_of_life" if options["dir"] else None
        return SignOfLife(self.say, title=f"{task_vars.get('inventory_hostname', '')}: ", shared=shared)

    def rollout(self, options: Mapping[str, Any]) -> RolloutDir | None:
        return RolloutDir(options["dir"], find_clock()) if options["dir"] else None

    def shell(self, script: str) -> str:
        """Run a POSIX sh script on the host and return what it prints, also where it fails.

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


def outcome(rollout: RolloutDir, options: Mapping[str, Any], stage: str, result: Mapping[str, Any]) -> None:
    """Record one node's result of a stage."""
    row = {**bounded(result), "node_id": options["node"]}
    rollout.record(Outcome(wave=options["wave"], stage=stage, results=(row,)))


def announce(rollout: RolloutDir, options: Mapping[str, Any], stage: str) -> None:
    """Record the intent, unless an earlier run that was cut off recorded it: then its work is taken up again."""
    state: NodeState = rollout.state_of_node(options["node"])
    if state.token:
        return
    attempt = state.attempts.get(stage, 0) + 1
    token = f"{rollout.plan['rollout']} {options['wave']}/{stage}/{options['node']}.{attempt}"
    rollout.record(Intent(wave=options["wave"], stage=stage, attempt=attempt, nodes=(options["node"],), token=token))
