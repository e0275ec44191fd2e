# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of documents: names with lists of text, as SSM takes them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import limits


def to_parameters(values: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return a document's parameters as lists of text; a single value is a list of one."""
    return {
        str(name): tuple(str(item) for item in (value if isinstance(value, (list, tuple)) else [value]))
        for name, value in values.items()
    }


def check_automation_parameters(option: str, parameters: Mapping[str, Sequence[str]]) -> None:
    """Refuse what the API does not take for a runbook. A command's parameters have no such limits.

    :raises BadInput: naming the parameter.
    """
    limits.at_most(option, parameters, 200)
    for name, values in parameters.items():
        limits.shorter(f"{option}.{name}", name, 50)
        limits.at_most(f"{option}.{name}", values, 50)
        for value in values:
            limits.shorter(f"{option}.{name}", value, 512)
