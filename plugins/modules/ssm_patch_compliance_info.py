#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_patch_compliance_info
short_description: Gather information about AWS Systems Manager patch compliance
version_added: 0.1.0
description:
  - Returns the patch state of nodes after their last Scan or Install operation, totals and, on request, individual
    patches.
  - Nodes that were never scanned are returned with the status V(unknown).
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.info
  - patchtide.hybrid.attributes.info
options:
  instance_ids:
    description: IDs of the nodes. Without this and O(patch_groups), all managed nodes.
    type: list
    elements: str
  patch_groups:
    description: Return nodes that belonged to these patch groups at their last operation.
    type: list
    elements: str
  patches:
    description:
      - States of the patches to list for each node. Costs one API call for each node with such patches. Without it,
        only counts are returned.
    type: list
    elements: str
    choices:
      - missing
      - failed
      - installed
      - installed_other
      - installed_pending_reboot
      - installed_rejected
      - available_security_update
    default: []
"""

EXAMPLES = r"""
- name: Return the compliance of a patch group with missing and failed patches
  patchtide.hybrid.ssm_patch_compliance_info:
    patch_groups: [web-prod]
    patches: [missing, failed]
  register: compliance

- name: Return the compliance of all nodes in two Regions
  patchtide.hybrid.ssm_patch_compliance_info:
    regions: [eu-central-1, us-east-1]
  register: compliance
"""

RETURN = r"""
nodes:
  description: One row per node.
  returned: always
  type: list
  elements: dict
  sample:
    - account: "111111111111"
      region: eu-central-1
      node_id: mi-0123456789abcdef0
      status: non_compliant
      patch_group: web-prod
      baseline_id: pb-0123456789abcdef0
      operation: Scan
      operation_started_at: "2026-11-10T22:00:00Z"
      operation_ended_at: "2026-11-10T22:01:10Z"
      last_no_reboot_install_at: ""
      reboot_option: NoReboot
      snapshot_id: ""
      install_override_list: ""
      counts: {missing_count: 1, failed_count: 0, installed_count: 230}
      patches:
        - id: openssl.x86_64:1:3.0.8-1.amzn2023
          title: openssl.x86_64
          classification: Security
          severity: Critical
          state: MISSING
          cve_ids: [CVE-2026-0001]
          installed_at: ""
summary:
  description: Totals over all nodes and by patch group, and the number of listed patches by severity.
  returned: always
  type: dict
  sample:
    nodes: 1
    compliant: 0
    non_compliant: 1
    unknown: 0
    counts: {missing_count: 1}
    patch_groups: {web-prod: {nodes: 1, compliant: 0, non_compliant: 1, unknown: 0, counts: {missing_count: 1}}}
    listed_severities: {Critical: 1}
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_info
from ..module_utils._aws.compliance import SsmCompliance
from ..module_utils._core.ssm.compliance import PATCH_STATES, read_compliance, summarise

STRINGS = {"type": "list", "elements": "str"}
SPEC = {
    "instance_ids": STRINGS,
    "patch_groups": STRINGS,
    "patches": {**STRINGS, "choices": list(PATCH_STATES), "default": []},
}


def main() -> None:
    module = aws_module(SPEC)
    options = module.params

    def read(sessions, place):
        port = SsmCompliance(sessions.client("ssm", place), place.label)
        return read_compliance(port, options["instance_ids"], options["patch_groups"], options["patches"])

    run_info(module, "nodes", read, lambda nodes: {"summary": summarise(nodes)})


if __name__ == "__main__":
    main()
