# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reference baselines: one for every operating system of Patch Manager, and what each approves.

Covers CG-3 (reference baselines), CG-19 (operating systems), CG-20 (service packs, minor upgrades, applications).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.baselines import SsmBaselines
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.declare import to_declared
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.baseline_noun import BaselineNoun
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.baselines import OPERATING_SYSTEMS, to_given
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.policy.file import load_policy

from lab.aws.catalogue import load_operating_system
from lab.aws.ssm.evaluate import approval

from .conftest import WEB, Fleet

POLICY = Path(__file__).parents[2] / "examples" / "reference-baselines.yml"
NOW = datetime(2026, 6, 1, 6, tzinfo=timezone.utc)
YUM = {"openssl-libs": "CRITICAL", "tzdata": "MEDIUM"}
#: Baseline: a catalogue, and the patches that it approves today with their compliance levels.
EXPECTED: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "reference-windows": (
        "reference/windows-server-2019",
        {"KB5995101": "CRITICAL", "KB5995102": "MEDIUM", "KB5995104": "CRITICAL"},
    ),
    "reference-windows-service-packs": (
        "reference/windows-server-2019",
        {"KB5995101": "CRITICAL", "KB5995102": "MEDIUM", "KB5995103": "LOW", "KB5995104": "CRITICAL"},
    ),
    "reference-windows-applications": (
        "reference/windows-server-2019",
        {"KB5995101": "CRITICAL", "KB5995102": "MEDIUM", "KB5995104": "HIGH"},
    ),
    "reference-amazon-linux": ("reference/amazon-linux", YUM),
    "reference-amazon-linux-2": ("reference/amazon-linux-2", YUM),
    "reference-amazon-linux-2022": ("reference/amazon-linux-2022", YUM),
    "reference-amazon-linux-2023": (
        "amazon-linux-2023",
        {
            "kernel": "CRITICAL",
            "openssl-libs": "CRITICAL",
            "glibc": "CRITICAL",
            "curl-minimal": "MEDIUM",
            "vim-minimal": "MEDIUM",
            "tzdata": "MEDIUM",
        },
    ),
    "reference-rhel": ("reference/rhel-9.5", {"openssl-libs": "CRITICAL", "kernel-core": "MEDIUM"}),
    "reference-rhel-minor-upgrades": (
        "reference/rhel-9.5",
        {"openssl-libs": "CRITICAL", "redhat-release": "LOW", "tuned": "LOW"},
    ),
    "reference-oracle-linux": ("reference/oracle-linux-9", YUM),
    "reference-rocky-linux": ("reference/rocky-linux-9", YUM),
    "reference-alma-linux": ("reference/alma-linux-9", YUM),
    "reference-centos": ("reference/centos-8", {"tzdata": "HIGH", "vim-minimal": "HIGH"}),
    "reference-sles": (
        "sles-15",
        {"kernel-default": "CRITICAL", "libopenssl3": "CRITICAL", "glibc": "MEDIUM", "libzypp": "MEDIUM"},
    ),
    "reference-ubuntu": (
        "ubuntu-22.04",
        dict.fromkeys(
            ("linux-image-5.15.0-164-generic", "libssl3", "openssl", "libc6", "systemd", "bind9-dnsutils"), "HIGH"
        ),
    ),
    "reference-debian": ("reference/debian-12", {"libssl3": "HIGH", "openssl": "HIGH"}),
    "reference-debian-point-releases": (
        "reference/debian-12",
        {"libssl3": "HIGH", "openssl": "HIGH", "base-files": "HIGH"},
    ),
    "reference-raspberry-pi-os": (
        "reference/raspberry-pi-os-11",
        {"libssl3": "HIGH", "openssl": "HIGH", "base-files": "HIGH"},
    ),
    "reference-macos": ("reference/macos-15", {"macOS15.6.1": "CRITICAL"}),
}


def declared() -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in to_declared(load_policy(POLICY))["baselines"]}


def test_every_operating_system_has_one() -> None:
    assert {row["operating_system"] for row in declared().values()} == set(OPERATING_SYSTEMS)
    assert set(declared()) == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_service_takes_it_and_it_approves_what_it_should(fleet: Fleet, name: str) -> None:
    """The filter values are those of DescribePatchProperties, and a second run finds nothing to change."""
    client = fleet.lab.client("ssm", account=WEB)

    def plan() -> Any:
        return BaselineNoun(SsmBaselines(client), to_given(declared()[name]), present=True, purge_tags=True)

    noun = plan()
    made = noun.apply(noun.plan())
    assert not plan().plan().changed
    baseline = client.get_patch_baseline(BaselineId=made.baseline_id)
    catalogue, expected = EXPECTED[name]
    system = load_operating_system(catalogue, NOW)
    assert system.baseline_os == baseline["OperatingSystem"]
    found = {patch.name: approval(baseline, patch, NOW) for patch in system.updates}
    assert {patch: item.level for patch, item in found.items() if item.installs} == expected
