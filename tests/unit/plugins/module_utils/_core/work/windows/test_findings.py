# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds a Windows host back before a change, and what is only told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.findings import findings
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.host_state import read_state

from tests.fakes.windows_host import state_document

LIVE = {"pipes": [], "workers": [], "installing": False, "servicing": False}


def found(skew: float | None = None, **more: Any) -> list[tuple[str, bool]]:
    return [(item.check, item.ok) for item in findings(read_state(json.dumps(state_document(**more))), skew)]


@pytest.mark.parametrize(
    ("more", "check"),
    [
        ({"administrator": False}, "rights"),
        ({"language_mode": "ConstrainedLanguage"}, "powershell"),
        ({"update_service": "Disabled"}, "update_service"),
        ({"update_service": "absent"}, "update_service"),
        ({"live": {**LIVE, "installing": True}}, "lock"),
        ({"live": {**LIVE, "workers": [4711]}}, "lock"),
        ({"component_store": "repairable"}, "component_store"),
        ({"component_store": "damaged"}, "component_store"),
        ({"policy": {"no_access": True}}, "update_policy"),
    ],
)
def test_what_holds_a_host(more: dict[str, Any], check: str) -> None:
    assert (check, False) in found(**more)


GOOD = {
    "administrator": True,
    "language_mode": "FullLanguage",
    "update_service": "Manual",
    "component_store": "healthy",
}


@pytest.mark.parametrize(
    ("more", "skew", "told"),
    [
        ({}, None, []),
        (GOOD, 300, []),
        ({"component_store": "of another kind"}, None, []),
        ({"policy": {"uses_server": True, "defers_quality": True}}, None, ["update_policy"]),
        ({"policy": {"uses_server": True, "defers_quality": True, "no_dual_scan": True}}, None, []),
        ({"policy": {"defers_quality": True}}, None, []),
        ({"policy": {"installs_alone": True}}, None, ["update_policy"]),
        ({"policy": []}, None, []),
        ({}, -301, ["time_sync"]),
    ],
)
def test_what_is_only_told(more: dict[str, Any], skew: float | None, told: list[str]) -> None:
    assert sorted(found(skew, **more)) == [("pending_reboot", True), *((check, True) for check in told)]


WSUS = {"uses_server": True, "target_group": "dev", "no_internet": True}


@pytest.mark.parametrize(
    ("policy", "group", "told"),
    [
        (WSUS, "Dev", []),
        ({**WSUS, "server": "http://wsus.example:8530"}, "Dev", [("update_policy", True)]),
        (WSUS, "", []),
        ({}, "", []),
        ({**WSUS, "uses_server": False}, "Dev", [("update_policy", False)]),
        ({**WSUS, "target_group": "Prod"}, "Dev", [("update_policy", False)]),
        ({**WSUS, "target_group": "Dev;Prod"}, "Dev", [("update_policy", False)]),
        ({**WSUS, "target_group": None}, "Dev", [("update_policy", False)]),
        ({**WSUS, "no_internet": False}, "Dev", [("update_policy", True)]),
        ([], "Dev", [("update_policy", False)]),
    ],
)
def test_a_host_takes_its_updates_from_the_group_of_its_wave(
    policy: object, group: str, told: list[tuple[str, bool]]
) -> None:
    state = read_state(json.dumps(state_document(policy=policy)))
    said = [(item.check, item.ok) for item in findings(state, None, group)]
    assert [item for item in said if item[0] == "update_policy"] == told


@pytest.mark.parametrize(
    ("more", "check"),
    [
        ({"vss_writers": ["1 System Writer", "5 Registry Writer"]}, None),
        ({"vss_writers": ["1 System Writer", "8 SqlServerWriter"]}, "backup"),
        ({"vss_writers": "11 SqlServerWriter"}, "backup"),
        ({"vss_writers": ["x SqlServerWriter", 8, None, ""]}, None),
        ({"listener_certificates": ["2027-11-28T02:00:00Z"]}, None),
        ({"listener_certificates": ["2027-11-28T02:00:00Z", "2026-12-24T00:00:00Z"]}, "certificate"),
        ({"listener_certificates": "2026-11-27T00:00:00Z"}, "certificate"),
        ({"listener_certificates": ["2026-12-24", "soon"]}, None),
        ({"roles": {"availability_groups": ["AG1"]}}, "roles"),
        ({"roles": {"availability_groups": "AG1"}}, "roles"),
        ({"roles": {"cluster_groups": ["SQL"]}}, "roles"),
        ({"roles": {"domain_controller": True}}, "roles"),
        ({"roles": {"cluster": "Running", "cluster_groups": [], "availability_groups": []}}, None),
        ({"roles": "all"}, None),
        ({"last_search": "2026-11-27T00:00:00Z"}, None),
        ({"last_search": "2026-10-01T00:00:00Z"}, "update_service"),
        ({"last_search": None}, None),
        ({"sessions": 2}, "sessions"),
        ({"sessions": 0}, None),
        ({"sessions": True}, None),
    ],
)
def test_what_an_operator_wants_to_know_holds_no_host(more: dict[str, Any], check: str | None) -> None:
    usual = found()
    told = [item for item in found(**more) if item not in usual]
    assert told == ([(check, True)] if check else [])
