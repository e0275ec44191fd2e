#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_calendar_state_info
short_description: Gather the state of change calendars in AWS Systems Manager
version_added: 0.1.0
description:
  - Returns whether change calendars allow changes now or at a given time. If several calendars are given, all must be
    open.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.info
  - patchtide.hybrid.attributes.info
options:
  calendars:
    description: Names or ARNs of the change calendars.
    type: list
    elements: str
    required: true
  at:
    description: Time to check, in ISO 8601 format. Defaults to the current time.
    type: str
"""

EXAMPLES = r"""
- name: Check whether changes are allowed on Christmas Eve
  patchtide.hybrid.ssm_calendar_state_info:
    calendars: [contoso-freeze]
    at: "2026-12-24T18:00:00Z"
  register: calendar
"""

RETURN = r"""
calendar_states:
  description: One row per account-Region with the state and the time of its next change, empty if it never changes.
  returned: always
  type: list
  elements: dict
  sample:
    - account: "111111111111"
      region: eu-central-1
      state: CLOSED
      at_time: "2026-12-24T18:00:00Z"
      next_transition_time: "2027-01-07T00:00:00Z"
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_info
from ..module_utils._aws.documents import calendar_state

SPEC = {"calendars": {"type": "list", "elements": "str", "required": True}, "at": {"type": "str"}}


def main() -> None:
    module = aws_module(SPEC)
    names, at = module.params["calendars"], module.params["at"]

    def read(sessions, place):
        return [calendar_state(sessions.client("ssm", place), names, at)]

    run_info(module, "calendar_states", read)


if __name__ == "__main__":
    main()
