# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The alarms of one place in memory: an ``AlarmPort``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.ports import Alarm


@dataclass
class FakeAlarms:
    """``known``: (state, reason) by name."""

    known: dict[str, tuple[str, str]] = field(default_factory=dict)

    def states(self, names: Sequence[str]) -> list[Alarm]:
        return [Alarm(name, *self.known[name]) for name in dict.fromkeys(names) if name in self.known]
