# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The port of health checks to a place: its alarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Alarm:
    """A CloudWatch alarm. ``state``: OK, ALARM or INSUFFICIENT_DATA."""

    name: str
    state: str
    reason: str = ""


class AlarmPort(Protocol):
    """CloudWatch of one place."""

    def states(self, names: Sequence[str]) -> list[Alarm]:
        """Return metric and composite alarms in the order of the names, without those that do not exist.

        :raises ServiceError: they can't be read.
        """
