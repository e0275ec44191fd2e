# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One declared patch baseline: what a module or a policy asks for in one account-Region. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..change import Change
from ..errors import BadInput
from . import limits
from .baselines import Baseline, BaselinePort, ensure_baseline, plan_baseline
from .filter_values import check_filter_values


class BaselineNoun:
    """One declared baseline at one place: the ``Noun`` that the module runs. Found by its id, else by its name."""

    def __init__(self, port: BaselinePort, given: Mapping[str, Any], *, present: bool, purge_tags: bool) -> None:
        self._port = port
        self._given = given
        self._present = present
        self._purge_tags = purge_tags

    def plan(self) -> Change[Baseline]:
        wanted_id = self._given.get("baseline_id")
        limits.matches(
            "baseline_id", wanted_id, r"pb-[0-9a-f]{17}", "the ID of a baseline of your own, pb- and 17 digits"
        )
        before = self._port.get(wanted_id) if wanted_id else self._port.find(self._given["name"])
        if wanted_id and not before and self._present:
            raise BadInput("baseline_id", wanted_id, "the ID of an existing baseline")
        change = plan_baseline(before, self._given, present=self._present, purge_tags=self._purge_tags)
        if change.after:
            check_filter_values(before, change.after, self._port.filter_values)
        return change

    def apply(self, change: Change[Baseline]) -> Baseline | None:
        return ensure_baseline(self._port, change)
