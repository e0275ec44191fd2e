#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_resource_data_sync
short_description: Manage resource data syncs in AWS Systems Manager
version_added: 0.1.0
description:
  - Copies inventory and compliance of all nodes to an S3 bucket (V(SyncToDestination)), or aggregates data of other
    Regions and accounts in this one (V(SyncFromSource)).
  - The service can update only the source of V(SyncFromSource). For any other change, the module deletes and
    recreates the sync; the diff shows this. Data in the bucket is kept.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes
options:
  name:
    description: Name of the sync, 1 to 64 characters.
    type: str
    required: true
  state:
    description: V(present) creates or updates the sync, V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  sync_type:
    description: Direction of the sync. Defaults to V(SyncToDestination) for a new sync.
    type: str
    choices: [SyncToDestination, SyncFromSource]
  bucket:
    description: S3 bucket for V(SyncToDestination). Its policy must allow Systems Manager to write.
    type: str
  bucket_region:
    description: Region of O(bucket). Defaults to the Region of the sync.
    type: str
  prefix:
    description: Key prefix in O(bucket).
    type: str
  kms_key_arn:
    description: ARN of the KMS key that encrypts the data. Must be in the Region of O(bucket).
    type: str
  share:
    description: V(Organization) lets the syncs of all accounts of an organization write to one bucket.
    type: str
  source_type:
    description: Source of the data for V(SyncFromSource).
    type: str
    choices: [AwsOrganizations, SingleAccountMultiRegions]
  source_regions:
    description: Regions to aggregate data from.
    type: list
    elements: str
  include_future_regions:
    description: Whether to include Regions that AWS adds in the future.
    type: bool
  enable_all_ops_data_sources:
    description: Whether to enable all OpsData sources in the Regions and accounts.
    type: bool
  organization_source:
    description: Accounts of the organization to aggregate data from.
    type: str
    choices: [EntireOrganization, OrganizationalUnits]
  organizational_units:
    description: IDs of organizational units.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Copy the data of all accounts and Regions to one bucket
  patchtide.hybrid.ssm_resource_data_sync:
    name: patchtide
    bucket: contoso-patchtide
    bucket_region: eu-central-1
    regions: [eu-central-1, us-east-1]
    accounts:
      - role_arn: arn:aws:iam::111111111111:role/patchtide-admin
      - role_arn: arn:aws:iam::222222222222:role/patchtide-admin

- name: Aggregate the data of two Regions in this one
  patchtide.hybrid.ssm_resource_data_sync:
    name: all-regions
    sync_type: SyncFromSource
    source_type: SingleAccountMultiRegions
    source_regions: [eu-central-1, us-east-1]

- name: Delete the aggregation
  patchtide.hybrid.ssm_resource_data_sync:
    name: all-regions
    state: absent
"""

RETURN = r"""
places:
  description: Account-Regions that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    resource_data_sync:
      description: State of the sync after the run, predicted in check mode; empty if it is absent.
      returned: always
      type: dict
      sample:
        name: patchtide
        sync_type: SyncToDestination
        bucket: contoso-patchtide
        bucket_region: eu-central-1
        prefix: ""
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_noun
from ..module_utils._ansible.spec import STATE
from ..module_utils._aws.data_syncs import SsmDataSyncs
from ..module_utils._core.ssm.data_syncs import FROM_SOURCE, TO_DESTINATION, DataSyncNoun

TEXT = {"type": "str"}
STRINGS = {"type": "list", "elements": "str"}
SPEC = {
    **STATE,
    "name": {**TEXT, "required": True},
    "sync_type": {**TEXT, "choices": [TO_DESTINATION, FROM_SOURCE]},
    "bucket": TEXT,
    "bucket_region": TEXT,
    "prefix": TEXT,
    "kms_key_arn": {**TEXT, "no_log": False},
    "share": TEXT,
    "source_type": {**TEXT, "choices": ["AwsOrganizations", "SingleAccountMultiRegions"]},
    "source_regions": STRINGS,
    "include_future_regions": {"type": "bool"},
    "enable_all_ops_data_sources": {"type": "bool"},
    "organization_source": {**TEXT, "choices": ["EntireOrganization", "OrganizationalUnits"]},
    "organizational_units": STRINGS,
}


def main() -> None:
    module = aws_module(SPEC)

    def make(sessions, place):
        return DataSyncNoun(SsmDataSyncs(sessions.client("ssm", place)), module.params, place.region)

    run_noun(module, "resource_data_sync", make, f"resource data sync {module.params['name']}")


if __name__ == "__main__":
    main()
