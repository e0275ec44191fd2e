# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a Windows host needs a reboot: what each source says, and what they come to. Pure.

Windows Update, servicing and the agent's own answer count. Other sources are notes: programs leave files to be replaced
at the next boot every day (chocolatey/choco#1768, PatchMon/PatchMon#772).
"""

from __future__ import annotations

from collections.abc import Mapping

from ..packages.reboot_need import RebootNeed

#: Source to its sentence. These ask for a reboot.
COUNTS: Mapping[str, str] = {
    "windows_update": "Windows Update asks for it",
    "cbs_pending": "servicing (CBS) asks for it",
    "cbs_in_progress": "servicing (CBS) has begun a reboot",
    "cbs_packages": "servicing (CBS) has packages that wait for it",
    "system_information": "the Windows Update Agent asks for it",
}
#: These are told and ask for nothing.
NOTES: Mapping[str, str] = {
    "update_services": "a service of Windows Update is to be registered at the next boot",
    "file_renames": "files are replaced at the next boot",
    "update_exe": "an installer of updates asks for a reboot",
    "server_manager": "Server Manager has a role that waits for a reboot",
    "domain_join": "the host is joining a domain",
    "computer_name": "the host gets another name at the next boot",
    "run_once": "a setup goes on after the next boot",
    "configuration_manager": "Configuration Manager asks for a reboot",
}


def reboot_need(sources: Mapping[str, bool | None]) -> RebootNeed:
    """Return the need: ``pending`` is ``None`` if none of the sources that count can tell."""
    reasons = tuple(text for name, text in COUNTS.items() if sources.get(name))
    doubts = tuple(text for name, text in NOTES.items() if sources.get(name))
    known = any(sources.get(name) is not None for name in COUNTS)
    return RebootNeed(pending=bool(reasons) if known else None, reasons=reasons, doubts=doubts)
