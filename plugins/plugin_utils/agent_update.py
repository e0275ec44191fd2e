# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Updates the SSM Agent of nodes by AWS-UpdateSSMAgent and waits for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ..module_utils._aws.run_command import SsmFleet
from ..module_utils._aws.session import Sessions
from ..module_utils._core.accounts import Account
from ..module_utils._core.clock import Clock
from ..module_utils._core.work.ssm.commands import Chunk, comment_of, deadline, split
from ..module_utils._core.work.ssm.ports import CommandRequest, FleetPort
from ..module_utils._core.work.ssm.stagerun import StageRun
from ..module_utils._core.work.ssm.stages import AgentStage
from .aws_options import node_places
from .workers import gather

#: Seconds for the command to begin on a node, and for the update there.
_DELIVERY, _SECONDS = 600, 900


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentUpdate:
    """Where and how the updates run. ``say`` gets progress lines."""

    sessions: Sessions
    accounts: Sequence[Account]
    clock: Clock
    say: Callable[[str], None]
    poll_seconds: float

    def run(self, nodes: Sequence[Mapping[str, Any]], token: str, title: str) -> dict[str, str]:
        """Update the agents of nodes; return why by the ID of each node whose update is not known to have succeeded.

        :param nodes: with ``node_id``, ``account``, ``region`` and ``platform``.
        :param token: of the run. A command with the same one is followed, not sent again.
        """
        places = node_places([(node["account"], node["region"]) for node in nodes], self.accounts)
        ports: dict[str, FleetPort] = {place.label: SsmFleet(place, self.sessions) for place in places}
        now = self.clock.now()
        chunks = [
            Chunk(
                token=f"{token}.{number}",
                place=place,
                request=_request(f"{token}.{number}", ids),
                intended_at=now - timedelta(days=1),  # an earlier controller may have sent it
                deadline=deadline(now, _DELIVERY, _SECONDS),
            )
            for number, (place, _platform, ids) in enumerate(split(nodes), 1)
        ]
        run = StageRun(
            stage=AgentStage(),
            title=title,
            ports=ports,
            clock=self.clock,
            gather=gather,
            progress=self.say,
            poll_seconds=self.poll_seconds,
        )
        results = run.begin(chunks, look_first=True) + run.wait(chunks)
        return {item["node_id"]: str(item["error"].get("text") or "") for item in results if item.get("error")}


def _request(token: str, ids: Sequence[str]) -> CommandRequest:
    parameters: dict[str, list[str]] = {}
    return CommandRequest(
        document="AWS-UpdateSSMAgent", parameters=parameters, node_ids=tuple(ids), comment=comment_of(token)
    )
