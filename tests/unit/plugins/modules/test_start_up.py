# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module starts as fast as one of amazon.aws: it imports nothing that those do not import as well.

Times would depend on the machine's load (measured: 0.21 s, of which 13 ms are ours); the list of imports does not.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
THEIRS = "ansible_collections.amazon.aws.plugins.modules.route53_health_check"
#: Standard library, for schedules: zoneinfo and what it looks the time zone data up with.
TIME_ZONES = {"zoneinfo", "sysconfig"}
OURS = "ansible_collections.patchtide.hybrid.plugins.modules."


@cache
def imported(module: str) -> frozenset[str]:
    """Return what importing a module brings in, without the members of packages and without our own."""
    code = f"import sys, {module}; print(' '.join(sys.modules))"
    env = {"PYTHONPATH": str(ROOT / "build" / "tree"), "PATH": ""}
    names = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    return frozenset(name.partition(".")[0] for name in names.split() if "patchtide" not in name)


@pytest.mark.parametrize(
    "name",
    [
        "ssm_maintenance_window",
        "ssm_maintenance_window_target",
        "ssm_maintenance_window_task",
        "ssm_managed_node",
        "ssm_patch_baseline",
        "ssm_patch_compliance_info",
        "ssm_patch_group",
        "ssm_patch_setup",
        "ssm_resource_tags",
    ],
)
def test_imports_nothing_more_than_amazon_aws(name: str) -> None:
    more = imported(OURS + name) - imported(THEIRS)
    assert {item for item in more if not item.startswith("_")} <= TIME_ZONES
