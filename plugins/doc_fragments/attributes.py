# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Attributes of modules that manage, read, or start something."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Predicts changes in check mode without making them.
    support: full
  diff_mode:
    description: Shows the changes, or the predicted changes in check mode.
    support: full
  idempotent:
    description: Reports no change if run again with the same options.
    support: full
"""
    INFO = r"""
attributes:
  check_mode:
    description: Only reads. Check mode makes no difference.
    support: full
  diff_mode:
    description: Does not change anything.
    support: N/A
  idempotent:
    description: Never reports a change.
    support: full
"""
    COMMAND = r"""
attributes:
  check_mode:
    description: Predicts in check mode whether it would start something, without starting it.
    support: full
  diff_mode:
    description: Does not manage an object that can be compared.
    support: N/A
  idempotent:
    description: Each run starts something new, unless the options identify what an earlier run started.
    support: partial
"""
