# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What error codes of Windows Update mean, and what helps. Messages are localised, codes are not. Pure.

Names: wuerror.h of the Windows SDK. What helps: Microsoft Learn, "Windows Update error codes by component", "Common
Windows Update errors" and "Troubleshoot problems with Windows Update".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Remedy(str, Enum):
    """What an operator does about a failed update."""

    WAIT = "wait"
    REBOOT = "reboot"
    CONFIGURE = "configuration"
    SPACE = "space"
    REPAIR = "repair"
    CACHE = "cache"
    RIGHTS = "rights"
    NOTHING = "nothing"
    LOOK = "look"


_HELP: Mapping[Remedy, str] = {
    Remedy.WAIT: "try it again later",
    Remedy.REBOOT: "reboot the host and try it again",
    Remedy.CONFIGURE: "correct the settings of Windows Update, WSUS or the proxy",
    Remedy.SPACE: "free space on the system drive or the EFI system partition",
    Remedy.REPAIR: "repair the component store: DISM /Online /Cleanup-Image /RestoreHealth",
    Remedy.CACHE: "empty the folder SoftwareDistribution and try it again",
    Remedy.RIGHTS: "connect as a local administrator",
    Remedy.NOTHING: "nothing has to be done",
    Remedy.LOOK: "see the update's own log",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """``remedy``: what helps; ``text``: what happened."""

    remedy: Remedy
    text: str


def _of(remedy: Remedy, rows: Mapping[int, str]) -> dict[int, Cause]:
    return {code: Cause(remedy, text) for code, text in rows.items()}


CAUSES: Mapping[int, Cause] = {
    **_of(
        Remedy.WAIT,
        {
            0x80240009: "another install or search is running",
            0x80240016: "another install is running, or a reboot is pending",
            0x8024001E: "the service Windows Update was being stopped",
            0x8024A10A: "the service Windows Update was being stopped",
            0x8007045B: "the host was being shut down",
            0x80242014: "the last reboot has not been completed yet",
            0x80244022: "the update server is overloaded (503)",
            0x80244010: "the search took more than 200 round trips; the next one continues",
            0x8024401C: "the update server did not answer in time (408)",
            0x80072EE2: "the update server did not answer in time",
            0x80072EE7: "DNS can't resolve the update server's name",
            0x80240438: "the update server can't be reached",
            0x8024402C: "DNS can't resolve the name of the proxy or the update server",
            0x80072EFD: "no connection to the update server",
            0x80072EFE: "the connection to the update server was cut",
            0x8024001F: "there is no network connection",
            0x800F0821: "the component store was busy for too long",
            0x800F0920: "the component store was busy for too long",
        },
    ),
    **_of(
        Remedy.REBOOT,
        {
            0x80070BC9: "a file is to be replaced at the next reboot",
            0x80070020: "another program has a file open",
            0x00240005: "it is installed once the host was rebooted",
        },
    ),
    **_of(
        Remedy.CONFIGURE,
        {
            0x80244011: "the host is to use WSUS, and no policy names a server (WUServer)",
            0x8024500C: "a policy forbids connections to Windows Update",
            0x8024002E: "a policy forbids update servers that are not managed",
            0x80070422: "the service Windows Update is disabled",
            0x80248014: "the chosen update service is not registered on the host",
            0x80244017: "the update server wants a login (401)",
            0x80244018: "the update server refused access (403)",
            0x80244019: "the update server has no such address (404)",
            0x8024401B: "the proxy wants a login (407)",
            0x80072F8F: "the update server's certificate is not valid, or a clock is wrong",
            0x80244007: "the update server returned a SOAP error",
            0x80240020: "it needs a user who is logged on",
        },
    ),
    **_of(
        Remedy.SPACE,
        {0x80070070: "a disk is full", 0x800F0922: "the system or EFI partition is full, or a server was not reached"},
    ),
    **_of(
        Remedy.REPAIR,
        {
            0x80073712: "the component store is damaged",
            0x80073701: "the component store lacks an assembly",
            0x800F081F: "the component store lacks a source file",
            0x800F0831: "the component store lacks a package that the update needs",
            0x80070570: "a file is damaged",
        },
    ),
    **_of(
        Remedy.CACHE,
        {
            0x80248007: "the data of Windows Update lacks the license or the update",
            0x80246007: "the update was not downloaded",
            0x80242006: "the update's metadata is invalid",
            0x8024200D: "a file of the update has to be downloaded once more",
        },
    ),
    **_of(
        Remedy.RIGHTS,
        {0x80070005: "access was denied", 0x80240044: "only administrators can install updates"},
    ),
    **_of(
        Remedy.NOTHING,
        {
            0x80240017: "the update does not apply to this host",
            0x80240024: "there are no updates",
            0x00240006: "the update is already installed",
        },
    ),
    **_of(
        Remedy.LOOK,
        {
            0x80070643: "the update's installer failed",
            0x8024200B: "the update's installer failed",
            0x8024000B: "it was cancelled",
            0x80240022: "none of the updates could be installed",
            0xFFFFFFFF: "it was rolled back at the reboot, or Windows says it is installed and offers it again",
        },
    ),
}
#: Reported while a reboot is pending as well as while another install runs (WU_E_INSTALL_NOT_ALLOWED), and until the
#: last reboot is completed (WU_E_UH_POSTREBOOTSTILLPENDING).
_PENDING = (0x80240016, 0x80242014)
_CODE = re.compile(r"0x([0-9A-Fa-f]{8})(?![0-9A-Fa-f])")


def to_hresult(value: object) -> int | None:
    """Return the code in a number, signed or not, or in a text such as ``(WU_E_… 0x80240022)``; ``None`` for none."""
    if isinstance(value, str):
        found = _CODE.search(value[:10_000])
        return int(found[1], 16) if found else None
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**32:
        return None
    return value & 0xFFFFFFFF


def explain(code: int) -> Cause:
    """Return what a code means and what helps."""
    return CAUSES.get(code, Cause(Remedy.LOOK, "Windows Update reports an error"))


def is_over_after_reboot(code: int) -> bool:
    """Return whether a reboot is what an update has waited for."""
    return explain(code).remedy is Remedy.REBOOT or code in _PENDING


def sentence(code: int) -> str:
    """Return for messages: ``access was denied (0x80070005): connect as a local administrator``."""
    cause = explain(code)
    return f"{cause.text} (0x{code:08X}): {_HELP[cause.remedy]}"
