# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JMESPath conditions of health checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._core.errors import BadInput, PatchtideError
from ...module_utils._core.policy.errors import Mistake
from ...module_utils._core.policy.values import Policy
from ...module_utils._core.text import plain

try:
    import jmespath
    from jmespath.exceptions import JMESPathError
except ImportError:
    jmespath = None


def check_condition(condition: str, option: str) -> None:
    """:raises BadInput: it is not JMESPath. :raises PatchtideError: the library jmespath is missing."""
    if jmespath is None:
        raise PatchtideError(
            "Conditions of health checks require the Python library jmespath on the controller: pip install jmespath"
        )
    try:
        jmespath.compile(condition)
    except JMESPathError as error:
        raise BadInput(option, condition, f"a JMESPath expression ({plain(' '.join(str(error).split()))})") from None


def evaluate(condition: str, document: Mapping[str, Any]) -> tuple[Any, str]:
    """Return (value of the condition, reason why it cannot be evaluated)."""
    try:
        return jmespath.search(condition, document), ""
    except (JMESPathError, RecursionError) as error:
        return None, str(error) or type(error).__name__


def find_condition_mistakes(policy: Policy) -> Iterator[Mistake]:
    """Find invalid conditions of a policy's health checks."""
    for path, health_check in policy.health_checks.items():
        condition = health_check.get("condition")
        if isinstance(condition, str) and condition:
            try:
                check_condition(condition, f"{path}.condition")
            except BadInput as error:
                yield Mistake.of(error)
