# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run Command and patch states of one account-Region: the ``FleetPort`` for SSM."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property, lru_cache
from typing import Any

from .._core.errors import ServiceError
from .._core.model import Patch, Place
from .._core.stamp import to_time
from .._core.work.node_answer import BadAnswer, words
from .._core.work.ssm.commands import Ambiguous, InvalidNodes
from .._core.work.ssm.ports import CommandRequest, Invocation, PatchState, sure
from .compliance import patch_from_api
from .errors import aws_errors
from .paces import THROTTLED, Paces
from .places import OwnClients
from .session import Sessions

#: StatusDetails of a command that ends before it has invocations (API reference, Command.StatusDetails).
_REFUSALS = frozenset(("RateExceeded", "AccessDenied", "LimitExceeded", "NoInstancesInTag", "InvalidPlatform"))
_NODE_ID = re.compile(r"\bm?i-[0-9a-f]{8,17}\b")
#: Raised by botocore without an answer. After a 5xx answer, it is also unknown whether the call took effect.
#: Maximum number of patches per node, characters of a plugin's output (the service returns 2,500), CVEs per patch.
MOST_PATCHES, MOST_OUTPUT, _MOST_CVES = 10_000, 24_000, 200
#: Values of a filter of DescribeInstancePatches (botocore's service model).
MOST_VALUES = 20
LOST = frozenset(
    {
        "ConnectionClosedError",
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "ResponseStreamingError",
        "EndpointConnectionError",
        "InternalServerError",
        "InternalFailure",
        "InternalError",
        "Unavailable",
        "ServiceUnavailable",
        "500",
        "502",
        "503",
        "504",
    }
)


