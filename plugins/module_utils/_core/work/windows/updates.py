# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what ansible.windows.win_updates returns. Pure; nothing that a host says makes it fail with another error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..node_answer import BadAnswer, bounded, words
from .hresults import to_hresult

#: Updates of an answer that are read, and entries of an update's lists.
MOST, MOST_NAMES = 5000, 50
_NUMBER = re.compile(r"(?:KB)?([0-9]{6,8})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An update that a search found.

    :param kbs: such as ``KB5001234``. :param reasons: why it was not selected, such as ``accept_list`` or ``hidden``.
    :param hresult: of its failed download or install, unsigned; ``None`` for none.
    """

    id: str
    title: str
    kbs: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    installed: bool = False
    hresult: int | None = None
    reasons: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its KB; where it has none, its title."""
        return self.kbs[0] if self.kbs else self.title

    def to_patch(self) -> dict[str, Any]:
        """Return it as a missing patch of a scan."""
        return {"id": self.name, "title": self.title, "classification": ", ".join(self.categories)}


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatesAnswer:
    """A whole answer. ``trouble``: why the module failed; ``""`` if it did not.

    ``lost``: the connection broke, and the host's own state says what happened.
    """

    selected: tuple[Update, ...] = ()
    filtered: tuple[Update, ...] = ()
    reboot_required: bool = False
    trouble: str = ""
    hresult: int | None = None
    lost: bool = False

    @property
    def offered(self) -> tuple[Update, ...]:
        """All that the search found, but for what somebody has hidden on the host."""
        return tuple(item for item in (*self.selected, *self.filtered) if "hidden" not in item.reasons)


def read_updates(answer: object) -> UpdatesAnswer:
    """Read the result of win_updates. A failure is read as well: it has the updates that it got to.

    :raises BadAnswer: it is no result of win_updates.
    """
    data = answer if isinstance(answer, Mapping) else {}
    if data.get("unreachable"):
        return UpdatesAnswer(trouble=words(data.get("msg") or "the connection broke", 500), lost=True)
    found = {name: data.get(name) for name in ("updates", "filtered_updates")}
    failed = bool(data.get("failed"))
    if not failed and not all(isinstance(value, Mapping) for value in found.values()):
        raise BadAnswer("this is no result of win_updates")
    said = words(data.get("msg") or "", 1000) if failed else ""
    return UpdatesAnswer(
        selected=_updates(found["updates"]),
        filtered=_updates(found["filtered_updates"]),
        reboot_required=data.get("reboot_required") is True,
        trouble=said or ("win_updates failed and said nothing" if failed else ""),
        hresult=to_hresult(said) if failed else None,
    )


def _updates(rows: object) -> tuple[Update, ...]:
    if not isinstance(rows, Mapping):
        return ()
    return tuple(_update(key, rows[key]) for key in list(rows)[:MOST] if isinstance(rows[key], Mapping))


def _update(key: object, row: Mapping[str, Any]) -> Update:
    numbers = [_NUMBER.fullmatch(item.strip()) for item in _texts(row.get("kb"))]
    return Update(
        id=words(key, 100),
        title=words(row.get("title") or "", 300),
        kbs=tuple(f"KB{found[1]}" for found in numbers if found),
        categories=tuple(_texts(row.get("categories"))),
        installed=row.get("installed") is True,
        hresult=to_hresult(row.get("failure_hresult_code")),
        reasons=tuple(_texts(row.get("filtered_reasons"))),
    )


def _texts(value: object) -> list[str]:
    """Return a list of texts. PowerShell turns lists of one entry into the entry."""
    rows = value if isinstance(value, (list, tuple)) else [value]
    return [str(item) for item in bounded(list(rows)[:MOST_NAMES]) if isinstance(item, (str, int)) and item is not True]
