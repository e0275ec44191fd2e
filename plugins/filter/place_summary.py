# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..module_utils._core.ssm.place_summary import summarise

DOCUMENTATION = r"""
name: place_summary
short_description: Add up what modules did in many account-Regions
version_added: 0.1.0
description:
  - Takes what tasks registered whose modules work in many account-Regions, with or without a loop, and says per
    account-Region how many objects of each kind were created, changed, left unchanged or failed.
author:
  - The patchtide.hybrid contributors (@patchtide)
positional: reached
options:
  _input:
    description: Kind of object to the registered result.
    type: dict
    required: true
  reached:
    description: What a task registered that asked every account-Region first; only its failures count.
    type: dict
"""

EXAMPLES = r"""
- name: Show it
  ansible.builtin.debug:
    msg: "{{ ({'baselines': baselines, 'windows': windows} | patchtide.hybrid.place_summary).lines }}"
"""

RETURN = r"""
_value:
  description:
    - C(places) holds the counts per account-Region and kind, C(failed) one entry per account-Region that failed with
      its first reason, C(failures) that as text, and C(lines) everything as text.
  type: dict
"""


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"place_summary": summarise}
