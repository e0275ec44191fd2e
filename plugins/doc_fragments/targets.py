# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Options that select nodes; the service evaluates tags and groups when the work starts."""

    DOCUMENTATION = r"""
options:
  instance_ids:
    description: IDs of nodes, such as V(i-0123456789abcdef0) or V(mi-0123456789abcdef0), at most 50.
    type: list
    elements: str
  instance_tags:
    description:
      - Select nodes with these tags, such as C(Patch Group) with V([web-prod]). Each tag has one value or a list of
        values. At most 5 tags with 50 values each.
    type: dict
  tag_keys:
    description: Select nodes with these tag keys, with any value.
    type: list
    elements: str
  resource_group:
    description: Name of a resource group. Mutually exclusive with the other options that select nodes.
    type: str
  resource_types:
    description: Resource types in O(resource_group), such as V(AWS::EC2::Instance), at most 5.
    type: list
    elements: str
"""
