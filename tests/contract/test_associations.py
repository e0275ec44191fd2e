# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Associations behave the same on the fake and on the lab."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.associations import SsmAssociations, to_api
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, Conflict
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.associations import AssociationNoun

from tests.fakes.associations import FakeAssociations

BASE: dict[str, Any] = {
    "name": "scan",
    "state": "present",
    "purge_tags": True,
    "document": "AWS-RunPatchBaseline",
    "parameters": {"Operation": "Scan"},
    "instance_tags": {"Patch Group": ["web"]},
    "schedule": "cron(0 3 ? * TUE#2 *)",
    "apply_only_at_cron_interval": True,
}


@pytest.fixture(params=["fake", "lab"])
def port(request: pytest.FixtureRequest) -> Any:
    if request.param == "fake":
        return FakeAssociations()
    client = request.getfixturevalue("ssm")
    return SsmAssociations(client, client)


def associate(port: Any, **options: Any) -> tuple[bool, Any]:
    noun = AssociationNoun(port, {**BASE, **options})
    change = noun.plan()
    return change.changed, noun.apply(change) if change.changed else change.after


@pytest.mark.parametrize(
    ("member", "set_to", "cleared"),
    [
        ("parameters", {"Operation": "Install", "RebootOption": "NoReboot"}, {"Operation": "Scan"}),
        ("document_version", "$LATEST", "$DEFAULT"),
        ("instance_tags", {"Patch Group": ["web", "db"]}, {"Patch Group": ["web"]}),
        ("schedule", "cron(0 4 ? * WED *)", "cron(0 3 ? * TUE#2 *)"),
        ("offset_days", 3, 0),
        ("duration_hours", 6, 0),
        ("calendars", ["freeze", "audit"], []),
        ("max_concurrency", "10%", ""),
        ("max_errors", "2", ""),
        ("compliance_severity", "HIGH", "UNSPECIFIED"),
        ("sync_compliance", "MANUAL", "AUTO"),
        ("output_s3_bucket", "patch-logs", ""),
        ("alarm", "too-many-errors", ""),
        ("dispatch_role_arn", "arn:aws:iam::111122223333:role/state-manager", ""),
        ("tags", {"Team": "web"}, {}),
    ],
)
def test_member_is_set_kept_and_cleared(port: Any, member: str, set_to: Any, cleared: Any) -> None:
    associate(port)
    assert associate(port, **{member: set_to})[0]
    assert not associate(port, **{member: set_to})[0]
    assert not associate(port)[0] or member in BASE, "not given means left alone"
    associate(port, **{member: set_to})
    assert associate(port, **{member: cleared})[0]
    assert not associate(port, **{member: cleared})[0]


def test_is_renamed_by_its_id_and_deleted(port: Any) -> None:
    _unused, first = associate(port)
    assert associate(port, association_id=first.association_id, name="nightly-scan")[0]
    assert port.find("scan") is None
    assert associate(port, name="nightly-scan", state="absent") == (True, None)
    assert associate(port, name="nightly-scan", state="absent") == (False, None)


def test_unknown_id_is_refused_or_already_absent(port: Any) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(BadInput, match="an existing association"):
        associate(port, association_id=unknown)
    assert associate(port, association_id=unknown, state="absent") == (False, None)


def test_other_document_is_another_association(port: Any) -> None:
    _unused, before = associate(port)
    changed, after = associate(port, document="AWS-UpdateSSMAgent", parameters={})
    assert changed and after.association_id != before.association_id
    assert port.get(before.association_id) is None


def test_two_of_a_name_are_a_conflict(port: Any) -> None:
    _unused, first = associate(port)
    port.create(first)
    with pytest.raises(Conflict, match="2 associations named 'scan'"):
        associate(port)


def test_the_id_that_the_service_adds_is_no_difference(ssm: Any) -> None:
    """AWS-RunPatchBaselineAssociation shows the association's ID among its parameters, given or not."""
    port = SsmAssociations(ssm, ssm)
    options = {"document": "AWS-RunPatchBaselineAssociation", "parameters": {"Operation": "Scan"}}
    _unused, made = associate(port, **options)
    shown = ssm.describe_association(AssociationId=made.association_id)["AssociationDescription"]["Parameters"]
    assert shown == {"Operation": ["Scan"], "AssociationId": [made.association_id]}
    assert not associate(port, **options)[0]
    assert associate(port, **options, max_errors="2")[0]
    assert not associate(port, **options, max_errors="2")[0]


def test_the_case_of_instance_ids_as_a_target_is_no_difference(ssm: Any) -> None:
    """Quick Setup writes ``instanceids``, others ``InstanceIds``."""
    port = SsmAssociations(ssm, ssm)
    _unused, made = associate(port, instance_tags=None, instance_ids=["*"])
    ssm.update_association(AssociationId=made.association_id, **_as_instanceids(made))
    assert not associate(port, instance_tags=None, instance_ids=["*"])[0]


def _as_instanceids(made: Any) -> dict[str, Any]:
    return {**to_api(made), "Targets": [{"Key": "instanceids", "Values": ["*"]}]}
