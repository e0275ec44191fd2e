#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_service_setting
short_description: Manage service settings in AWS Systems Manager
version_added: 0.1.0
description:
  - Sets and resets settings that apply to an account in a Region, such as the tier of hybrid nodes.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes
options:
  setting_id:
    description:
      - ID or ARN of the setting, such as V(/ssm/managed-instance/activation-tier),
        V(/ssm/managed-instance/default-ec2-instance-management-role) or
        V(/ssm/automation/customer-script-log-destination).
    type: str
    required: true
  value:
    description: Value of the setting. Required for O(state=present).
    type: str
  state:
    description: V(present) sets O(value), V(absent) resets the setting to its default.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Allow more than 1,000 hybrid nodes in this account and Region
  patchtide.hybrid.ssm_service_setting:
    setting_id: /ssm/managed-instance/activation-tier
    value: advanced

- name: Reset the setting
  patchtide.hybrid.ssm_service_setting:
    setting_id: /ssm/managed-instance/activation-tier
    state: absent
"""

RETURN = r"""
places:
  description: Account-Regions that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    service_setting:
      description:
        - State of the setting after the run, predicted in check mode. The default value of a setting that would be
          reset is not known in check mode.
      returned: always
      type: dict
      sample: {setting_id: /ssm/managed-instance/activation-tier, value: advanced, is_default: false}
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_noun
from ..module_utils._ansible.spec import STATE
from ..module_utils._aws.service_settings import SsmServiceSettings
from ..module_utils._core.ssm.service_settings import ServiceSettingNoun

SPEC = {**STATE, "setting_id": {"type": "str", "required": True}, "value": {"type": "str"}}


def main() -> None:
    module = aws_module(SPEC, required_if=[("state", "present", ["value"])])

    def make(sessions, place):
        return ServiceSettingNoun(SsmServiceSettings(sessions.client("ssm", place)), module.params)

    run_noun(module, "service_setting", make, f"service setting {module.params['setting_id']}")


if __name__ == "__main__":
    main()
