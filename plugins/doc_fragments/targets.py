# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Options that select nodes. The service evaluates tags and groups when the work starts."""

    DOCUMENTATION = r"""
options:
  instance_ids:
    description: Ids of the nodes, such as V(i-0123456789abcdef0) or V(mi-0123456789abcdef0), at most 50.
    type: list
    elements: str
  instance_tags:
    description:
      - Selects nodes with these tags. Each tag has one value or a list of values, at most 5 tags with 50 values each.
      - "For example, C(Patch Group) with V([web-prod])."
    type: dict
  tag_keys:
    description: Selects nodes with these tag keys, whatever the value.
    type: list
    elements: str
  resource_group:
    description: Name of a resource group that contains the nodes. Mutually exclusive with the other options.
    type: str
  resource_types:
    description: Resource types of members of O(resource_group) to select, such as V(AWS::EC2::Instance), at most 5.
    type: list
    elements: str
"""
