# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts and deallocates virtual machines and reads the status of their agents: the ``PowerPort``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._core.azure_ids import is_vm
from .._core.errors import NotFound, ServiceError
from .._core.work.azure.runs import state_of
from .arm import Arm
from .each import on_each, reason
from .machines import COMPUTE_API, instance_view

#: Power state → state of the port. A machine that was shut down in its operating system keeps its host ("stopped"); it
#: is neither started nor stopped (Microsoft Learn, "States and billing status of Azure Virtual Machines").
_STATES = {"starting": "pending", "running": "running", "deallocating": "stopping", "deallocated": "stopped"}


class AzurePower:
    """The ``PowerPort`` of a subscription's virtual machines. A call to read each machine, and one to switch it.

    What was read counts until something is switched, so that a look at states and agents costs one call each.
    """

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        self._views: dict[str, Mapping[str, Any]] = {}

    def states(self, ids: Sequence[str]) -> dict[str, str]:
        return {item: _state(view) for item, view in self._read(ids).items()}

    def start(self, ids: Sequence[str]) -> dict[str, str]:
        states, problems = self._known(ids)
        gone = {item: "ResourceNotFound: the virtual machine does not exist" for item in ids if item not in states}
        going = {item: "OperationNotAllowed: it is deallocating" for item in states if states[item] == "stopping"}
        stopped = [item for item, state in states.items() if state == "stopped"]
        return {**gone, **going, **problems, **self._switch("start", stopped)}

    def stop(self, ids: Sequence[str]) -> dict[str, str]:
        """Deallocate virtual machines; return why not by ID."""
        states, problems = self._known(ids)
        running = [item for item, state in states.items() if state not in ("stopping", "stopped")]
        return {**problems, **self._switch("deallocate", running)}

    def ping(self, ids: Sequence[str]) -> dict[str, str]:
        """Return whether the guest agent is ready, Online or ConnectionLost, for machines that run."""
        views = {item: state_of(view) for item, view in self._read(ids).items()}
        agents = {item: ready for item, (power, ready) in views.items() if power == "running"}
        return {item: "Online" if ready else "ConnectionLost" for item, ready in agents.items()}

    def _known(self, ids: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
        """Return states, and why they can't be read, by ID."""
        try:
            return self.states(ids), {}
        except ServiceError as error:
            return {}, dict.fromkeys(ids, reason(error))

    def _read(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return the instance views of the machines that exist. :raises ServiceError: one can't be read."""
        machines = [item for item in ids if is_vm(item)]
        found, errors = on_each(
            [item for item in machines if item not in self._views], lambda item: instance_view(self._arm, item)
        )
        for error in errors.values():
            if not isinstance(error, NotFound):
                raise error
        self._views.update(found)
        return {item: self._views[item] for item in machines if item in self._views}

    def _switch(self, verb: str, ids: Sequence[str]) -> dict[str, str]:
        """Start or deallocate: of a machine that is already started or deallocated, the service takes both calls."""

        def call(item: str) -> None:
            self._arm.query(f"{item}/{verb}", COMPUTE_API, None, f"{verb} {item.rpartition('/')[2]}")

        _done, errors = on_each(ids, call)
        self._views = {item: view for item, view in self._views.items() if item not in ids}
        return {item: reason(error) for item, error in errors.items()}


def _state(view: Mapping[str, Any]) -> str:
    """Return pending, running, stopping or stopped. Another one, such as ``shut down``, is not switched by a start."""
    power, _ready = state_of(view)
    return _STATES.get(power, {"stopped": "shut down", "stopping": "shutting down"}.get(power, power or "unknown"))
