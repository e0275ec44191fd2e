# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a reboot is needed, from sources that disagree."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.reboot_need import reconcile


@pytest.mark.parametrize(
    ("lines", "pending"),
    [
        (["reboot-required|no|", "kernel|no|6.1"], False),
        (["reboot-required|no|", "kernel|yes|6.1 runs, 6.2 is installed"], True),
        (["reboot-required|yes|linux-base"], True),
        (["needs-restarting|yes|glibc", "kernel|no|5.14"], True),
        (["needrestart|unknown|", "kernel|unknown|no kernel is installed"], None),
        ([], None),
        (["no line of ours", "a|b"], None),
    ],
)
def test_one_yes_counts_and_silence_is_not_no(lines: list[str], pending: bool | None) -> None:
    assert reconcile(lines).pending is pending


def test_after_a_reboot_a_comparison_of_clocks_is_a_doubt() -> None:
    """needs-restarting says yes for ever where a clock was wrong (rpm-software-management/dnf5#2955)."""
    lines = ["needs-restarting|yes|glibc", "kernel|no|5.14"]
    found = reconcile(lines, rebooted=True)
    assert found.pending is False and "a clock was wrong" in found.doubts[0]


@pytest.mark.parametrize("line", ["reboot-required|yes|", "kernel|yes|5.14 runs, 5.15 is installed"])
def test_after_a_reboot_other_sources_are_still_believed(line: str) -> None:
    """A new kernel that did not start needs a person, or another reboot (QubesOS/qubes-issues#7467)."""
    found = reconcile([line], rebooted=True)
    assert found.pending is True and found.doubts == ()
