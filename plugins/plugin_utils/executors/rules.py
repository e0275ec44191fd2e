# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy's rules for work on nodes, in the units that executors use."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...module_utils._core.policy.values import Policy
from ...module_utils._core.work.packages.listing import PackageRules
from ...module_utils._core.work.precheck import PrecheckRules
from ...module_utils._core.work.repositories.expected import RepositoryRules
from ...module_utils._core.work.windows.selection import UpdateRules


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveRules:
    """``thresholds``: the policy's pre-checks. Times are in seconds."""

    thresholds: PrecheckRules
    delivery_seconds: int = 600
    install_seconds: int = 7200
    reboot_seconds: int = 1800
    max_concurrency: int | str = "100%"
    packages: PackageRules = field(default_factory=PackageRules)
    updates: UpdateRules = field(default_factory=UpdateRules)
    repositories: RepositoryRules = field(default_factory=RepositoryRules)


def to_rules(policy: Policy) -> WaveRules:
    """Return the rules of a policy."""
    patching = policy.patching
    return WaveRules(
        thresholds=policy.prechecks,
        delivery_seconds=patching.delivery_timeout,
        install_seconds=patching.execution_timeout_minutes * 60,
        reboot_seconds=policy.reboot.timeout_minutes * 60,
        max_concurrency=patching.max_concurrency,
        updates=patching.windows,
        repositories=policy.repositories,
        packages=PackageRules(
            security_only=patching.security_only,
            exclude=patching.exclude_packages,
            lock_seconds=patching.lock_timeout,
            allow_removals=patching.allow_removals,
            repair=patching.repair_database,
            restart_services=patching.restart_services,
            security_sources=patching.security_sources,
            other_sources=patching.other_sources,
            releasever=patching.releasever,
        ),
    )
