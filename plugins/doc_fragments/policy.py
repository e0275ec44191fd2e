# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """The policy and its digest, as options of modules that follow it."""

    DOCUMENTATION = r"""
options:
  policy:
    description: The policy, as RV(patchtide.hybrid.policy_info#module:policy).
    type: dict
    required: true
"""

    DIGEST = r"""
options:
  policy_digest:
    description: Digest of the policy, as RV(patchtide.hybrid.policy_info#module:digest).
    type: str
    required: true
"""
