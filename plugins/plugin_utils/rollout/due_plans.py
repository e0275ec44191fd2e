# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plans in a directory and what each rollout needs: the tenants of one schedule."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ...module_utils._ansible.clock import find_clock
from ...module_utils._core.errors import BadInput, PatchtideError
from ...module_utils._core.policy.emergency import policy_of
from ...module_utils._core.rollout.agenda import Agenda, Need
from ...module_utils._core.stamp import from_time, to_time
from ...module_utils._core.text import plain
from ..policy.file import load_policy
from .controller_lock import AnotherController, running_controller, taking_over, this_host
from .folder import RolloutDir
from .parent import PARTS, SPLIT
from .sharing import agenda_of

PLAN, POLICY, APPROVAL = "plan.json", "policy.yml", "approval.yml"
#: Number of levels below the directory to search for plans.
DEPTH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A directory with a plan, and what its rollout needs.

    :param last_at: when the last record of its journal was written, "" before the first one.
    :param broken: why this can't be determined.
    """

    folder: Path
    policy_file: str = ""
    approval_file: str = ""
    rollout: str = ""
    agenda: Agenda | None = None
    last_at: str = ""
    broken: str = ""

    @property
    def is_due(self) -> bool:
        return self.agenda is not None and self.agenda.is_due

    def to_data(self) -> dict[str, Any]:
        """Return it in the form of the task's result."""
        found = self.agenda
        night = found.night if found else None
        return {
            "dir": str(self.folder),
            "rollout": self.rollout,
            "policy_file": self.policy_file,
            "approval_file": self.approval_file,
            "need": found.need.value if found else "broken",
            "at": to_time(found.at) if found and found.at else "",
            "local": night.local if night else "",
            "text": plain(found.text if found else self.broken),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How to search for plans.

    :param ahead: how long before a night a controller begins.
    :param patience: how long after its last record a controller on another machine is assumed to be alive.
    :param objection: returns why people have not approved the wave that begins next, "" if they have, ``None`` if a
        file with the approval decides.
    """

    root: Path
    policy_file: str = ""
    ahead: timedelta = timedelta(minutes=30)
    patience: timedelta = timedelta(minutes=30)
    objection: Callable[[RolloutDir], str | None] = lambda _rollout: None

    def all(self, now: datetime) -> list[Found]:
        """Return every directory with a plan. :raises BadInput: the root is no directory."""
        if not self.root.is_dir():
            raise BadInput("dir", str(self.root), "a directory with the directories of rollouts")
        return [self._look(folder, now) for folder in plan_folders(self.root)]

    def _look(self, folder: Path, now: datetime) -> Found:
        approval = folder / APPROVAL
        found = Found(
            folder=folder,
            policy_file=_beside(self.root, folder, POLICY) or self.policy_file,
            approval_file=str(approval) if approval.is_file() else "",
        )
        try:
            rollout = RolloutDir(folder, find_clock())
            needs = self._needs(rollout, now)
            if found.approval_file == "" and "part" in rollout.plan:
                approval = folder.parents[1] / APPROVAL  # people approve the parent
                found = replace(found, approval_file=str(approval) if approval.is_file() else "")
            if needs.is_due:
                needs = self._unless_held(rollout, needs, found, now)
        except PatchtideError as error:
            return replace(found, broken=str(error))
        return replace(found, rollout=str(rollout.plan["rollout"]), agenda=needs, last_at=rollout.last_at)

    def _needs(self, rollout: RolloutDir, now: datetime) -> Agenda:
        if (rollout.path / SPLIT).exists():
            return Agenda(need=Need.HELD, text=f"it was split into the child plans in {rollout.path / PARTS}")
        return agenda_of(rollout, now, self.ahead)

    def _unless_held(self, rollout: RolloutDir, needs: Agenda, found: Found, now: datetime) -> Agenda:
        """Return what a due rollout needs, unless another controller works on it or its approval is missing."""
        if other := running_controller(rollout.path):
            return Agenda(need=Need.WAITING, text=f"process {other} on this machine works on it", night=needs.night)
        if wait := self._busy_elsewhere(rollout, now):
            return Agenda(need=Need.WAITING, text=wait, night=needs.night)
        if not found.policy_file:
            expected = f"the policy of {rollout.path}: a file {POLICY} there or above, or this option"
            raise BadInput("policy_file", None, expected)
        if rollout.state.intents or rollout.state.prepared:  # what an earlier run left open needs no approval
            return needs
        text = self.objection(rollout)
        if text is None:
            required = policy_of(rollout.plan, load_policy(found.policy_file)).approval.required
            if rollout.state.status == "new" and required and not found.approval_file:
                text = f"the policy requires an approval, and there is no {rollout.path / APPROVAL}"
        return Agenda(need=Need.HELD, text=text, night=needs.night) if text else needs

    def _busy_elsewhere(self, rollout: RolloutDir, now: datetime) -> str:
        """Return a reason to wait if a controller on another machine wrote recently; its process can't be seen here."""
        host = rollout.state.controller.split("/")[0]
        if host in ("", this_host()):  # it has not begun, or running_controller sees its process
            return ""
        span = now - from_time(rollout.last_at)
        minutes = max(0, int(span.total_seconds() // 60))
        return f"a controller on {host} worked on it {minutes} minutes ago" if span < self.patience else ""


def take_one(found: list[Found], *, write: bool) -> Found | None:
    """Choose the most urgent due rollout, and note that this controller works on it.

    Work that an earlier run left open comes first, then the night that ends first. If another controller is faster,
    the next rollout is chosen.
    """
    for item in sorted((item for item in found if item.is_due), key=_urgency):
        try:
            with taking_over(item.folder, patience=0) if write else nullcontext():
                return item
        except AnotherController:
            continue
    return None


def _urgency(found: Found) -> tuple[bool, str, str]:
    night = found.agenda.night if found.agenda else None
    return night is not None, to_time(night.at_hand.cutoff_at) if night else "", str(found.folder)


def plan_folders(root: Path) -> list[Path]:
    """Return the directories with a plan: this one and those below it."""
    paths = [root / PLAN, *(path for depth in range(1, DEPTH + 1) for path in root.glob("*/" * depth + PLAN))]
    return sorted({path.parent for path in paths if path.is_file()})


def _beside(root: Path, folder: Path, name: str) -> str:
    """Return the file of that name in a directory or its nearest parent, up to the root; "" if there is none."""
    for place in (folder, *folder.parents):
        if (place / name).is_file():
            return str(place / name)
        if place == root:
            break
    return ""
