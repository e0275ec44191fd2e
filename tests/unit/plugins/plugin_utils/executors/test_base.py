# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often work is looked at: a thousand hosts at work for an hour must not cost a thousand connections every 5 s."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import Work, seconds_to_look

AT = datetime(2026, 6, 1, 20, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("least", "taken", "seconds"), [(5, 5, 5), (5, 30, 15), (15, 44, 22), (5, 3600, 30), (60, 3600, 60)]
)
def test_what_works_for_long_is_looked_at_less_often(least: float, taken: int, seconds: float) -> None:
    port: Any = SimpleNamespace(poll_seconds=least)
    work = Work(stage="patch", attempt=1, token="t", place="p", nodes=("n",), at=AT, deadline=AT)
    assert seconds_to_look(port, work, AT + timedelta(seconds=taken)) == seconds
