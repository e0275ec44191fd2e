# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """The option that names the maintenance window of a target or a task."""

    DOCUMENTATION = r"""
options:
  window:
    description:
      - Name or ID of the maintenance window. A name is looked up in each account-Region separately.
      - In check mode, a window that does not exist yet is assumed to exist.
    type: str
    required: true
"""
