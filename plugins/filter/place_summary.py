# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..module_utils._core.ssm.place_summary import summarise

DOCUMENTATION = r"""
name: place_summary
short_description: Summarize the result of ssm_patch_setup in many account-Regions
version_added: 0.1.0
description:
  - Takes the registered result of M(patchtide.hybrid.ssm_patch_setup), with or without a loop, and counts per
    account-Region how many objects of each kind were created, changed, left unchanged, or failed.
author:
  - The patchtide.hybrid contributors (@patchtide)
positional: reached
options:
  _input:
    description: Registered result of M(patchtide.hybrid.ssm_patch_setup).
    type: dict
    required: true
  reached:
    description: Registered result of M(patchtide.hybrid.ssm_place_info). Only its failures count.
    type: dict
"""

EXAMPLES = r"""
- name: Show what was done in each account-Region
  ansible.builtin.debug:
    msg: "{{ (applied | patchtide.hybrid.place_summary).lines }}"
"""

RETURN = r"""
_value:
  description:
    - C(places) holds the counts by account-Region and kind. C(failed) holds one entry per account-Region that failed,
      with its first error, and C(failures) the same as text. C(lines) holds everything as text.
  type: dict
"""


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"place_summary": summarise}
