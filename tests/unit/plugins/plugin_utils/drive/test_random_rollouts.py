# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever dies, sleeps, is lost or refused: no node is patched twice, outside of its window, forgotten or lied about.

``PATCHTIDE_ROLLOUTS`` is how many rollouts are tried, ``PATCHTIDE_FIRST_ROLLOUT`` the first of them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fakes.nights import Night

FIRST = int(os.environ.get("PATCHTIDE_FIRST_ROLLOUT", "0"))
COUNT = int(os.environ.get("PATCHTIDE_ROLLOUTS", "40"))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT))
def test_the_ledger_is_clean(tmp_path: Path, seed: int) -> None:
    night = Night(tmp_path, seed)
    night.carry_out()
    night.check()
