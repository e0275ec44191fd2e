# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts and stops EC2 instances and reads the status of their agents: the ``PowerPort``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from .._core.errors import ServiceError
from .._core.model import Place
from .errors import aws_errors
from .instances import read_instances
from .isolate import isolate, patiently, reason
from .paging import read_all
from .places import OwnClients
from .session import Sessions

#: Instances per StartInstances or StopInstances. No limit is documented; a small number isolates refused IDs quickly.
_SWITCHED = 50
#: "MaxResults … Maximum value of 50" (DescribeInstanceInformation)
_PINGED = 50


class AwsPower:
    """The ``PowerPort`` of one account-Region. For n instances, n/200 calls to read, and n/50 more to switch."""

    def __init__(self, place: Place, sessions: Sessions, pause: Callable[[float], None] = time.sleep) -> None:
        self.place = place
        self._clients = OwnClients(place, sessions)
        self._pause = pause

    def states(self, ids: Sequence[str]) -> dict[str, str]:
        rows = read_instances(self._clients("ec2"), ids)
        return {item: str(row["State"]["Name"]) for item, row in rows.items()}

    def start(self, ids: Sequence[str]) -> dict[str, str]:
        try:
            states = self.states(ids)
        except ServiceError as error:
            return dict.fromkeys(ids, reason(error))
        stopped = [item for item, state in states.items() if state == "stopped"]
        gone = {
            item: "InvalidInstanceID.NotFound: the EC2 instance does not exist" for item in ids if item not in states
        }
        # "If you start an instance that is stopping": IncorrectInstanceState (EC2 error codes)
        going = {item: "IncorrectInstanceState: it is stopping" for item in states if states[item] == "stopping"}
        return {**gone, **going, **self._switch("start", stopped)}

    def stop(self, ids: Sequence[str]) -> dict[str, str]:
        try:
            states = self.states(ids)
        except ServiceError as error:
            return dict.fromkeys(ids, reason(error))
        return self._switch("stop", [item for item, state in states.items() if state in ("pending", "running")])

    def _switch(self, verb: str, ids: Sequence[str]) -> dict[str, str]:
        """Start or stop. InsufficientInstanceCapacity is a server error in EC2, hence the client without retries."""

        def once(some: list[str]) -> None:
            client: Any = self._clients("ec2", retry=False)
            with aws_errors(f"{verb} {len(some)} instances in {self.place.label}"):
                getattr(client, f"{verb}_instances")(InstanceIds=some)

        return isolate(ids, _SWITCHED, lambda some: patiently(lambda: once(some), self._pause))

    def ping(self, ids: Sequence[str]) -> dict[str, str]:
        wanted = list(dict.fromkeys(ids))
        rows: list[dict[str, Any]] = []
        for at in range(0, len(wanted), _PINGED):
            filters = [{"Key": "InstanceIds", "Values": wanted[at : at + _PINGED]}]
            action, operation = "ask after agents", "describe_instance_information"
            rows += read_all(
                self._clients("ssm"), action, operation, "InstanceInformationList", _PINGED, Filters=filters
            )
        return {row["InstanceId"]: row["PingStatus"] for row in rows}
