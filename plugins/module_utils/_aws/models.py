# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""botocore's descriptions of the services, parsed once per process."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

try:
    from botocore.loaders import create_loader

    HAS_SDK = True
except ImportError:  # reported by AnsibleAWSModule or the plugin's own check
    HAS_SDK = False


@cache
def loader() -> Any:
    """Return the loader that all sessions share. It keeps what it has parsed: a session's own would parse it again."""
    return create_loader(os.environ.get("AWS_DATA_PATH"))
