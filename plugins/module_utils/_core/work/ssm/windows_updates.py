# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS-InstallWindowsUpdates: whatever Windows Update offers, approved or not. No baseline and no list binds it.

Sources: AWS's payload as published with AWSUpdateWindowsInstance (Install-AwsUwiWindowsUpdates.ps1, 2018): without
filters it installs all that a search for ``IsHidden=0 and IsInstalled=0`` finds, drivers and definitions included;
exit -1 if the search, a download or an install fails, although the other updates were installed. It uploads no patch
state: only the scan after it and the host's own update history say what came of it. After its own reboot it may end
Failed although everything was installed (aws/amazon-ssm-agent issue 681), one more reason to reboot in a stage of ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ...errors import PatchtideError
from ...lists.pins import WINDOWS_UPDATES
from ...model import Status
from .ports import FleetPort, Invocation
from .stagerun import Ended
from .stages import to_result, unreadable_result
from .statuses import ENDED

_FOUND = re.compile(r"Found (\d{1,6}) available Windows Updates")
_FAILED = re.compile(r"(?:Downloading|Installation of) (.{1,300}?) resulted in error")
_KB = re.compile(r"\((KB\d{5,8})\)")
_UNNAMED = "updates that the document did not name"


def windows_updates_request() -> tuple[str, dict[str, list[str]]]:
    """Return (document, parameters) of an install of everything. The reboot is a stage of its own."""
    return WINDOWS_UPDATES, {"Action": ["Install"], "AllowReboot": ["False"]}


@dataclass(slots=True)
class WindowsUpdatesStage:
    """An install of everything. A reboot counts as pending unless the document says that it found nothing: what needs
    one is not told, and AWS's payload reboots after every install."""

    name: str = "patch"
    with_output: bool = True

    def evaluate(self, ended: Ended, port: FleetPort) -> list[dict[str, Any]]:
        return [self._one(node_id, row) for node_id, row in ended.rows.items()]

    def _one(self, node_id: str, row: Invocation) -> dict[str, Any]:
        status = ENDED[row.status]
        found = _FOUND.search(row.output)
        nothing = status is Status.SUCCEEDED and found is not None and int(found[1]) == 0
        result = to_result(node_id, row, Status.NO_OP if nothing else status, pending_reboot=not nothing)
        result["evidence"] = {"document": WINDOWS_UPDATES}
        if status is Status.FAILED:
            result["failed"] = failed_updates(row.output)
        return result

    def unreadable(self, node_id: str, why: PatchtideError) -> dict[str, Any]:
        return unreadable_result(node_id, why)


def failed_updates(output: str) -> list[str]:
    """Return the updates that the document's output names as failed, by KB where they have one."""
    titles = [found[1] for found in _FAILED.finditer(output)]
    return list(dict.fromkeys(kb[1] if (kb := _KB.search(title)) else title for title in titles)) or [_UNNAMED]
