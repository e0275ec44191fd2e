# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Options of the inventory plugins that list nodes."""

    DOCUMENTATION: str = r"""
options:
  patch_group_keys:
    description: Keys of the patch group tag. The first key that is set applies.
    type: list
    elements: str
    default: [Patch Group, PatchGroup]
  maintenance_window_keys:
    description: Keys of the maintenance window tag. The first key that is set applies.
    type: list
    elements: str
    default: [Maintenance Window, MaintenanceWindow]
  include:
    description: Jinja conditions on the host variables. A node is included if at least one is true.
    type: list
    elements: str
    default: []
  exclude:
    description: Jinja conditions on the host variables. A node is excluded if one is true.
    type: list
    elements: str
    default: []
  executor_order:
    description:
      - Executors in the order of preference, for a machine that several inventory sources have, such as V([azure, ssm])
        for an Azure VM that is a node of AWS Systems Manager too. The source that is read later replaces ID,
        account, Region and state of the host by its own if its executor comes first.
      - If empty, the source that is read first decides. Use the same order in all sources, or O(policy_file).
    type: list
    elements: str
    default: []
  policy_file:
    description:
      - Policy file whose C(estate.executor_order) applies instead of O(executor_order). A relative path begins at the
        directory of the inventory file.
      - The plan warns of machines that the inventory gives to another executor than the policy prefers.
    type: str
    default: ''
  stale_ping_minutes:
    description: Minutes without a ping after which a running node is added to the group C(stale_ping).
    type: int
    default: 30
  exception_keys:
    description:
      - Keys of the tag with the dates of an exception from patching, C(2026-11-01/2026-11-30). The first key that is
        set applies. It sets C(patchtide_exception) and, if the period includes today in UTC, adds the node to the group
        C(exception_in_force).
    type: list
    elements: str
    default: [Patch Exception, PatchException]
  strict_permissions:
    description:
      - How to handle an account-Region, or a subscription of Azure, that fails, for example because of a missing
        permission, throttling or an expired token.
      - V(false) displays a warning with its name and the reason. Its nodes are taken from the cache, with
        C(patchtide_stale) and their age in seconds in C(patchtide_cache_age), or are missing if they are not cached.
      - V(true) fails. The inventory fails in any case if no account-Region answered and no nodes are cached.
    type: bool
    default: false
  workers:
    description: Maximum number of concurrent calls, over all account-Regions.
    type: int
    default: 32
"""
