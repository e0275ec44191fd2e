# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every source of approvals, by name. To add a source, write one file and add one row here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ...module_utils._core.trust.ports import ApprovalSource
from ...module_utils._core.trust.votes import Found
from .awx import to_awx
from .servicenow import to_servicenow
from .ssh import APPROVALS, SshApprovals
from .trust import Trust

#: Arguments of a source: the rollout's directory, whom the controller trusts, and the job's variables as references.
Make = Callable[[Path, Trust, Mapping[str, Any]], ApprovalSource]

SOURCES: Mapping[str, Make] = {
    "ssh": lambda folder, trust, _job: SshApprovals(folder / APPROVALS, trust.bundle, trust.check),
    "awx": lambda _folder, trust, job: to_awx(trust, job),
    "servicenow": lambda _folder, trust, _job: to_servicenow(trust),
}


def gather(
    folder: Path, trust: Trust, plan: Mapping[str, Any], now: datetime, job: Mapping[str, Any] | None = None
) -> list[Found]:
    """Return the findings of all sources that the bundle admits.

    :param job: variables of the job, such as its workflow's number in AWX. They say where to read, and prove nothing.
    :raises PatchtideError: one of them can't be read.
    """
    wanted = {name for rule in trust.bundle.plans for name in rule.sources}
    return [
        item
        for name, make in SOURCES.items()
        if name in wanted
        for item in make(folder, trust, job or {}).gather(plan, now)
    ]
