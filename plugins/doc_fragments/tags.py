# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Tags of a resource."""

    DOCUMENTATION = r"""
options:
  tags:
    description:
      - Tags of the resource. An empty dictionary removes all tags if O(purge_tags=true).
      - Tags whose keys begin with C(aws:) are reserved for AWS and never changed.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Whether to remove tags that are not in O(tags). Without O(tags), no tags are removed.
    type: bool
    default: true
"""
