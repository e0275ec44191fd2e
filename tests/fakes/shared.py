# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shared value of a split plan in memory; ``tests/contract`` compares it with the one in DynamoDB."""

from __future__ import annotations

import json
import threading

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.shared import Shared


class SharedInMemory:
    """A ``SharedStore``. It keeps JSON, so that a value that can't be written as JSON is noticed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version, self._text = 0, json.dumps(Shared().to_data())

    def read(self) -> tuple[int, Shared]:
        with self._lock:
            return self._version, Shared.from_data(json.loads(self._text))

    def write(self, shared: Shared, version: int) -> bool:
        with self._lock:
            if version != self._version:
                return False
            self._version, self._text = version + 1, json.dumps(shared.to_data())
            return True
