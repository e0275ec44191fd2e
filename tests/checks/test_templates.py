# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CloudFormation templates: what cfn-lint lets pass. Limits are from the user guides and the service quotas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.lists.address import Bucket, check_bucket
from botocore.session import Session

from tests.checks.source import ROOT

FILES = sorted((ROOT / "templates").glob("*.template"))


class Loader(yaml.SafeLoader):
    """Reads ``!Ref X`` as ``{"Ref": "X"}``, and every other short form likewise."""


def _call(loader: Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    assert isinstance(node, yaml.SequenceNode)
    return {name: loader.construct_sequence(node, deep=True)}


Loader.add_multi_constructor("!", _call)
TEMPLATES: dict[str, Any] = {path.stem: yaml.load(path.read_text("utf-8"), Loader) for path in FILES}


def resources(name: str, kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of a template's resources of one type, by logical name."""
    found = TEMPLATES[name]["Resources"].items()
    return {key: item.get("Properties", {}) for key, item in found if item["Type"] == f"AWS::{kind}"}


def inside(data: Any) -> Iterator[Any]:
    yield data
    for item in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from inside(item)


def statements(data: Any) -> list[dict[str, Any]]:
    """Return every statement of a policy in a template, or in a part of one."""
    return [item for item in inside(data) if isinstance(item, dict) and {"Effect", "Action"} <= item.keys()]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def names_of(pattern: dict[str, Any]) -> set[tuple[str, str]]:
    """Return source and detail type of every event that a pattern matches."""
    parts = pattern.get("$or", [pattern])
    return {(source, kind) for part in parts for source in part["source"] for kind in part["detail-type"]}


def unanswered(forwarded: dict[str, Any], answered: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return the events of AWS that spokes forward and no rule of the hub answers, or the other way round."""
    answers = {event for pattern in answered for event in names_of(pattern) if event[0].startswith("aws.")}
    return names_of(forwarded) ^ answers


def wrong_input(transformer: dict[str, Any]) -> str:
    """Return what is wrong with what EventBridge makes of an event (user guide, input transformation)."""
    paths, text = transformer["InputPathsMap"], transformer["InputTemplate"]
    used = set(re.findall(r"<(\w+)>", text))
    if used != set(paths):
        return f"not the same names: {sorted(used ^ set(paths))}"
    try:
        # A text is quoted by EventBridge where it is a value, and is not where it is within a text.
        plain = re.sub(r'<\w+>(?=[^"]*"\s*$)', "x", text) if text.startswith('"') else re.sub(r"<\w+>", '"x"', text)
        json.loads(plain)
    except ValueError:
        return f"no JSON: {text}"
    return ""


def test_there_are_templates_and_their_parameters_are_documented() -> None:
    assert set(TEMPLATES) == {"hub", "owner", "spoke", "lists", "endpoints", "history", "dashboard", "patch_policy"}
    bare = [
        f"{name}: {key}"
        for name, data in TEMPLATES.items()
        for key, item in data["Parameters"].items()
        if len(item.get("Description", "")) < 15
    ]
    assert not bare


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_can_be_sent_without_a_bucket(name: str) -> None:
    """CloudFormation quotas: 51,200 bytes in a request; a description has 1,024 bytes, one of a parameter 4,000."""
    path = ROOT / "templates" / f"{name}.template"
    assert len(path.read_bytes()) < 51_200 and len(TEMPLATES[name]["Description"].encode()) <= 1024


def test_no_template_has_code_or_nested_stacks() -> None:
    """Service-managed stack sets take no nested stacks (user guide, StackSets considerations)."""
    kinds = {item["Type"] for data in TEMPLATES.values() for item in data["Resources"].values()}
    assert not [kind for kind in kinds if kind.startswith(("AWS::Lambda", "AWS::CloudFormation", "Custom::"))]
    assert not [name for name, data in TEMPLATES.items() if "Transform" in data]


def test_nobody_outside_of_the_organization_is_allowed() -> None:
    """A statement that allows everybody, perhaps, limits them to the organization under the same condition."""
    open_ones = [
        row
        for data in TEMPLATES.values()
        for row in statements(data)
        if row["Effect"] == "Allow" and "*" in str(row.get("Principal", ""))
    ]
    assert len(open_ones) == 3
    for row in open_ones:
        assert row["Principal"]["AWS"]["If"][0] == "HasOrganization"
        assert "'aws:PrincipalOrgID': {" in str(row["Condition"])


def test_services_act_for_accounts_of_the_estate_only() -> None:
    """IAM user guide, the confused deputy problem. EventBridge delivers to no topic whose policy has a condition."""
    bare = [
        row
        for data in TEMPLATES.values()
        for row in statements(data)
        if "Service" in row.get("Principal", {}) and "aws:Source" not in str(row.get("Condition"))
    ]
    allowed = {"sns:Publish", "kms:Decrypt", "kms:GenerateDataKey", "sts:AssumeRole"}
    assert {action for row in bare for action in listed(row["Action"])} <= allowed
    assumed = [row["Principal"]["Service"] for row in bare if row["Action"] == "sts:AssumeRole"]
    assert assumed == ["quicksight.amazonaws.com", "ec2.amazonaws.com"], "these send no source"


@pytest.mark.parametrize(
    ("name", "bucket"), [("lists", "Bucket"), ("hub", "Inventory"), ("hub", "History"), ("history", "Results")]
)
def test_buckets_are_private_encrypted_versioned_and_reached_by_tls(name: str, bucket: str) -> None:
    made = resources(name, "S3::Bucket")
    rules = made[bucket]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rules[0]["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms" and rules[0]["BucketKeyEnabled"]
    assert made[bucket]["VersioningConfiguration"] == {"Status": "Enabled"} and made[bucket]["LifecycleConfiguration"]
    assert set(made[bucket]["PublicAccessBlockConfiguration"].values()) == {True}
    policies = [item for item in resources(name, "S3::BucketPolicy").values() if item["Bucket"] == {"Ref": bucket}]
    denied = [row for row in statements(policies) if row["Effect"] == "Deny" and row["Action"] == "s3:*"]
    assert [row["Condition"] for row in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]
    assert denied[0]["Resource"] == [{"GetAtt": f"{bucket}.Arn"}, {"Sub": f"${{{bucket}.Arn}}/*"}]


def test_every_bucket_is_looked_at() -> None:
    made = {name: set(resources(name, "S3::Bucket")) for name in TEMPLATES}
    assert {name: found for name, found in made.items() if found} == {
        "lists": {"Bucket"},
        "hub": {"Inventory", "History"},
        "history": {"Results"},
    }


def test_nothing_that_counts_expires_from_the_history() -> None:
    """A publication whose files a lifecycle rule removed could not be read any more."""
    (rule,) = resources("hub", "S3::Bucket")["History"]["LifecycleConfiguration"]["Rules"]
    assert set(rule) == {"Id", "Status", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"}


def test_the_policy_of_the_controller_names_what_the_hub_makes() -> None:
    """IAM quotas: 6,144 characters for a managed policy, white space not counted."""
    (policy,) = resources("hub", "IAM::ManagedPolicy").values()
    found = {row["Sid"]: row["Resource"] for row in statements(policy)}
    assert found["KeepHistory"] == {"Sub": "arn:${AWS::Partition}:s3:::${History}/*"}
    assert found["FindHistory"] == {"Sub": "arn:${AWS::Partition}:s3:::${History}"}
    assert found["EncryptHistory"] == {"Sub": "arn:${AWS::Partition}:kms:*:*:key/${Key}"}
    tables = resources("hub", "DynamoDB::Table").values()
    assert found["KeepClaimsAndLedgers"]["Sub"].endswith(":table/${Prefix}-*")
    assert all(item["TableName"]["Sub"].startswith("${Prefix}-") for item in tables)
    assert "YOUR-" not in str(policy) and "CreateLedgers" not in found
    assert len(json.dumps(policy["PolicyDocument"], separators=(",", ":"))) < 6_144


def test_what_holds_data_is_kept_when_its_stack_is_deleted() -> None:
    kinds = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key")
    made = [item for data in TEMPLATES.values() for item in data["Resources"].values() if item["Type"] in kinds]
    assert len(made) == 9
    assert all(item["DeletionPolicy"] == item["UpdateReplacePolicy"] == "Retain" for item in made)


def test_only_stacks_of_the_home_region_have_roles() -> None:
    """IAM is global: a second stack of an account would find the names taken."""
    spoke = TEMPLATES["spoke"]
    made = {item["Condition"] for item in spoke["Resources"].values() if item["Type"].startswith("AWS::IAM")}
    assert len(made) == 17 and all(conditions_of(spoke, name) >= {"IsHome"} for name in made)


def conditions_of(template: dict[str, Any], name: str) -> set[str]:
    """Return a condition and those that it consists of, all of which must be true."""
    parts = template["Conditions"][name].get("And", [])
    return {name}.union(*(conditions_of(template, part["Condition"]) for part in parts if "Condition" in part))


def test_policies_of_the_roles_fit() -> None:
    """IAM quotas: 10,240 characters for the inline policies of a role, white space not counted."""
    policies = [item["PolicyDocument"] for item in resources("spoke", "IAM::Policy").values()]
    assert len(policies) == 16 and len(json.dumps(policies, separators=(",", ":"))) < 10_240


def test_events_that_spokes_forward_are_answered_in_the_hub_and_no_others() -> None:
    (rule,) = resources("spoke", "Events::Rule").values()
    answered = [item["EventPattern"] for item in resources("hub", "Events::Rule").values()]
    assert not unanswered(rule["EventPattern"], answered)
    assert unanswered(rule["EventPattern"], answered[1:]), "a rule without events, or events without a rule, are found"
    forwarded = {part["detail-type"][0]: part["detail"] for part in rule["EventPattern"]["$or"]}
    for pattern in answered:
        wider = forwarded.get(pattern["detail-type"][0], {})
        assert all(pattern["detail"][key] == value for key, value in wider.items()), "it waits for what nobody forwards"
    assert forwarded["EC2 Instance State-change Notification"] == {"state": ["running"]}


def test_an_owner_gets_what_the_hub_gets_of_the_owners_accounts() -> None:
    """The rule is on the bus of the hub, and differs from its rule in the accounts alone."""
    hub, owner = resources("hub", "Events::Rule")["NonCompliant"], resources("owner", "Events::Rule")["NonCompliant"]
    assert owner["EventPattern"] == {**hub["EventPattern"], "account": {"Ref": "Accounts"}}
    assert hub["EventBusName"] == {"Ref": "Bus"} and owner["EventBusName"] == {"Ref": "Prefix"}
    assert resources("hub", "Events::EventBus")["Bus"]["Name"] == {"Ref": "Prefix"}
    assert owner["Targets"][0]["InputTransformer"] == hub["Targets"][0]["InputTransformer"]
    (subscription,) = resources("owner", "SNS::Subscription").values()
    assert subscription["TopicArn"] == owner["Targets"][0]["Arn"] == {"Ref": "Notices"}


def test_only_writers_write_override_lists_and_none_replaces_one() -> None:
    """S3 user guide, enforce conditional writes: ``Null`` is true if the request lacks the header If-None-Match."""
    (policy,) = resources("lists", "S3::BucketPolicy").values()
    denied = {row["Sid"]: (row["Action"], row["Condition"]) for row in statements(policy) if row["Effect"] == "Deny"}
    assert denied["NobodyElseWrites"] == (
        ["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"],
        {"ArnNotLike": {"aws:PrincipalArn": {"Ref": "WriterArns"}}},
    )
    assert denied["NobodyOverwrites"] == ("s3:PutObject", {"Null": {"s3:if-none-match": "true"}})


def test_an_address_in_the_bucket_of_lists_is_short_enough_in_every_region() -> None:
    """The policy refuses longer names, because nodes copy the address into all that they report."""
    prefix = TEMPLATES["lists"]["Parameters"]["Prefix"]
    (bucket,) = resources("lists", "S3::Bucket").values()
    longest = max(re.findall(r"[a-z]+", prefix["Default"]), key=len)
    assert re.fullmatch(prefix["AllowedPattern"], longest) and not re.fullmatch(prefix["AllowedPattern"], longest + "x")
    regions = Session().get_available_regions("ssm")
    assert len(regions) > 25
    for region in regions:
        name = bucket["BucketName"]["Sub"]
        for key, value in {"Prefix": longest, "AWS::AccountId": "1" * 12, "AWS::Region": region}.items():
            name = name.replace(f"${{{key}}}", value)
        check_bucket(Bucket(name=name), "patching.buckets", region)


def test_what_targets_get_is_json_with_known_values() -> None:
    made = [
        item
        for data in TEMPLATES.values()
        for item in inside(data)
        if isinstance(item, dict) and "InputTemplate" in item
    ]
    assert len(made) == 4 and not [wrong for item in made if (wrong := wrong_input(item))]
    assert wrong_input({"InputPathsMap": {"id": "$.id"}, "InputTemplate": '{"id": "<id>}'})
    assert wrong_input({"InputPathsMap": {}, "InputTemplate": '{"id": <id>}'})


def test_a_launch_is_not_repeated_when_the_next_one_is_due() -> None:
    """``rate(1 minutes)`` is refused (Scheduler user guide, rate-based schedules), so two minutes are the least."""
    least = TEMPLATES["hub"]["Parameters"]["RunDueMinutes"]["MinValue"]
    schedule = resources("hub", "Scheduler::Schedule")["RunDueSchedule"]
    assert schedule["ScheduleExpression"] == {"Sub": "rate(${RunDueMinutes} minutes)"} and least == 2
    (target,) = resources("hub", "Events::Rule")["RunDueRule"]["Targets"]
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= least * 60
    assert schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] <= least * 60


def test_a_role_that_is_referred_to_by_its_name_has_that_name() -> None:
    named = {str(role["RoleName"]) for role in resources("spoke", "IAM::Role").values()}
    (rule,) = resources("spoke", "Events::Rule").values()
    used = rule["Targets"][0]["RoleArn"]["Sub"].rpartition(":role/")[2]
    assert str({"Sub": used}) in named


def test_rules_of_the_conformance_pack_are_those_of_aws() -> None:
    """AWS Config developer guide, list of managed rules: identifiers and the types that trigger them."""
    pack = yaml.safe_load(TEMPLATES["hub"]["Mappings"]["Pack"]["Template"]["Text"])
    rules = {
        item["Properties"]["Source"]["SourceIdentifier"]: item["Properties"] for item in pack["Resources"].values()
    }
    assert {name: set(rule["Scope"]["ComplianceResourceTypes"]) for name, rule in rules.items()} == {
        "EC2_INSTANCE_MANAGED_BY_SSM": {"AWS::EC2::Instance", "AWS::SSM::ManagedInstanceInventory"},
        "EC2_INSTANCE_PROFILE_ATTACHED": {"AWS::EC2::Instance"},
        "REQUIRED_TAGS": {"AWS::EC2::Instance"},
        "EC2_MANAGEDINSTANCE_ASSOCIATION_COMPLIANCE_STATUS_CHECK": {"AWS::SSM::AssociationCompliance"},
        "EC2_MANAGEDINSTANCE_PATCH_COMPLIANCE_STATUS_CHECK": {"AWS::SSM::PatchCompliance"},
    }


def test_a_patch_policy_installs_nothing() -> None:
    """API reference of Quick Setup, parameters of a patch policy: Scan or ScanAndInstall."""
    (policy,) = resources("patch_policy", "SSMQuickSetup::ConfigurationManager").values()
    (definition,) = policy["ConfigurationDefinitions"]
    assert definition["Type"] == "AWSQuickSetupType-PatchPolicy"
    given = definition["Parameters"]
    assert given["ConfigurationOptionsPatchOperation"] == "Scan" and given["IsPolicyAttachAllowed"] == "false"
    assert not [name for name in given if "Install" in name or "Reboot" in name]
