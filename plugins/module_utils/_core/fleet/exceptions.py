# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes carry a dated exception tag, and whether it is in force. The ledger is the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from ..errors import BadInput
from ..exceptions.records import parse_tag
from .records import Node, first_of


def set_exceptions(nodes: Iterable[Node], keys: Sequence[str], today: date) -> None:
    """Set ``exception`` of every node with such a tag, and add a finding to its coverage.

    ``exception_in_force``: today is in its period. ``bad_exception_tag``: nobody can tell what the tag means.
    """
    for node in nodes:
        value = first_of(node["tags"], keys)
        if not value:
            continue
        try:
            period = parse_tag(value)
        except BadInput:
            node["exception"] = {"from": "", "to": "", "in_force": False, "tag": value}
            node["coverage"] = [*node["coverage"], "bad_exception_tag"]
            continue
        in_force = today in period
        days = {"from": period.start.isoformat(), "to": period.end.isoformat()}
        node["exception"] = {**days, "in_force": in_force, "tag": value}
        if in_force:
            node["coverage"] = [*node["coverage"], "exception_in_force"]
