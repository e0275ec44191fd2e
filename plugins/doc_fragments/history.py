# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """The history, for the actions that write and read it."""

    DOCUMENTATION = r"""
options:
  history:
    description: Directory of the history, or V(s3://bucket/prefix). The Region of the bucket is O(region).
    type: str
    required: true
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
"""

    READ = r"""
options:
  since:
    description: First day whose rows are read, such as V(2026-01-01). Defaults to all.
    type: str
    default: ""
"""
