#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_place_info
short_description: Check which account-Regions can be reached
version_added: 0.1.0
description:
  - Calls Systems Manager in every account-Region in parallel and returns those that answer.
  - Use it before a long run to find Regions that are down and roles that cannot be assumed.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.info
  - patchtide.hybrid.attributes.info
"""

EXAMPLES = r"""
- name: Check which account-Regions can be reached
  patchtide.hybrid.ssm_place_info:
    regions: [eu-central-1, us-east-1]
    accounts:
      - role_arn: arn:aws:iam::111111111111:role/patchtide
    on_place_error: report
"""

RETURN = r"""
places:
  description: Account-Regions that answered.
  returned: always
  type: list
  elements: dict
  sample: [{place: 111111111111/eu-central-1, account: "111111111111", region: eu-central-1}]
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_info
from ..module_utils._aws.places import reach_place


def main() -> None:
    module = aws_module({})
    run_info(module, "places", reach_place)


if __name__ == "__main__":
    main()
