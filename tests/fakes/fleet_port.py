# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run Command and patch states of one place in memory, and a clock that only sleeping moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError, ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Patch, Place
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.commands import (
    Ambiguous,
    Chunk,
    InvalidNodes,
    deadline,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.ports import (
    CommandRequest,
    Invocation,
    PatchState,
    sure,
)

START = datetime(2026, 6, 1, 20, 0, tzinfo=timezone.utc)


@dataclass
class FakeClock:
    """``moment`` moves by sleeping only; ``slept`` lists the naps."""

    moment: datetime = START
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.moment += timedelta(seconds=seconds)


@dataclass
class FakeFleet:
    """A ``FleetPort``. Nodes end as ``endings`` says (Success when not named) ``seconds`` after the command was sent.

    :param refuse: the error that SendCommand ends with.
    :param lost: so many answers to SendCommand are lost; ``swallowed`` says whether those commands exist.
    :param unreadable: so many reads of invocations fail.
    :param begun: so many of a command's nodes work on it before it ends; all if not given.
    :param states: what a node shows after its invocation ended; a state without an end gets the time at which the
        invocation ended, and is shown ``state_after`` seconds later. One with an end is an old one, shown at once.
    :param gone: nodes for which SendCommand refuses the whole call; ``named`` says whether it names them.
    :param ended_early: why the service ended every command before any node had a part of it.
    """

    clock: FakeClock
    label: str = "111111111111/eu-central-1"
    seconds: float = 60
    endings: dict[str, str] = field(default_factory=dict)
    states: dict[str, PatchState] = field(default_factory=dict)
    listed: dict[str, list[Patch]] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    whole_outputs: dict[str, str] = field(default_factory=dict)
    refuse: PatchtideError | None = None
    lost: int = 0
    swallowed: bool = False
    visible_after: float = 0
    unreadable: int = 0
    begun: int | None = None
    calls: Counter[str] = field(default_factory=Counter)
    commands: dict[str, tuple[CommandRequest, datetime]] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    state_after: float = 0
    gone: frozenset[str] = frozenset()
    named: bool = True
    ended_early: str = ""

    @property
    def place(self) -> Place:
        account, region = self.label.split("/")
        return Place(region=region, account=account)

    def send(self, request: CommandRequest, confirm: Callable[[], None] = sure) -> str:
        confirm()
        self.calls["send"] += 1
        if self.refuse:
            raise self.refuse
        if bad := self.gone & set(request.node_ids):
            raise InvalidNodes(f"InvalidInstanceId: {sorted(bad)}", bad if self.named else ())
        if self.lost:
            self.lost -= 1
            if not self.swallowed:
                self._create(request)
            raise Ambiguous("no answer")
        return self._create(request)

    def _create(self, request: CommandRequest) -> str:
        command_id = f"command-{len(self.commands) + 1}"
        self.commands[command_id] = (request, self.clock.now())
        return command_id

    def find(self, comment: str, document: str, after: datetime) -> str | None:
        self.calls["find"] += 1
        for command_id, (request, at) in self.commands.items():
            seen = (self.clock.now() - at).total_seconds() >= self.visible_after
            if request.comment == comment and request.document == document and at >= after and seen:
                return command_id
        return None

    def invocations(self, command_id: str, with_output: bool, nodes: Collection[str] = ()) -> list[Invocation]:
        request, sent = self.commands[command_id]
        self.calls["pages"] += -(-len(request.node_ids) // 50)
        if self.unreadable:
            self.unreadable -= 1
            raise ServiceError("read the command", "InternalServerError", "try again")
        if self.ended_early:
            return []
        over = (self.clock.now() - sent).total_seconds() >= self.seconds
        rows = [self._invocation(node, over, sent, with_output) for node in request.node_ids]
        waiting = () if over or self.begun is None else rows[self.begun :]
        return [replace(row, status="Pending") if row in waiting else row for row in rows]

    def _invocation(self, node: str, over: bool, sent: datetime, with_output: bool) -> Invocation:
        status = self.endings.get(node, "Success") if over else "InProgress"
        output = self.outputs.get(node, "") if with_output else ""
        return Invocation(node_id=node, status=status, output=output, started_at=sent.isoformat())

    def refusal(self, command_id: str) -> str:
        self.calls["refusal"] += 1
        return self.ended_early

    def service_time(self) -> datetime | None:
        return self.clock.now()

    def cancel(self, command_id: str) -> None:
        self.calls["cancel"] += 1
        self.cancelled.append(command_id)

    def patch_states(self, node_ids: Sequence[str]) -> list[PatchState]:
        self.calls["patch_states"] += -(-len(node_ids) // 50)
        found = [self._dated(self.states[node]) for node in node_ids if node in self.states]
        return [state for state in found if state is not None]

    def _dated(self, state: PatchState) -> PatchState | None:
        """The state with its end, its snapshot and its list; ``None`` while it is on its way."""
        if state.operation_ended_at:
            return state
        parameters = self._parameters(state.node_id)
        listed = next(iter(parameters.get("InstallOverrideList", ())), "")
        snapshot = next(iter(parameters.get("SnapshotId", ())), "")
        state = replace(state, snapshot_id=state.snapshot_id or snapshot, override_list=state.override_list or listed)
        sent = max((at for request, at in self.commands.values() if state.node_id in request.node_ids), default=START)
        at = sent + timedelta(seconds=self.seconds)
        is_there = self.clock.now() >= at + timedelta(seconds=self.state_after)
        return replace(state, operation_ended_at=at) if is_there or not self.commands else None

    def _parameters(self, node_id: str) -> Mapping[str, Sequence[str]]:
        """What the last patch document on a node was given."""
        sent = [
            item for item, _at in self.commands.values() if node_id in item.node_ids and "Operation" in item.parameters
        ]
        return sent[-1].parameters if sent else {}

    def patches(self, node_id: str, states: Sequence[str], ids: Sequence[str] = ()) -> list[Patch]:
        self.calls["patches"] += 1
        found = self.listed.get(node_id, [])
        return [patch for patch in found if patch.id in ids] if ids else list(found)

    def output(self, command_id: str, node_id: str) -> str:
        self.calls["output"] += 1
        return self.whole_outputs.get(node_id, self.outputs.get(node_id, ""))


def gather(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """One after the other: what is concurrent in production is in order here."""
    return [work(item) for item in items]


def chunk(fleet: FakeFleet, nodes: Sequence[str], number: int = 1, execution: int = 600) -> Chunk:
    """A command on nodes of the fleet's place, announced now."""
    comment = f"patchtide r canary/patch/1.{number}"
    request = CommandRequest(document="AWS-RunPatchBaseline", parameters={}, node_ids=tuple(nodes), comment=comment)
    return Chunk(
        token=comment,
        place=fleet.label,
        request=request,
        intended_at=fleet.clock.now(),
        deadline=deadline(fleet.clock.now(), 600, execution),
    )


def patch_state(node_id: str, operation: str = "Install", at: datetime | None = None, **counts: int) -> PatchState:
    """What DescribeInstancePatchStates says of a node, such as ``failed=1``; without ``at`` the fleet dates it."""
    return PatchState(
        node_id=node_id,
        operation=operation,
        operation_ended_at=at,
        counts={f"{name}_count": value for name, value in counts.items()},
    )
