# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which baseline of the policy covers a node. If none does, the account's default baseline applies. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ..executors import find
from ..nodes import Candidate
from ..policy.values import Policy, PolicyBaseline

#: For each operating system of a baseline, text in the node's PlatformName (user guide, Patch Manager
#: prerequisites).
_NAMES: Mapping[str, tuple[str, ...]] = {
    "ALMA_LINUX": ("alma",),
    "AMAZON_LINUX": ("amazon linux",),
    "AMAZON_LINUX_2": ("amazon linux",),
    "AMAZON_LINUX_2022": ("amazon linux",),
    "AMAZON_LINUX_2023": ("amazon linux",),
    "CENTOS": ("centos",),
    "DEBIAN": ("debian",),
    "ORACLE_LINUX": ("oracle",),
    "RASPBIAN": ("raspbian", "raspberry"),
    "REDHAT_ENTERPRISE_LINUX": ("red hat",),
    "ROCKY_LINUX": ("rocky",),
    "SUSE": ("suse", "sles"),
    "UBUNTU": ("ubuntu",),
}
#: Beginnings of the version, if only the version distinguishes Amazon's systems.
_VERSIONS: Mapping[str, tuple[str, ...]] = {
    "AMAZON_LINUX": ("2012", "2013", "2014", "2015", "2016", "2017", "2018"),
    "AMAZON_LINUX_2": ("2.",),
    "AMAZON_LINUX_2022": ("2022",),
    "AMAZON_LINUX_2023": ("2023",),
}
_PLATFORMS: Mapping[str, str] = {"WINDOWS": "windows", "MACOS": "macos"}


class Coverage:
    """The baselines of a policy, by patch group and by default."""

    def __init__(self, policy: Policy) -> None:
        named = {baseline.name: baseline for baseline in policy.baselines}
        self._groups = {
            group.name: [named[name] for name in group.baselines if name in named] for group in policy.patch_groups
        }
        self._defaults = [baseline for baseline in policy.baselines if baseline.default]

    def baseline(self, node: Candidate) -> str:
        """Return the name of the policy's baseline that applies to the node; "" if none does."""
        group = [*self._groups.get(node.patch_group, ()), *self._defaults] if is_by_baseline(node) else []
        return next((baseline.name for baseline in group if _fits(baseline, node)), "")


def is_by_baseline(node: Candidate) -> bool:
    """Return whether a patch baseline determines what is installed on the node."""
    row = find(node.executor)
    return row is not None and row.by_baseline


def system_of(platform: str, name: str, version: str) -> str:
    """Return the operating system of a baseline for a node's PlatformName and version; "" if none is known for it."""
    for system, named in _PLATFORMS.items():
        if platform == named:
            return system
    found = name.lower()
    fits = (key for key, names in _NAMES.items() if any(text in found for text in names) and _has_version(key, version))
    return next(fits, "")


def _fits(baseline: PolicyBaseline, node: Candidate) -> bool:
    """Return whether a baseline is for the node's system; a system of unknown name needs only the same platform."""
    system = baseline.operating_system
    if (node.platform or "linux") != _PLATFORMS.get(system, "linux"):
        return False
    names = _NAMES.get(system)
    found = node.os.lower()
    if names is None or not any(name in found for known in _NAMES.values() for name in known):
        return True
    return any(name in found for name in names) and _has_version(system, node.os_version)


def _has_version(system: str, version: str) -> bool:
    starts = _VERSIONS.get(system)
    if starts is None or not version:
        return True
    return f"{version}.".startswith(starts)
