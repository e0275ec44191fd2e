# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates an object exactly once if the API has no idempotency token."""

from __future__ import annotations

import time
from collections.abc import Callable

from .._core.errors import ServiceError
from .paces import THROTTLED
from .run_command import LOST

_TRIES = 8


def create_once(
    create: Callable[[], str], find: Callable[[], str | None], pause: Callable[[float], None] = time.sleep
) -> str:
    """Return the ID of the object that ``create`` created, even if its answer was lost.

    :param create: one call of a client without retries; raises ``ServiceError``.
    :param find: looks the object up; called only if the answer does not show whether it was created.
    """
    for attempt in range(_TRIES):
        try:
            return create()
        except ServiceError as error:
            if error.code not in THROTTLED | LOST or attempt == _TRIES - 1:
                raise
            if error.code in LOST and (made := find()):
                return made
            pause(min(0.5 * 2**attempt, 20))
    raise AssertionError("the last attempt returns or raises")
