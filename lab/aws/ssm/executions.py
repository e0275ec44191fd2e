# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A document at work on a node: it goes on whatever the service shows of it, and is told when the agent can tell.

The service ends an invocation when its command expires; it can't end the work on a node whose agent is away. A script
is a process of its own beside the agent, so it may outlive the agent (aws/amazon-ssm-agent#316: finished on the server,
DeliveryTimedOut in the service; #320: completed once the agent was started again by hand).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..node import Node
from .behaviour import REBOOT, Behaviour, Result

if TYPE_CHECKING:
    from .backend import Place

RETRY = 15.0
_INTERRUPTED = Result(code=1, stderr="The document was interrupted by a restart of the node.")
#: what the agent says of work it finds dead (aws/amazon-ssm-agent#234)
_LOST = Result(code=1, stderr="document process failed unexpectedly: document worker timed out")

#: (detail, result) of work that is over; True while the service still wants to hear of it
Tell = Callable[[str, "Result | None"], bool]


class Execution:
    """One document on one node, from its begin to its end there."""

    def __init__(self, place: Place, node: Node, run: Behaviour, tell: Tell, note: Callable[[str], None]) -> None:
        self._place, self._node, self._run = place, node, run
        self._tell_service, self._note = tell, note
        self._boots = node.boots
        self._stop = False
        self.detail = ""  #: how it ended on the node, "" while it runs
        self.result: Result | None = None

    def begin(self, timeout: float) -> None:
        self._place.sim.after(timeout, self._times_out)
        self._go()

    def ask_to_stop(self) -> None:
        """CancelCommand: the agent stops the work at the next step, if it hears of it."""
        self._stop = True

    def die(self) -> None:
        """The work ends with its agent."""
        self._over("Failed", _LOST)

    def _times_out(self) -> None:
        """The agent enforces the execution timeout and tells it: nobody else can ("SSM Agent must send an
        ExecutionTimedOut signal for an invocation … to be marked as ExecutionTimedOut", command timeout values)."""
        if self.detail or self._node.power == "terminated":
            return
        if self._node.answers:
            self._over("ExecutionTimedOut", None)
        else:
            self._place.sim.after(RETRY, self._times_out)

    def _go(self) -> None:
        if self.detail or self._node.power == "terminated":
            return
        if self._node.boots != self._boots:
            self._over("Failed", _INTERRUPTED)
        elif not self._node.is_up:
            self._place.sim.after(2 * RETRY, self._go)
        elif self._stop and self._node.answers:
            self._over("Cancelled", None)
        else:
            self._advance()

    def _advance(self) -> None:
        try:
            wanted = next(self._run)
        except StopIteration as stop:
            self._over("Success" if stop.value.code == 0 else "Failed", stop.value)
            return
        if wanted is REBOOT:
            self._reboot()
        else:
            self._place.sim.after(float(wanted), self._go)

    def _reboot(self) -> None:
        """Exit 194 asks the agent for the reboot; without an agent there is none."""
        if self.detail or self._node.power == "terminated":
            return
        if self._node.boots != self._boots:
            self._rebooted()
        elif self._node.answers:
            self._node.reboot(self._rebooted)
        else:
            self._place.sim.after(RETRY, self._reboot)

    def _rebooted(self) -> None:
        self._boots = self._node.boots
        self._go()

    def _over(self, detail: str, result: Result | None) -> None:
        if self.detail:
            return
        self.detail, self.result = detail, result
        self._run.close()
        self._note(detail)
        self._tell()

    def _tell(self) -> None:
        """Report as soon as the agent answers; give up when nobody wants to know any more."""
        if self._node.answers:
            self._tell_service(self.detail, self.result)
        elif self._node.power != "terminated" and self._tell_service("", None):
            self._place.sim.after(RETRY, self._tell)
