#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_resource_data_sync_info
short_description: Gather information about AWS Systems Manager resource data syncs
version_added: 0.1.0
description:
  - Returns resource data syncs with their status and, on request, whether their data reaches the bucket.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.info
  - patchtide.hybrid.attributes.info
options:
  name:
    description: Return only the sync with this name.
    type: str
  folders:
    description:
      - Whether to check the bucket of each V(SyncToDestination) sync for folders of this account and Region.
      - Costs one API call, and one more for each inventory type in the bucket. Requires permission to list the
        bucket.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Return the status of a sync
  patchtide.hybrid.ssm_resource_data_sync_info:
    name: patchtide
  register: syncs

- name: Check whether data of this account and Region reaches the bucket
  patchtide.hybrid.ssm_resource_data_sync_info:
    name: patchtide
    folders: true
  register: syncs
"""

RETURN = r"""
resource_data_syncs:
  description: Syncs as returned by M(patchtide.hybrid.ssm_resource_data_sync), with their status.
  returned: always
  type: list
  elements: dict
  contains:
    folders:
      description:
        - Inventory types in the bucket, for this account and Region (C(types)) and only for others
          (C(types_of_others)).
      returned: with O(folders=true), for V(SyncToDestination)
      type: dict
      sample: {types: ["AWS:Application", "AWS:InstanceInformation"], types_of_others: ["Custom:PatchInformation"]}
  sample:
    - account: "111111111111"
      region: eu-central-1
      name: patchtide
      sync_type: SyncToDestination
      bucket: contoso-patchtide
      sync_created_time: "2026-11-01T01:00:00Z"
      last_status: Successful
      last_successful_sync_time: "2026-11-21T01:00:00Z"
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from dataclasses import replace

from ..module_utils._ansible.run import aws_module, run_info
from ..module_utils._aws.data_sync_folders import read_folders
from ..module_utils._aws.data_syncs import SsmDataSyncs, from_api, to_status
from ..module_utils._core.change import to_dict

SPEC = {"name": {"type": "str"}, "folders": {"type": "bool", "default": False}}


def main() -> None:
    module = aws_module(SPEC)
    name = module.params["name"]

    def folders(sessions, place, sync):
        if not module.params["folders"] or not sync.bucket:
            return {}
        s3 = sessions.client("s3", replace(place, region=sync.bucket_region))
        return {"folders": read_folders(s3, sync, sessions.account(place), place.region)}

    def read(sessions, place):
        rows = SsmDataSyncs(sessions.client("ssm", place)).rows()
        wanted = [(from_api(row), to_status(row)) for row in rows if name in (None, row["SyncName"])]
        return [{**to_dict(sync), **status, **folders(sessions, place, sync)} for sync, status in wanted]

    run_info(module, "resource_data_syncs", read)


if __name__ == "__main__":
    main()
