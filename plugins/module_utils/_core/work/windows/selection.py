# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks win_updates for the planned KBs, and checks that it selects nothing else. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ..node_answer import BadAnswer, words
from .updates import Update

#: Categories whose updates are neither planned nor installed unless the policy asks for them. Names as in Microsoft
#: Learn, "WSUS Classification GUIDs".
FURTHER = ("Upgrades", "Service Packs", "Feature Packs")
#: Those that never are: drivers, and signatures, which change several times a day.
_NEVER = frozenset({"drivers", "definition updates"})
#: Update servers, by the names of win_updates' option server_selection: the host's own choice, the WSUS server of its
#: policy, and Microsoft's servers.
ANYBODYS = "windows_update"
SERVERS = ("default", "managed_server", ANYBODYS)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRules:
    """Which updates of Windows hosts are planned and installed. A category is a classification or a product.

    :param server: the update server, one of ``SERVERS``. :param categories: patterns, of which a category of an update
        must match one; empty for all. :param exclude_categories: patterns, of which none may match.
    :param further: categories of ``FURTHER`` that are installed as well. :param rounds: how many installs a host has at
        most, each followed by a reboot.
    """

    server: str = "default"
    categories: tuple[str, ...] = ()
    exclude_categories: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    rounds: int = 3

    @property
    def search(self) -> dict[str, Any]:
        """Return options of win_updates for a search in all categories, whose result is then sorted."""
        return {"category_names": ["*"], "server_selection": self.server}

    def leave_out(self, update: Update) -> bool:
        """Tell whether an update is of a category that is not installed."""
        names = [item.lower() for item in update.categories]
        closed = _NEVER | {item.lower() for item in FURTHER} - {item.lower() for item in self.further}
        if closed.intersection(names) or _match(names, self.exclude_categories):
            return True
        return bool(self.categories) and not _match(names, self.categories)


def _match(names: Iterable[str], patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern.lower()) for name in names for pattern in patterns)


def strangers(selected: Iterable[Update], patch_ids: Iterable[str], rules: UpdateRules) -> list[Update]:
    """Return which updates of a search must not be installed: those without a planned KB, which only mention one in
    their title, and those of a category that is left out."""
    planned = {to_kb(item) for item in patch_ids}
    return [item for item in selected if not planned & set(item.kbs) or rules.leave_out(item)]
