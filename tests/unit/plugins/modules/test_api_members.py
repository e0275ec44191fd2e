# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every input member of the operations that a module calls is an option of it, or the table says why not.

The members and their values come from botocore's service model, so that a new botocore shows what is new. What is left
out stands in ``tests/fakes/api_members.py``; ``test_service_limits.py`` tries the limits of the members.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.fakes.api_members import LEFT_OUT, MODULES, is_left_out, members, option_of, spec_of

ROWS = [pytest.param(*row, id=".".join(row[:3])) for row in members()]
#: Members whose values are not the choices of their option, and why.
OTHER_VALUES: Mapping[str, str] = {
    "RegisterTargetWithMaintenanceWindow.ResourceType": "it follows from the kind of targets",
    **{
        f"{operation}.{filters}PatchFilters[].Key": "keys of a dictionary, checked for the operating system"
        for operation in ("CreatePatchBaseline", "UpdatePatchBaseline")
        for filters in ("GlobalFilters.", "ApprovalRules.PatchRules[].PatchFilterGroup.")
    },
}


@pytest.mark.parametrize(("module", "operation", "member", "shape"), ROWS)
def test_each_member_is_an_option_or_left_out_for_a_reason(
    module: str, operation: str, member: str, shape: Any
) -> None:
    options = spec_of(module)
    option = None if is_left_out(operation, member) else option_of(member, MODULES[module][1], options)
    assert is_left_out(operation, member) != (option in options), f"{operation}.{member}: {option}"


def test_no_reason_is_left_without_a_member() -> None:
    names = {name for _module, operation, member, _shape in members() for name in (f"{operation}.{member}", member)}
    assert sorted((set(LEFT_OUT) | set(OTHER_VALUES)) - names) == []


@pytest.mark.parametrize(
    ("module", "operation", "member", "shape"), [row for row in ROWS if getattr(row.values[3], "enum", ())]
)
def test_the_choices_of_an_option_are_the_values_of_the_member(
    module: str, operation: str, member: str, shape: Any
) -> None:
    options = spec_of(module)
    option = option_of(member, MODULES[module][1], options)
    fixed = is_left_out(operation, member) or f"{operation}.{member}" in OTHER_VALUES
    assert fixed or sorted(options[str(option)]["choices"]) == sorted(shape.enum), option