class SsmFleet:
    """Uses two clients. The one that sends must not retry, because SendCommand has no idempotency token."""

    def __init__(self, place: Place, sessions: Sessions, pause: Callable[[float], None] = time.sleep) -> None:
        self.place = place
        self._sessions = sessions
        self._pause = pause
        self._own = OwnClients(place, sessions)
        self._paces = Paces(pause)
        self._paginators: dict[str, Any] = {}

    @cached_property
    def _client(self) -> Any:
        return self._paces.watch(self._sessions.client("ssm", self.place))

    @cached_property
    def _sender(self) -> Any:
        return self._paces.watch(self._sessions.client("ssm", self.place, retry=False))

    def _pages(self, operation: str, size: int, **request: Any) -> Iterable[Mapping[str, Any]]:
        """Return the pages of a list operation. botocore makes a class for each paginator, so they are kept."""
        if operation not in self._paginators:
            self._paginators[operation] = self._client.get_paginator(operation)
        pages: Iterable[Mapping[str, Any]] = self._paginators[operation].paginate(
            **request, PaginationConfig={"PageSize": size}
        )
        return pages

    def send(self, request: CommandRequest, confirm: Callable[[], None] = sure) -> str:
        # a node of another account would be reported as invalid
        self._own.check()
        members = {
            "DocumentName": request.document,
            "InstanceIds": list(request.node_ids),
            "Parameters": {key: list(value) for key, value in request.parameters.items()},
            "Comment": request.comment,
            "TimeoutSeconds": request.delivery_timeout,
            "MaxConcurrency": request.max_concurrency,
            "MaxErrors": request.max_errors,
        }
        return self.send_members(f"send {request.document} to {len(request.node_ids)} nodes", members, confirm)

    def send_members(self, action: str, members: Mapping[str, Any], confirm: Callable[[], None] = sure) -> str:
        """Send once with these parameters, and retry only if the call cannot have taken effect."""
        for attempt in range(8):
            client = self._sender
            confirm()
            try:
                with aws_errors(f"{action} in {self.place.label}"):
                    reply = client.send_command(**members)
                return str(reply["Command"]["CommandId"])
            except ServiceError as error:
                if error.code in THROTTLED:  # refused before it took effect
                    self._pause(min(0.5 * 2**attempt, 20))
                    continue
                if error.code in LOST:
                    raise Ambiguous(str(error)) from error
                if error.code == "InvalidInstanceId":
                    raise InvalidNodes(str(error), _NODE_ID.findall(error.detail)) from error
                raise
        raise ServiceError(f"{action} in {self.place.label}", "ThrottlingException", "still throttled after 8 tries")

    def find(self, comment: str, document: str, after: datetime) -> str | None:
        since = (after - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
        filters = [{"key": "InvokedAfter", "value": since}, {"key": "DocumentName", "value": document}]
        with aws_errors(f"look up the command {comment!r} in {self.place.label}"):
            for page in self._pages("list_commands", 50, Filters=filters):
                for command in page["Commands"]:
                    if command.get("Comment") == comment:
                        return str(command["CommandId"])
        return None

    def invocations(self, command_id: str, with_output: bool, nodes: Collection[str] = ()) -> list[Invocation]:
        found, left = list[Invocation](), set(nodes)
        with aws_errors(f"read command {command_id} in {self.place.label}"):
            for page in self._pages("list_command_invocations", 50, CommandId=command_id, Details=with_output):
                rows = [to_invocation(row) for row in _of_nodes(page["CommandInvocations"])]
                found += rows
                left.difference_update(row.node_id for row in rows)
                if nodes and not left:  # a full page may have a token though no page follows
                    break
        return found

    def refusal(self, command_id: str) -> str:
        with aws_errors(f"read command {command_id} in {self.place.label}"):
            found = self._client.list_commands(CommandId=command_id)["Commands"]
        if not found:
            return ""
        details = str(found[0].get("StatusDetails") or found[0].get("Status") or "").replace(" ", "")
        return details if details in _REFUSALS else ""

    def service_time(self) -> datetime | None:
        """Return the service's time from the Date header of an answer; ``None`` if there is none."""
        with aws_errors(f"read the time in {self.place.label}"):
            reply = self._client.list_commands(MaxResults=1)
        text = reply.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
        try:
            return parsedate_to_datetime(text) if text else None
        except (TypeError, ValueError):
            return None

    def cancel(self, command_id: str) -> None:
        with aws_errors(f"cancel command {command_id} in {self.place.label}"):
            self._client.cancel_command(CommandId=command_id)

    def patch_states(self, node_ids: Sequence[str]) -> list[PatchState]:
        found = []
        for start in range(0, len(node_ids), 50):
            with aws_errors(f"read patch states in {self.place.label}"):
                some = list(node_ids[start : start + 50])
                pages = self._pages("describe_instance_patch_states", 50, InstanceIds=some)
                found += [to_patch_state(row) for page in pages for row in _of_nodes(page["InstancePatchStates"])]
        return found

    def patches(self, node_id: str, states: Sequence[str], ids: Sequence[str] = ()) -> list[Patch]:
        of_states = [{"Key": "State", "Values": list(states)}] if states else []
        parts = [list(ids[start : start + MOST_VALUES]) for start in range(0, len(ids), MOST_VALUES)]
        filters = [[*of_states, {"Key": "KBId", "Values": part}] for part in parts] or [of_states]
        found: list[Patch] = []
        for some in filters:
            with aws_errors(f"read patches of {node_id}"):
                pages = self._pages("describe_instance_patches", 100, InstanceId=node_id, Filters=some)
                rows = _at_most(MOST_PATCHES, (row for page in pages for row in page["Patches"]))
                found += [to_patch(row) for row in rows]
        return found

    def output(self, command_id: str, node_id: str) -> str:
        with aws_errors(f"read the output of {node_id}"):
            reply = self._client.get_command_invocation(CommandId=command_id, InstanceId=node_id)
        return str(reply.get("StandardOutputContent") or "")[:MOST_OUTPUT]


def _of_nodes(rows: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the rows that have a node ID. Others cannot be assigned to a node."""
    return (row for row in rows if isinstance(row, Mapping) and isinstance(row.get("InstanceId"), str))


def _at_most(limit: int, rows: Iterable[Any]) -> Iterator[Any]:
    """Yield the rows of a node. :raises BadAnswer: there are implausibly many."""
    for number, row in enumerate(rows):
        if number == limit:
            raise BadAnswer(f"it reports more than {limit} patches, which is not plausible")
        yield row


def to_invocation(row: Mapping[str, Any]) -> Invocation:
    """Convert one row of ListCommandInvocations. StatusDetails is documented with and without spaces."""
    plugins = row.get("CommandPlugins") or []
    times = [plugin for plugin in plugins if plugin.get("ResponseStartDateTime")]
    return Invocation(
        node_id=row["InstanceId"],
        status=str(row.get("StatusDetails") or row["Status"]).replace(" ", ""),
        code=plugins[-1].get("ResponseCode", -1) if plugins else -1,
        output="\n".join(str(plugin.get("Output") or "")[:MOST_OUTPUT] for plugin in plugins),
        started_at=to_time(times[0]["ResponseStartDateTime"]) if times else None,
        ended_at=to_time(times[-1]["ResponseFinishDateTime"])
        if times and times[-1].get("ResponseFinishDateTime")
        else None,
    )


def to_patch_state(row: Mapping[str, Any]) -> PatchState:
    """Convert one row of DescribeInstancePatchStates."""
    ended = row.get("OperationEndTime")
    return PatchState(
        node_id=row["InstanceId"],
        operation=row.get("Operation", ""),
        operation_ended_at=ended,
        counts={_snake(key): value for key, value in row.items() if key.endswith("Count")},
        baseline_id=row.get("BaselineId"),
        snapshot_id=str(row.get("SnapshotId") or ""),
        override_list=str(row.get("InstallOverrideList") or ""),
    )


def to_patch(row: Mapping[str, Any]) -> Patch:
    """Convert one row of DescribeInstancePatches. The node wrote its texts, so they are bounded and cleaned.

    :raises BadAnswer: it has no ID.
    """
    if not isinstance(row, Mapping) or not isinstance(row.get("KBId"), str):
        raise BadAnswer("one of its patches has no ID")
    found = patch_from_api(row)
    return Patch(
        id=words(found.id, 300),
        title=words(found.title, 300),
        classification=words(found.classification, 100),
        severity=words(found.severity, 100),
        state=_state(words(found.state, 40)),
        cve_ids=tuple(words(cve, 40) for cve in found.cve_ids[:_MOST_CVES]),
    )


def _state(text: str) -> str:
    """Return ``InstalledPendingReboot``, as in the guide, as ``INSTALLED_PENDING_REBOOT``, as in the model."""
    return text if text.isupper() else _snake(text).upper()


@lru_cache(maxsize=200)
def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
