# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths into our variables without Jinja, machines of earlier sources, text that is never a template."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.hosts import known_machines, look_up
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.unsafe import mark_unsafe
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.fleet import trusted

VARIABLES: dict[str, Any] = {
    "patchtide_os": "Ubuntu",
    "patchtide_tags": {"Patch Group": "A", "App": "crm", "items": "x", "evil": "{{ 1 }}"},
    "patchtide_merged_ids": ["a"],
    "other": "x",
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("patchtide_os", "Ubuntu"),
        (" patchtide_tags.App ", "crm"),
        ("patchtide_tags['Patch Group']", "A"),
        ('patchtide_tags["Patch Group"]', "A"),
        ("patchtide_tags['items']", "x"),
        ("patchtide_merged_ids", ["a"]),
    ],
)
def test_a_path_is_what_jinja_says(expression: str, value: Any) -> None:
    assert look_up(expression, VARIABLES) == (True, value)
    templar = Templar(loader=DataLoader(), variables=VARIABLES)
    assert templar.template(trusted("{{ " + expression + " }}")) == value


@pytest.mark.parametrize(
    "expression",
    [
        "patchtide_tags.items",
        "patchtide_tags.nowhere",
        "patchtide_nothing",
        "patchtide_tags.evil",
        "patchtide_os.App",
        "patchtide_os | upper",
        "patchtide_os ~ 'x'",
        "other",
        "patchtide_tags[App]",
        None,
        1,
    ],
)
def test_everything_else_is_left_to_jinja(expression: Any) -> None:
    assert look_up(expression, VARIABLES) == (False, None)


def test_the_vm_counts_before_its_arc_entry() -> None:
    vm = SimpleNamespace(name="vm", vars={"vmid": "A", "resource_type": "Microsoft.Compute/virtualMachines"})
    arc = SimpleNamespace(name="arc", vars={"vmid": "a", "resource_type": "Microsoft.HybridCompute/machines"})
    static = SimpleNamespace(name="static", vars={"patchtide_node_id": "mi-1"})
    assert known_machines([arc, vm, static]) == known_machines([vm, static, arc]) == {"a": "vm", "mi-1": "static"}


@given(
    st.recursive(
        st.one_of(st.text(), st.sampled_from(["{{ 7 * 6 }}", "{% raw %}", "{# x #}"]), st.integers(), st.none()),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_cloud_text_is_a_template(data: Any) -> None:
    """Covers the promise that untrusted text is never templated, whatever ansible-core does about it."""
    templar = Templar(loader=DataLoader(), variables={"data": mark_unsafe(data)})
    assert templar.template(trusted("{{ data }}")) == data
