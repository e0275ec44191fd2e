# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""botocore's parameter validation, extended to what the services check as well: maximum, enumeration, pattern."""

from __future__ import annotations

from functools import cache
from typing import Any

import regex
from botocore.validate import ParamValidator, ValidationErrors


@cache
def _compiled(pattern: str) -> Any:
    # The models carry Java-style patterns such as \p{L}, which the standard library's re can't read.
    return regex.compile(pattern)


class StrictValidator(ParamValidator):  # type: ignore[misc, unused-ignore]
    """Reports unknown, missing and mistyped members (botocore), values out of range, enumeration or pattern (ours)."""

    #: without these botocore checks only the type of a list's members
    VALIDATED_METADATA_ATTRS = ParamValidator.VALIDATED_METADATA_ATTRS | {"max", "enum", "pattern"}

    def __init__(self, lenient: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self._lenient = lenient

    def _validate(self, params: Any, shape: Any, errors: ValidationErrors, name: str) -> None:
        if shape.name in self._lenient:
            for index, item in enumerate(params if isinstance(params, list) else []):
                self._validate(item, shape.member, errors, f"{name}[{index}]")
            return
        super()._validate(params, shape, errors, name)  # type: ignore[misc, unused-ignore]
        problem = _constraint(params, shape.metadata)
        if problem:
            errors.report(f"{name} {problem}", "invalid type", param=params, valid_types=[shape.name])


def _constraint(value: Any, metadata: dict[str, Any]) -> str:
    size = value if isinstance(value, (int, float)) else len(value) if hasattr(value, "__len__") else None
    if "max" in metadata and size is not None and size > metadata["max"]:
        return f"is above the maximum {metadata['max']}"
    if "min" in metadata and size is not None and size < metadata["min"]:
        return f"is below the minimum {metadata['min']}"
    if "enum" in metadata and value not in metadata["enum"]:
        return f"must be one of {metadata['enum']}"
    if "pattern" in metadata and isinstance(value, str) and not _compiled(metadata["pattern"]).search(value):
        return f"must match {metadata['pattern']}"
    return ""


def problems(value: Any, shape: Any, lenient: frozenset[str] = frozenset()) -> str:
    """Return a report of all that is wrong with ``value`` as ``shape``; empty when nothing is.

    :param lenient: names of shapes whose own constraints are not checked (those of a list's members are).
    """
    report = StrictValidator(lenient).validate(value, shape)
    return str(report.generate_report()) if report.has_errors() else ""
