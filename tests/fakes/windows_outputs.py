# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: RUF001 # French output has its own apostrophes
"""What programs of Windows print, as others have recorded it: what our PowerShell compares with its expressions.

Each recording names where it was published. Names of hosts and users are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_DISM = (
    "\r\nDeployment Image Servicing and Management tool\r\nVersion: 10.0.20348.681\r\n\r\n"
    "Image Version: 10.0.20348.4171\r\n\r\n"
)
_DONE = "The operation completed successfully.\r\n"
#: ``DISM /Online /Cleanup-Image /CheckHealth``, and what the script makes of it. The sentences are strings 330 to 332
#: of CbsProvider.dll.mui. irohastack.com/?p=408 has another wording of the third one. 740: no elevated rights.
CHECK_HEALTH: Mapping[str, str] = {
    f"{_DISM}No component store corruption detected.\r\n{_DONE}": "healthy",
    f"{_DISM}The component store is repairable.\r\n{_DONE}": "repairable",
    f"{_DISM}The component store cannot be repaired.\r\n{_DONE}": "damaged",
    f"{_DISM}{_DONE.rstrip()} The component store is not repairable.\r\n": "damaged",
    "\r\nError: 740\r\n\r\nElevated permissions are required to run DISM. \r\n": "unknown",
    "": "unknown",
}
#: ``vssadmin list writers``, and what the script makes of it.
WRITERS: Mapping[str, list[str]] = {
    # openzfsonwindows/openzfs issue 406
    """vssadmin 1.1 - Outil ligne de commande d’administration du service de cliché instantané de volume
(C) Copyright 2001-2013 Microsoft Corp.

Nom du rédacteur : 'Task Scheduler Writer'
   ID du rédacteur : {d61d61c8-d73a-4eee-8cdd-f6f9786b7124}
   ID de l’instance du rédacteur : {1bddd48e-5052-49db-9b07-b96f96727e6b}
   État : [1] Stable
   Dernière erreur : Aucune erreur

Nom du rédacteur : 'System Writer'
   ID du rédacteur : {e8132975-6f93-4464-a53e-1050253ae220}
   ID de l’instance du rédacteur : {3a440350-edf0-4b35-bbc0-2af9898666f7}
   État : [1] Stable
   Dernière erreur : Aucune erreur
""": ["1 Task Scheduler Writer", "1 System Writer"],
    # microsoft/CSS-Exchange issue 2093
    """Writer name: 'Microsoft Exchange Writer'
   Writer Id: {76fe1ac4-15f7-4bcd-987e-8e1acb462fb7}
   Writer Instance Id: {0ae5d2c7-a9fe-43f9-a61f-86563b439453}
   State: [8] Failed
   Last error: Not responding
""": ["8 Microsoft Exchange Writer"],
    # CW-Khristos/scripts issue 1
    """vssadmin 1.1 - Volume Shadow Copy Service administrative command-line tool
(C) Copyright 2001-2005 Microsoft Corp.

Error: A Volume Shadow Copy Service component encountered an unexpected error.
Check the Application event log for more information.
""": [],
}
_FRENCH, _EXCHANGE = list(WRITERS)[:2]
_TITLES = (
    "2019-08 Cumulative Update for Windows Server 2016 for x64-based Systems (KB4512495)",
    "Security Intelligence Update for Windows Defender Antivirus - KB2267602 (Version 1.299.2334.0)",
    "Feature update to Windows 10 (business editions), version 1909, en-gb x64",
)
#: By the expression in a script, recordings that it has to match, and others of the same origin that it must not.
RECORDED: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "No component store corruption": ([text for text, is_ in CHECK_HEALTH.items() if is_ == "healthy"], ["Error: 740"]),
    "is repairable": (
        [text for text, is_ in CHECK_HEALTH.items() if is_ == "repairable"],
        [text for text, is_ in CHECK_HEALTH.items() if is_ != "repairable"],
    ),
    "not be repaired|not repairable": (
        [text for text, is_ in CHECK_HEALTH.items() if is_ == "damaged"],
        [text for text, is_ in CHECK_HEALTH.items() if is_ != "damaged"],
    ),
    r"^\S.*'(.+)'": (
        ["Nom du rédacteur : 'Task Scheduler Writer'", "Writer name: 'Microsoft Exchange Writer'"],
        [*_FRENCH.splitlines()[:2], *_FRENCH.splitlines()[4:8]],
    ),
    r"\[(\d+)\]": (
        ["   État : [1] Stable", "   State: [8] Failed"],
        [*_FRENCH.splitlines()[:6], "   Last error: Not responding"],
    ),
    # ansible.windows, win_updates.ps1 ($pipeName, $stubRunner); other pipes and processes are those of any host
    "*Ansible.Windows.WinUpdates-*": (
        [r"\\.\pipe\Ansible.Windows.WinUpdates-2f1b6d0e-6f57-4e4a-8f0e-0b8f3f0a5d11"],
        [r"\\.\pipe\lsass", r"\\.\pipe\PSHost.133772544000000000.4711.DefaultAppDomain.powershell"],
    ),
    "*ANSIBLE_BOOTSTRAP_ERROR*": (
        [r'"C:\Windows\System32\powershell.exe" -NoProfile -Command $input | & { … "ANSIBLE_BOOTSTRAP_ERROR:'],
        ["PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand UABhAHIAYQBtAA=="],
    ),
    # Get-WinEvent, FullyQualifiedErrorId, which is not localised
    "NoMatchingEventsFound*": (
        ["NoMatchingEventsFound,Microsoft.PowerShell.Commands.GetWinEventCommand"],
        [
            "System.UnauthorizedAccessException,Microsoft.PowerShell.Commands.GetWinEventCommand",
            "NoMatchingLogsFound,Microsoft.PowerShell.Commands.GetWinEventCommand",
        ],
    ),
    # titles: ansible/ansible issue 60785, ansible-collections/ansible.windows issue 25
    r".*\((KB[0-9]{6,8})\)": (_TITLES[:1], _TITLES[1:]),
    "KB[0-9]{6,8}": (_TITLES[:2], _TITLES[2:]),
    # w32tm /query /source: Microsoft Learn, "Windows Time service tools and settings"; the second one is Hyper-V's
    "Local CMOS Clock|Free-running System Clock": (
        ["Local CMOS Clock", "Free-running System Clock"],
        ["time.windows.com,0x8", "VM IC Time Synchronization Provider"],
    ),
    # values that hosts have: a proxy or server with a login, a message of several lines, other languages, a thumbprint
    # as the certificate's dialogue shows it
    "://[^/@]*@": (["http://user:secret@wsus.example:8530"], ["http://wsus.example:8530/@/"]),
    r"[\x00-\x1f]": (["Le système a refusé.\r\n"], ["The operation completed successfully."]),
    r"[^\x20-\x7e]": (["Le système a refusé."], ["The operation completed successfully."]),
    r"\s": (
        ["a9 09 50 2d d8 2a e4 14 33 e6 f8 38 86 b0 0d 42 77 a3 2a 7b"],
        ["A909502DD82AE41433E6F83886B00D4277A32A7B"],
    ),
    "^KB": (["KB5070884"], ["5070884"]),
}
