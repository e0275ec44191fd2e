#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_resource_data_sync_info
short_description: Read resource data syncs of AWS Systems Manager
version_added: 0.1.0
description:
  - Returns resource data syncs and how they go.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes.info
options:
  name:
    description: Only the sync of that name.
    type: str
"""

EXAMPLES = r"""
- name: Does the sync work
  patchtide.hybrid.ssm_resource_data_sync_info:
    name: patchtide
  register: syncs
"""

RETURN = r"""
resource_data_syncs:
  description: As M(patchtide.hybrid.ssm_resource_data_sync) returns them, and how they go.
  returned: when one account-Region was asked
  type: list
  elements: dict
  sample:
    - name: patchtide
      sync_type: SyncToDestination
      bucket: contoso-patchtide
      last_status: Successful
      last_successful_sync_time: "2026-11-21T01:00:00Z"
places:
  description: One result per account-Region, each with the same member or with C(error).
  returned: always
  type: list
  elements: dict
failed_places:
  description: Labels of the account-Regions that failed.
  returned: always
  type: list
  elements: str
"""

from ..module_utils._ansible.run import aws_module, run_info
from ..module_utils._aws.data_syncs import SsmDataSyncs, from_api, to_status
from ..module_utils._core.change import to_dict


def main() -> None:
    module = aws_module({"name": {"type": "str"}})
    name = module.params["name"]

    def read(sessions, place):
        rows = SsmDataSyncs(sessions.client("ssm", place)).rows()
        return [{**to_dict(from_api(row)), **to_status(row)} for row in rows if name in (None, row["SyncName"])]

    run_info(module, "resource_data_syncs", read)


if __name__ == "__main__":
    main()
