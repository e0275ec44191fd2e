# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines of earlier sources, text that is never a template."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.hosts import known_machines
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.unsafe import mark_unsafe
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.fleet import trusted


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
