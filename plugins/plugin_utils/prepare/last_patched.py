# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tag with the date of the last successful patching."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...module_utils._core.model import Status
from ..rollout.folder import RolloutDir
from .places import PlacePorts, is_in_cloud
from .preparation import Preparer, Reasons, tell


class LastPatched(Preparer):
    """Not a preparation: the tag remains."""

    what = "tagged with the date"

    def put(self) -> Reasons:
        """Tag the wave's patched nodes whose tag has another date; return why nodes could not be tagged."""
        key, states = self.options["last_patched"], self.rollout.state.nodes
        dates: dict[str, str] = {}
        for node in self.rollout.state.waves[self.wave].nodes:
            final = states[node].final
            if final and Status(final["status"]).is_good and is_in_cloud(self.rollout.nodes[node]):
                dates[node] = str(final["ended_at"])[:10]

        def put(ports: PlacePorts, ids: list[str]) -> Reasons:
            old = ports.tags.tags(ids, key)
            failed: Reasons = {}
            for date in sorted({dates[node] for node in ids}):
                failed |= ports.tags.put([node for node in ids if dates[node] == date != old.get(node)], key, date)
            return failed

        return self.on_each(dates, put)


def mark_patched(rollout: RolloutDir, wave: str, options: Mapping[str, Any], say: Callable[[str], None]) -> None:
    """Tag the patched nodes of a wave with the date; failures are reported and stop nothing."""
    marker = LastPatched(rollout, wave, options, say)
    tell(marker, marker.put(), "could not be tagged with the date")
