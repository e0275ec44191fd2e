# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's state of the current thread, for threads that call its plugins."""

from __future__ import annotations

import contextvars


def own_context() -> contextvars.Context:
    """Return a copy of this thread's context variables for another thread; without it, plugins there lack their task.

    Templates register in the thread's ``AnsibleAccessContext`` and leave in reverse order ("each thread or other
    logical callstack has a dedicated object", ``_internal/_templating/_access.py`` of ansible-core 2.19 and newer). A
    copy alone shares that object, and templates of two threads at a time fail with "Out-of-order context deactivation".
    """
    copied = contextvars.copy_context()
    for variable, value in copied.items():
        if variable.name == "AnsibleAccessContext":
            copied.run(variable.set, type(value)())
    return copied
