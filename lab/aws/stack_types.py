# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types of resources in stacks that moto lacks: policies of buckets, data syncs, resource groups, and patch policies.

Members: template reference, AWS::S3::BucketPolicy, AWS::SSM::ResourceDataSync, AWS::ResourceGroups::Group and
AWS::SSMQuickSetup::ConfigurationManager.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.core.common_models import CloudFormationModel
from moto.resourcegroups.models import resourcegroups_backends
from moto.s3.models import s3_backends

from .ssm.associations import create_association, delete_association, kept
from .ssm.backend import place_of
from .ssm.data_syncs import create_resource_data_sync, delete_resource_data_sync
from .world import world

#: Members of a template's S3Destination, and those of the API.
_DESTINATION = {
    "BucketName": "BucketName",
    "BucketPrefix": "Prefix",
    "BucketRegion": "Region",
    "KMSKeyArn": "AWSKMSKeyARN",
    "SyncFormat": "SyncFormat",
}


class _Made:
    """moto knows direct subclasses of its model only. ``physical_resource_id``: what ``Ref`` returns."""

    def __init__(self, name: str) -> None:
        self.physical_resource_id = name

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> Any:
        """Only what is new is made; these tests change no such resource."""
        return original_resource


class _BucketPolicy(_Made, CloudFormationModel):
    """moto denies what a Deny names without reading its condition, so that those with one are left out."""

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::S3::BucketPolicy"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_more: Any
    ) -> Any:
        properties = cloudformation_json["Properties"]
        document = properties["PolicyDocument"]
        kept = [row for row in document["Statement"] if row["Effect"] == "Allow" or not row.get("Condition")]
        bucket = s3_backends[account_id]["aws"].get_bucket(properties["Bucket"])
        bucket.policy = json.dumps({**document, "Statement": kept}).encode()
        return cls(properties["Bucket"])

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        held = s3_backends[account_id]["aws"].buckets.get(cloudformation_json["Properties"]["Bucket"])
        if held:
            held.policy = None


class _DataSync(_Made, CloudFormationModel):
    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::SSM::ResourceDataSync"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_more: Any
    ) -> Any:
        properties: Mapping[str, Any] = cloudformation_json["Properties"]
        given = {name: properties[name] for name in ("SyncName", "SyncType", "SyncSource") if name in properties}
        if destination := properties.get("S3Destination"):
            given["S3Destination"] = {_DESTINATION[name]: value for name, value in destination.items()}
        create_resource_data_sync(place_of(account_id, region_name), given)
        return cls(given["SyncName"])

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        properties = cloudformation_json["Properties"]
        given = {name: properties[name] for name in ("SyncName", "SyncType") if name in properties}
        delete_resource_data_sync(place_of(account_id, region_name), given)


class _Group(_Made, CloudFormationModel):
    """A template has the query as members, the API as text. A filter without values is for all of them (user guide of
    Resource Groups, "Tag-based queries"); moto wants an empty list for that.
    """

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::ResourceGroups::Group"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_more: Any
    ) -> Any:
        properties = cloudformation_json["Properties"]
        given = properties["ResourceQuery"]
        filters = [{"Values": [], **item} for item in given["Query"]["TagFilters"]]
        query = {"Type": given["Type"], "Query": json.dumps({**given["Query"], "TagFilters": filters})}
        resourcegroups_backends[account_id][region_name].create_group(
            name=properties["Name"], resource_query=query, description=properties.get("Description")
        )
        return cls(properties["Name"])

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        resourcegroups_backends[account_id][region_name].delete_group(cloudformation_json["Properties"]["Name"])


#: Parameters of a patch policy that are required, or without which nothing is targeted (API reference of Quick Setup,
#: ConfigurationDefinitionInput).
_POLICY = ("PatchPolicyName", "SelectedPatchBaselines", "TargetAccounts", "TargetRegions", "TargetTagKey")
#: Quick Setup gives each policy an ID; one policy for each account is enough here.
_ID = "v4t88"
_ROLES = ("LocalDeploymentAdministrationRoleArn", "LocalDeploymentExecutionRoleName")


class _PatchPolicy(_Made, CloudFormationModel):
    """A patch policy of one account: an association in each of its Regions, whose baselines are in a bucket of Quick
    Setup (AWSQuickSetupPatchPolicyBaselineAccess, an AWS managed policy). Deployments of one account need both roles
    (template reference).
    """

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::SSMQuickSetup::ConfigurationManager"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr == "ManagerArn"

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return str(self.physical_resource_id)

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_more: Any
    ) -> Any:
        (definition,) = cloudformation_json["Properties"]["ConfigurationDefinitions"]
        given = definition["Parameters"]
        lacks = [name for name in _POLICY if not given.get(name)] + [
            name for name in _ROLES if not definition.get(name)
        ]
        if definition["Type"] != "AWSQuickSetupType-PatchPolicy" or lacks:
            raise ValidationError(message=f"{definition['Type']} lacks {', '.join(lacks)}")
        json.loads(given["SelectedPatchBaselines"])
        bucket = f"s3://aws-quicksetup-patchpolicy-{account_id}-{_ID}/baseline_overrides.json"
        for region in given["TargetRegions"].split(","):
            request = {
                "Name": "AWS-RunPatchBaseline",
                "AssociationName": f"AWS-QuickSetup-PatchPolicy-ScanForPatches-LA-{_ID}",
                "Parameters": {"Operation": ["Scan"], "BaselineOverride": [bucket]},
                "Targets": [{"Key": f"tag:{given['TargetTagKey']}", "Values": [given["TargetTagValue"]]}],
                "ScheduleExpression": given["ConfigurationOptionsScanValue"],
                "ApplyOnlyAtCronInterval": True,
            }
            create_association(place_of(account_id, region), request)
        return cls(f"arn:aws:ssm-quicksetup:{region_name}:{account_id}:configuration-manager/{_ID}")

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        for region in world().estate.regions:  # moto hands on what the template says, with its functions
            place = place_of(account_id, region)
            for row in [row for row in kept(place).values() if _ID in str(row.declared.get("AssociationName"))]:
                delete_association(place, {"AssociationId": row.association_id})
