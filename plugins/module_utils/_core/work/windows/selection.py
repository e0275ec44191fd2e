# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks win_updates for the planned KBs, and checks that it selects nothing else. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..node_answer import BadAnswer, words
from .updates import Update

#: Categories whose updates are neither planned nor installed: new versions of Windows, drivers, and signatures, which
#: change several times a day. Names as in Microsoft Learn, "WSUS Classification GUIDs".
LEFT_OUT = frozenset({"upgrades", "drivers", "definition updates"})
_KB = re.compile(r"(?:KB)?([0-9]{6,8})", re.IGNORECASE)


def to_kb(patch_id: str) -> str:
    """Return a planned ID as ``KB5001234``. :raises BadAnswer: it is none, so that Windows can't be asked for it."""
    found = _KB.fullmatch(patch_id)
    if not found:
        raise BadAnswer(f"{words(patch_id, 80)!r} is no KB number, by which Windows Update could be asked for it")
    return f"KB{found[1]}"


def accept_list(patch_ids: Iterable[str]) -> list[str]:
    """Return the option ``accept_list`` of win_updates for planned KBs.

    Its entries are .NET regular expressions that may match anywhere in title and KB, which are one string: an anchor
    never matches, and ``KB500`` matches KB5001234 (ansible.windows, win_updates.ps1, ``Test-InList``).

    :raises BadAnswer: see ``to_kb``.
    """
    return [f"{kb}(?![0-9])" for kb in dict.fromkeys(to_kb(item) for item in patch_ids)]


def is_left_out(update: Update) -> bool:
    """Tell whether an update is of a category that is not installed."""
    return bool({item.lower() for item in update.categories} & LEFT_OUT)


def strangers(selected: Iterable[Update], patch_ids: Iterable[str]) -> list[Update]:
    """Return which updates of a search must not be installed: those without a planned KB, which only mention one in
    their title, and those of a category that is left out."""
    planned = {to_kb(item) for item in patch_ids}
    return [item for item in selected if not planned & set(item.kbs) or is_left_out(item)]
