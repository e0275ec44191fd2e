# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks text from cloud services so that Ansible never evaluates it as a template."""

from __future__ import annotations

import re
from typing import Any

from ansible import template
from ansible.utils.unsafe_proxy import AnsibleUnsafeText

#: ansible-core 2.19 and later only evaluate text that is marked as trusted.
UNTRUSTED_BY_DEFAULT = hasattr(template, "trust_as_template")

_TEMPLATE = re.compile(r"[{}%#]")


def mark_unsafe(value: Any) -> Any:
    """Return plain data in which no text is templated. Text without template characters is not changed."""
    if UNTRUSTED_BY_DEFAULT:
        return value
    if isinstance(value, str):
        return AnsibleUnsafeText(value) if _TEMPLATE.search(value) else value
    if isinstance(value, dict):
        return {mark_unsafe(key): mark_unsafe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [mark_unsafe(item) for item in value]
    return value
