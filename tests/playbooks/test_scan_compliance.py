# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compliance scan on the lab: in check mode, and where the inventory names localhost."""

from __future__ import annotations

import pytest
import yaml

from tests.playbooks.test_rollout import Cycle, cycle, small

__all__ = ["cycle", "small"]


def with_localhost(cycle: Cycle, **variables: str) -> list[str]:
    """Return the options of a second inventory source that names localhost."""
    path = cycle.folder / "static.yml"
    path.write_text(yaml.safe_dump({"all": {"hosts": {"localhost": variables}}}), encoding="utf-8")
    return ["-i", str(path)]


@pytest.mark.parametrize(
    "variables", [{}, {"ansible_connection": "ssh", "ansible_host": "192.0.2.1"}], ids=["bare", "ssh"]
)
def test_localhost_in_the_inventory_is_the_controller(cycle: Cycle, variables: dict[str, str]) -> None:
    done = cycle.play("scan_compliance", *with_localhost(cycle, **variables))
    assert done.status == 0, done.output + done.errors
    assert "localhost" not in cycle.file("scan.json")["nodes"]
