# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What work on machines of Azure needs from the outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from .runs import Run


class MachinePort(Protocol):
    """Machines of a tenant's subscriptions. All calls raise ``PatchtideError``, ``Lost`` for want of a clear answer."""

    def view(self, node_id: str) -> Mapping[str, Any]:
        """Return the instance view of a virtual machine, or the model of an Azure Arc server."""

    def assess(self, node_id: str) -> str:
        """Begin an assessment, sent at most once; return the URL of the operation."""

    def install(self, node_id: str, body: Mapping[str, Any]) -> str:
        """Begin an installation, sent at most once; return the URL of the operation."""

    def restart(self, node_id: str) -> None:
        """Begin a restart of a virtual machine, sent at most once."""

    def operation(self, url: str) -> Mapping[str, Any] | None:
        """Return the result of an operation; ``None`` while it runs. :raises NotFound: nobody knows it any more."""

    def runs(self, node_ids: Sequence[str], kind: str, patches: bool) -> Mapping[str, Run]:
        """Return the newest assessments or installations from Resource Graph, which may lag behind."""

    def run_script(
        self, node_id: str, location: str, name: str, script: str, seconds: int, *, once: bool = False
    ) -> None:
        """Begin a managed run command; the same name replaces the command before.

        :param once: send it at most once, because the script changes the machine.
        """

    def script(self, node_id: str, name: str) -> Mapping[str, Any] | None:
        """Return the instance view of a run command; ``None`` if there is none of that name."""

    def forget_script(self, node_id: str, name: str) -> None:
        """Delete a run command: a machine has 25 at most."""

    def service_time(self) -> datetime | None:
        """Return the time of the last answer; ``None`` before the first one."""
