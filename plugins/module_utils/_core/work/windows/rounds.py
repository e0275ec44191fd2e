# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Further rounds of a Windows host: planned updates that could not be installed before its reboot. Pure.

A round is an install, its reboot and a search. What the plan lists and Windows offers only after the reboot, or what
failed because one was pending, is installed in the next one. Nothing is tried that failed for another reason, nor what
Windows has rolled back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...model import Status
from .selection import to_kb


def next_round(
    planned: Sequence[str], results: Mapping[str, Mapping[str, Any]], scan: Mapping[str, Any], left: int
) -> list[str]:
    """Return the KBs of the next round; empty if there is none.

    :param planned: KBs of the plan. :param results: of the round that ends with this scan, by stage.
    :param left: how many more rounds there may be.
    """
    patch, rebooted = results.get("patch", {}), results.get("reboot", {}).get("rebooted") is True
    if left < 1 or not rebooted or patch.get("no_retry") or not Status(scan["status"]).is_good:
        return []
    missing = {to_kb(str(item)) for item in scan.get("missing_after") or ()}
    over = {*(patch.get("failed") or ()), *(patch.get("installed") or ())} - {*(patch.get("after_reboot") or ())}
    return [kb for kb in planned if kb in missing and kb not in over]


def of_all_rounds(result: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of an install together with that of the rounds before it.

    :param result: of this round. :param before: of the rounds before.
    """
    installed, failed = (
        list(dict.fromkeys((*(before.get(name) or ()), *(result.get(name) or ())))) for name in ("installed", "failed")
    )
    failed = [kb for kb in failed if kb not in installed]
    found = {**result, "installed": installed, "failed": failed}
    if before.get("started_at"):
        found["started_at"] = before["started_at"]
    if not Status(result["status"]).is_good:
        return found
    if failed:
        return {**found, "status": Status.FAILED.value, "error": before.get("error")}
    return {**found, "status": (Status.SUCCEEDED if installed else Status.NO_OP).value}
