# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the host probe that keep a snapshot before the work and compare with it afterwards. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..errors import BadInput

#: Keep a snapshot on the host, and compare with it.
MODES = ("remember", "compare")


def probe_part(
    option: str, parts: Mapping[str, str], without: Mapping[str, str], platform: str, mode: str, key: str
) -> str:
    """Return the part of a platform's probe with its mode and key; that of ``without`` if there is nothing to do.

    :param option: what the part is about, for errors. :param parts: the scripts by platform, "" for none.
    :param mode: one of ``MODES``, or ``""`` for neither. :param key: letters, digits and hyphens.
    :raises BadInput: the mode or the key, which becomes part of a script.
    """
    if not mode:
        return without[platform]
    if mode not in MODES:
        raise BadInput(option, mode, f"one of {', '.join(MODES)}")
    if not re.fullmatch(r"[a-zA-Z0-9-]{1,100}", key):
        raise BadInput("key", key, "1 to 100 letters, digits and hyphens")
    return parts[platform].replace("@MODE@", mode).replace("@KEY@", key) or without[platform]
