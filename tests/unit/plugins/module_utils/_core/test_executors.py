# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of executors: which names are served, and what is said about the others."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.executors import (
    LINUX,
    SSM,
    WINDOWS,
    Library,
    by_node_id,
    comes_first,
    find,
    is_direct,
    lacks,
    needs_agent,
    unserved,
)


def test_what_the_engine_asks_of_an_executor() -> None:
    assert (find("ssm"), find("linux"), find("sms")) == (SSM, LINUX, None)
    assert (is_direct("linux"), is_direct("ssm"), is_direct("sms")) == (True, False, False)
    assert (needs_agent("ssm"), needs_agent("linux"), needs_agent("sms")) == (True, False, False)


@pytest.mark.parametrize(
    ("node_id", "name"),
    [
        ("i-0123456789abcdef0", "ssm"),
        ("mi-0123456789abcdef0", "ssm"),
        ("/subscriptions/1/resourcegroups/rg/providers/microsoft.hybridcompute/machines/web", "azure"),
        ("web-01", ""),
        ("", ""),
    ],
)
def test_the_service_that_gave_a_node_its_id(node_id: str, name: str) -> None:
    assert by_node_id(node_id) == name


@pytest.mark.parametrize(
    ("name", "other", "first"),
    [
        ("azure", "ssm", True),
        ("ssm", "azure", False),
        ("azure", "azure", False),
        ("ssm", "linux", True),
        ("linux", "ssm", False),
        ("linux", "", False),
        ("azure", "", False),
    ],
)
def test_preferred_executors(name: str, other: str, first: bool) -> None:
    assert comes_first(name, other, ["azure", "ssm"]) is first
    assert not comes_first(name, other, [])


SERVES = "is not served by this version, which serves azure, linux, ssm, windows"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("ssm", ""),
        ("linux", ""),
        ("windows", ""),
        ("satellite", f"executor 'satellite' {SERVES}"),
        ("sms", f"executor 'sms' {SERVES} (did you mean 'ssm'?)"),
    ],
)
def test_an_executor_that_is_not_served_is_named_with_those_that_are(name: str, why: str) -> None:
    assert unserved(name) == why


def test_what_is_missing_is_said_with_what_to_install() -> None:
    missing = [Library("azure.identity", "azure-identity"), Library("winrm", "pywinrm")]
    assert lacks(SSM, []) == ""
    assert lacks(SSM, missing) == (
        "executor 'ssm' needs Python modules that this controller lacks (azure.identity, winrm): "
        "pip install azure-identity pywinrm"
    )


def test_a_collection_is_installed_from_galaxy() -> None:
    told = "ansible-galaxy collection install ansible.windows"
    assert lacks(WINDOWS, WINDOWS.requires[1:]) == (
        f"executor 'windows' needs collections that this controller lacks: {told}"
    )
    assert lacks(WINDOWS, WINDOWS.requires) == (
        "executor 'windows' needs Python modules that this controller lacks (pypsrp): pip install pypsrp; "
        f"collections that this controller lacks: {told}"
    )
