# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What executors of directly reached hosts have in common: one host a work, and what its answers become."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ...module_utils._core.clock import Clock
from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.stamp import to_time
from ...module_utils._core.work.node_answer import not_understood
from ..rollout.folder import RolloutDir
from .base import Result, Work
from .connection_errors import AccessRefused, BadConnection
from .host_results import lost, unreadable


class HostExecutor:
    """Part of ``ExecutorPort``. Subclasses say how a stage is polled and stopped."""

    __slots__ = ()
    rollout: RolloutDir
    clock: Clock

    def batches(self, stage: str, nodes: Sequence[str]) -> list[tuple[str, list[str]]]:
        return [(str(self.rollout.nodes[node]["host"]), [node]) for node in nodes]

    def poll(self, work: Work) -> list[Result]:
        node = work.nodes[0]
        try:
            results: list[Result] = [{"node_id": node, **result} for result in self._poll(work, node)]
        except (AccessRefused, BadConnection) as why:
            return [{"node_id": node, **lost(work, why)}]
        except PatchtideError:
            raise
        except Exception as why:
            return [{"node_id": node, **self._times(work), **unreadable(work, not_understood(why))}]
        work.trouble = ""
        return results

    def service_time(self) -> datetime | None:
        return None  # a host's own clock is not used for decisions

    def give_up(self, work: Work, why: PatchtideError | None) -> list[Result]:
        node = work.nodes[0]
        if why is None and work.stage in ("patch", "reboot"):
            return [{"node_id": node, **self._times(work), **self._stopped(work)}]
        result = lost(work, why or PatchtideError(work.trouble or "the host gave no answer"))
        return [{"node_id": node, **self._times(work), **result}]

    def _times(self, work: Work) -> dict[str, Any]:
        return {"started_at": to_time(work.at), "ended_at": to_time(self.clock.now())}

    def _poll(self, work: Work, node: str) -> Sequence[dict[str, Any]]:
        """Return the result of a host whose stage has ended. :raises PatchtideError: it gave no answer now."""
        raise NotImplementedError

    def _stopped(self, work: Work) -> dict[str, Any]:
        """End work that has exceeded its time, and return what the host proves about it."""
        raise NotImplementedError
