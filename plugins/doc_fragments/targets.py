# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Options that say which nodes are meant; the service evaluates tags and groups when the work starts."""

    DOCUMENTATION = r"""
options:
  instance_ids:
    description: Nodes by their ids, such as V(i-0123456789abcdef0) or V(mi-0123456789abcdef0), at most 50.
    type: list
    elements: str
  instance_tags:
    description:
      - Nodes that carry these tags, with one value or a list of them. At most 5 tags with 50 values each.
      - "Such as C(Patch Group) with V([web-prod])."
    type: dict
  tag_keys:
    description: Nodes that carry these tags, whatever the value.
    type: list
    elements: str
  resource_group:
    description: Name of a resource group whose members are meant. Not together with the other ways.
    type: str
  resource_types:
    description: Which types of members of O(resource_group), such as V(AWS::EC2::Instance), at most 5.
    type: list
    elements: str
"""
