# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions without Jinja give what Ansible gives for them, or leave it to Ansible, which is the oracle here."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.expressions import Unsure, compiled, condition
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.fleet import trusted

VARIABLES: dict[str, Any] = {
    "patchtide_os": "Ubuntu",
    "patchtide_ip": "",
    "patchtide_managed": True,
    "patchtide_count": 3,
    "patchtide_nothing": None,
    "patchtide_tags": {"Patch Group": "A", "App": "crm", "items": "x", "evil": "{{ 1 }}", "list": "[1]", "yes": "True"},
    "patchtide_merged_ids": ["a"],
    "other": "x",
}


def by_ansible(expression: str, variables: dict[str, Any]) -> Any:
    return Templar(loader=DataLoader(), variables=variables).template(trusted("{{ " + expression + " }}"))


@pytest.mark.parametrize(
    "expression",
    [
        "patchtide_os",
        " patchtide_tags.App ",
        "patchtide_tags['Patch Group']",
        'patchtide_tags["items"]',
        "patchtide_merged_ids",
        "patchtide_managed",
        "patchtide_os | upper",
        "patchtide_os | lower | trim",
        "patchtide_os ~ '-' ~ patchtide_tags.App",
        "patchtide_tags.nowhere | default('none')",
        "patchtide_tags['nowhere'] | default(patchtide_os)",
        "patchtide_nowhere | default('none')",
        "patchtide_ip | default('none')",
        "patchtide_ip | default('none', true)",
        "patchtide_os == 'Ubuntu'",
        "patchtide_os != 'Ubuntu'",
        "patchtide_os in ['Ubuntu', 'Debian']",
        "'bun' in patchtide_os",
        "'App' in patchtide_tags",
        "patchtide_os not in ['Debian']",
        "'windows' if patchtide_os == 'Windows' else 'linux'",
        "patchtide_os == 'Ubuntu' and not patchtide_managed",
        "patchtide_os == 'x' or patchtide_tags.App == 'crm'",
        "'fixed'",
    ],
)
def test_common_forms_need_no_templating(expression: str) -> None:
    function = compiled(expression)
    assert function is not None
    assert function(VARIABLES) == by_ansible(expression, VARIABLES)


@pytest.mark.parametrize(
    "expression",
    [
        "patchtide_tags.items",
        "patchtide_tags.nowhere",
        "patchtide_nowhere",
        "patchtide_tags.evil",
        "patchtide_tags.evil | upper",
        "patchtide_tags.list",
        "patchtide_tags.yes",
        "patchtide_os.App",
        "patchtide_count | upper",
        "patchtide_nothing ~ 'x'",
        "patchtide_count ~ 'x'",
        "'a' in patchtide_count",
        "patchtide_os | regex_replace('U', 'u')",
        "patchtide_os | upper | default",
        "patchtide_os is defined",
        "lookup('env', 'HOME')",
        "patchtide_os.upper()",
        "other",
        "patchtide_tags[App]",
        "patchtide_count + 1",
        "'{' ~ patchtide_os",
        "a b",
        "}} {{",
        None,
        1,
    ],
)
def test_everything_else_is_left_to_jinja(expression: Any) -> None:
    function = compiled(expression)
    if function is not None:
        with pytest.raises(Unsure):
            function(VARIABLES)


def test_a_condition_is_true_or_false_or_ansibles() -> None:
    assert condition("patchtide_os == 'Ubuntu'")(VARIABLES) is True  # type: ignore[misc]  # it is of a common form
    with pytest.raises(Unsure):
        condition("patchtide_os")(VARIABLES)  # type: ignore[misc] # it may be None, and must not be here
    assert condition("patchtide_os is defined") is None


PARTS = st.sampled_from(
    ["patchtide_os", "patchtide_ip", "patchtide_tags.App", "patchtide_tags['x']", "patchtide_managed", "'Ubuntu'", "''"]
)
EXPRESSIONS = st.recursive(
    PARTS,
    lambda inner: (
        st.builds("({} | {})".format, inner, st.sampled_from(["upper", "lower", "trim", "default('d')", "d('', true)"]))
        | st.builds("({} {} {})".format, inner, st.sampled_from(["==", "!=", "and", "or", "~", "in"]), inner)
        | st.builds("(not {})".format, inner)
        | st.builds("({} if {} else {})".format, inner, inner, inner)
    ),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None)
@given(expression=EXPRESSIONS, os=st.sampled_from(["Ubuntu", "", "True", "[x]", "{{ 1 }}", "Amazon Linux"]))
def test_what_is_decided_is_what_ansible_decides(expression: str, os: str) -> None:
    variables = {**VARIABLES, "patchtide_os": os}
    function = compiled(expression)
    if function is None:
        return
    try:
        found = function(variables)
    except Unsure:
        return
    expected = by_ansible(expression, variables)
    assert (found, type(found)) == (expected, type(expected)) or str(found) == str(expected)
