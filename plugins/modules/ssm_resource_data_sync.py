#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_resource_data_sync
short_description: Manage resource data syncs of AWS Systems Manager
version_added: 0.1.0
description:
  - Has SSM copy inventory and compliance of all nodes into a bucket (V(SyncToDestination)), or gather the data of
    other Regions and accounts in this one (V(SyncFromSource)).
  - The service can change nothing but the source of V(SyncFromSource), so any other change deletes the sync and
    creates it again; the diff says so. What is in the bucket stays.
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
    description: V(present) creates or updates, V(absent) deletes.
    type: str
    choices: [present, absent]
    default: present
  sync_type:
    description: Which way the data goes. V(SyncToDestination) for a new sync where it is not given.
    type: str
    choices: [SyncToDestination, SyncFromSource]
  bucket:
    description: Bucket for V(SyncToDestination), which lets SSM write into it.
    type: str
  bucket_region:
    description: Region of O(bucket); the Region of the sync where it is not given.
    type: str
  prefix:
    description: Prefix within O(bucket).
    type: str
  kms_key_arn:
    description: Key that encrypts the data, in the Region of O(bucket).
    type: str
  share:
    description: V(Organization) lets a sync of several accounts of an organization write into one bucket.
    type: str
  source_type:
    description: Where the data of V(SyncFromSource) comes from.
    type: str
    choices: [AwsOrganizations, SingleAccountMultiRegions]
  source_regions:
    description: Regions whose data is gathered.
    type: list
    elements: str
  include_future_regions:
    description: Whether Regions that AWS adds later are gathered as well.
    type: bool
  enable_all_ops_data_sources:
    description: Whether OpsData of all sources is switched on in the Regions and accounts.
    type: bool
  organization_source:
    description: Which accounts of the organization are gathered.
    type: str
    choices: [EntireOrganization, OrganizationalUnits]
  organizational_units:
    description: Organizational units by id.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Every Region of every account into one bucket
  patchtide.hybrid.ssm_resource_data_sync:
    name: patchtide
    bucket: contoso-patchtide
    bucket_region: eu-central-1
    regions: [eu-central-1, us-east-1]
    accounts:
      - role_arn: arn:aws:iam::111111111111:role/patchtide
      - role_arn: arn:aws:iam::222222222222:role/patchtide

- name: This Region shows the data of another one as well
  patchtide.hybrid.ssm_resource_data_sync:
    name: all-regions
    sync_type: SyncFromSource
    source_type: SingleAccountMultiRegions
    source_regions: [eu-central-1, us-east-1]

- name: Not any more
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
      description: The sync as it is, or would be in check mode; empty when it is absent.
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
