# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Attributes: of modules that bring something into a state, and of modules that only read."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in check mode and predicts the changes without making them.
    support: full
  diff_mode:
    description: Shows what it changes, or would change in check mode.
    support: full
  idempotent:
    description: Reports no change when it runs again with the same options.
    support: full
"""
    INFO = r"""
attributes:
  check_mode:
    description: Only reads, so check mode makes no difference.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: N/A
  idempotent:
    description: Never reports a change.
    support: full
"""
    COMMAND = r"""
attributes:
  check_mode:
    description: Can run in check mode and says whether it would start something, without starting it.
    support: full
  diff_mode:
    description: What it starts leaves no object that could be compared.
    support: N/A
  idempotent:
    description: Starts anew whenever it runs, except where it is told to follow what it started before.
    support: partial
"""
