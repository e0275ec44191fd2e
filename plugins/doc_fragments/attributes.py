# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Attributes of modules that ensure a state, that only read, or that start something."""

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
    description: Can run in check mode and reports whether it would start an execution, without starting it.
    support: full
  diff_mode:
    description: An execution has no state to compare.
    support: N/A
  idempotent:
    description: Starts a new execution on every run, unless it is set to follow an earlier one.
    support: partial
"""
