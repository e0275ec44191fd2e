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
      - Tags whose key begins with C(aws:) belong to AWS and are never changed.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Whether tags that O(tags) does not name are removed. Without O(tags) nothing is removed.
    type: bool
    default: true
"""
