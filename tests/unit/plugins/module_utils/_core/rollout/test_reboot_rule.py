# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a reboot follows an install."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.reboot_rule import reboot_is_due
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import initial

from tests.fakes.plans import completed

PENDING = {"status": "succeeded", "pending_reboot": True}
REFUSED = {**PENDING, "no_retry": "its window is over"}


@pytest.mark.parametrize(
    ("results", "due"),
    [
        ({"patch": PENDING}, True),
        ({"patch": {**PENDING, "pending_reboot": False}}, False),
        ({"patch": REFUSED}, True),  # an attempt before may have installed something
        ({"patch": REFUSED, "reboot": {"rebooted": True}}, False),  # of a further round, after the reboot of the first
        ({"patch": REFUSED, "reboot": {"rebooted": False}}, True),
        ({"patch": PENDING, "reboot": {"rebooted": True}}, True),  # the further round needs its own
    ],
)
def test_a_reboot_follows_an_install_that_needs_one(results: dict[str, Any], due: bool) -> None:
    node = {"node_id": "a", "patch_count": 1}
    state = initial(completed([{"name": "w", "nodes": [node], "reboot_rule": "if_required"}]))
    state.nodes["a"].results = results
    assert reboot_is_due(state, "a") is due
