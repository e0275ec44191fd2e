# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide names what there is, and its examples are valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.patchtide.hybrid.plugins.doc_fragments import fleet
from ansible_collections.patchtide.hybrid.plugins.inventory import ssm_fleet
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.groups import BUILT_IN, NAMED
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.merge import RULES
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import EMPTY

from tests.fakes.fleet import trusted

GUIDE = (Path(__file__).resolve().parents[4] / "docs" / "inventory.md").read_text(encoding="utf-8")
SHARED = yaml.safe_load(fleet.ModuleDocFragment.DOCUMENTATION)["options"]
OPTIONS = {**SHARED, **yaml.safe_load(ssm_fleet.DOCUMENTATION)["options"]}
FRAGMENTS = {
    "compose",
    "groups",
    "keyed_groups",
    "strict",
    "cache",
    "cache_plugin",
    "cache_connection",
    "cache_timeout",
}
CREDENTIALS = {"endpoint_url", "access_key", "secret_key", "profile", "region", "assume_role_arn"}


def test_every_variable_is_in_the_table_and_no_other() -> None:
    table = GUIDE[GUIDE.index("| variable |") : GUIDE.index("### Groups")]
    named = {
        name
        for row in table.splitlines()
        for name in re.findall(r"`patchtide_(\w+)`", row.split("|")[1] if "|" in row else "")
    }
    assert named == set(EMPTY)


def test_every_group_and_rule_is_explained() -> None:
    assert all(f"`{name}`" in GUIDE for name in (*NAMED, *RULES))
    assert all(f"`{prefix}_…`" in GUIDE for prefix in BUILT_IN.values())
    assert OPTIONS["merge"]["choices"] == [*RULES, "inventory"]


def examples() -> list[dict]:
    """Return the inventory files that the guide shows; a list would be a play."""
    blocks = re.findall(r"```yaml\n(.*?)```", GUIDE, re.S)
    found = [item for text in (*blocks, ssm_fleet.EXAMPLES) for item in yaml.safe_load_all(text)]
    return [item for item in found if isinstance(item, dict)]


@pytest.mark.parametrize("example", [item for item in examples() if "azure" not in str(item.get("plugin"))])
def test_examples_use_options_that_exist(example: dict) -> None:
    if "all" not in example:
        assert set(example) <= {*OPTIONS, *FRAGMENTS, *CREDENTIALS}


@pytest.mark.parametrize(("tags", "group"), [({"Patch Group": "A"}, "A"), ({"PatchGroup": "B"}, "B"), ({}, "")])
def test_azure_machines_get_the_same_shape(tags: dict, group: str) -> None:
    """Covers MO-19: what the guide tells to write for azure_rm gives our variables."""
    (azure,) = [item for item in examples() if "azure" in str(item.get("plugin"))]
    machine = {
        "id": "/subscriptions/5e1d/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm-1",
        "name": "vm-1",
        "os_profile": {"system": "windows"},
        "location": "westeurope",
        "powerstate": "running",
        "tags": tags,
    }
    templar = Templar(loader=DataLoader(), variables=machine)
    expressions = azure["hostvar_expressions"]
    found = {name: templar.template(trusted("{{ " + text + " }}")) for name, text in expressions.items()}
    assert {name.removeprefix("patchtide_") for name in found} <= set(EMPTY)
    assert (found["patchtide_account"], found["patchtide_platform"]) == ("5e1d", "windows")
    assert found["patchtide_patch_group"] == group
    assert [found[f"patchtide_{name}"] for name in ("executor", "state", "ping_status")] == ["azure", "running", ""]


@pytest.mark.parametrize(("status", "ping"), [("connected", "Online"), ("disconnected", "ConnectionLost")])
def test_azure_arc_servers_report_by_themselves_and_have_no_power_state(status: str, ping: str) -> None:
    """azure_rm makes a power state from an Arc server's status: running, or disrunning."""
    (azure,) = [item for item in examples() if "azure" in str(item.get("plugin"))]
    machine = {"status": status, "powerstate": status.replace("connected", "running")}
    templar, expressions = Templar(loader=DataLoader(), variables=machine), azure["hostvar_expressions"]
    found = [
        templar.template(trusted("{{ " + expressions[name] + " }}"))
        for name in ("patchtide_state", "patchtide_ping_status")
    ]
    assert found == ["", ping]
