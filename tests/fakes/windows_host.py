# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Windows host prints and returns, as the readers of ``_core/work/windows`` get it."""

from __future__ import annotations

from typing import Any

BOOT, NOW, CLAIMED = "2026-11-20T03:00:00Z", "2026-11-28T02:00:00Z", "2026-11-28T01:00:00Z"


def state_document(**more: Any) -> dict[str, Any]:
    """Return the state of a host on which nothing runs and nothing is pending."""
    found: dict[str, Any] = {
        "windows": 1,
        "now": NOW,
        "boot": BOOT,
        "ready": True,
        "live": {"pipes": [], "workers": [], "installing": False, "servicing": False},
        "reboot": {"windows_update": False, "cbs_pending": False, "system_information": False, "file_renames": True},
        "history": [],
        "work": None,
    }
    return {**found, **more}


def entry(kb: str, at: str = CLAIMED, *, result: int = 2, hresult: int = 0, operation: int = 1) -> dict[str, Any]:
    """Return an entry of the history of Windows Update."""
    title = f"2026-11 Cumulative Update for Windows Server 2022 ({kb})"
    more = {"client": "ansible.windows.win_updates"}
    return {"at": at, "title": title, "operation": operation, "result": result, "hresult": hresult, **more}


def update_row(kb: str, *categories: str, **more: Any) -> dict[str, Any]:
    """Return an update in the result of win_updates."""
    title = f"2026-11 Cumulative Update for Windows Server 2022 ({kb})"
    return {
        "title": title,
        "kb": [kb.removeprefix("KB")],
        "categories": list(categories or ("Security Updates",)),
        **more,
    }
