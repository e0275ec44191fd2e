# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All maintenance windows of a place with the targets that tags made: the ``WindowSetPort``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .._core.owners.window_sync import TARGET, TaggedWindow, target_values
from .._core.ssm.window_targets import WindowTarget
from .paging import read_all
from .window_targets import SsmWindowTargets, list_targets
from .windows import SsmWindows


class AwsWindowSet:
    """Cost: a read of the list, and three reads for each window.

    :param key: the tag that names a node's window.
    """

    def __init__(self, client: Any, key: str) -> None:
        self._client, self._key = client, f"tag:{key}"
        self._windows, self._targets = SsmWindows(client), SsmWindowTargets(client)

    def read(self) -> list[TaggedWindow]:
        rows = read_all(
            self._client, "list maintenance windows", "describe_maintenance_windows", "WindowIdentities", 100
        )
        found = []
        for row in rows:
            window = self._windows.get(row["WindowId"])
            if window is not None:
                values = [
                    value for target in self._ours(row["WindowId"]) for value in target.targets.get(self._key, ())
                ]
                found.append(TaggedWindow(window=window, values=tuple(sorted(values))))
        return found

    def _ours(self, window_id: str) -> list[WindowTarget]:
        return [target for target in list_targets(self._client, window_id) if target.name.startswith(TARGET)]

    def put(self, before: TaggedWindow | None, after: TaggedWindow) -> None:
        window = after.window
        if before is None:
            window = replace(window, window_id=self._windows.create(window))
        elif after.ours:
            if replace(before.window, tags=window.tags) != window:
                self._windows.update(window)
            self._windows.set_tags(str(window.window_id), before.window.tags, window.tags)
        self._put_targets(str(window.window_id), after.values)

    def _put_targets(self, window_id: str, values: tuple[str, ...]) -> None:
        there = {target.name: target for target in self._ours(window_id)}
        for name, some in target_values(values).items():
            wanted = WindowTarget(name=name, targets={self._key: some}, window_id=window_id)
            if name not in there:
                self._targets.register(wanted)
            elif dict(there[name].targets) != dict(wanted.targets):
                self._targets.update(replace(wanted, target_id=there[name].target_id))
            there.pop(name, None)
        for target in there.values():
            self._targets.deregister(target, safe=False)

    def remove(self, window: TaggedWindow) -> None:
        if window.ours:
            self._windows.delete(str(window.window.window_id))
        else:
            self._put_targets(str(window.window.window_id), ())
