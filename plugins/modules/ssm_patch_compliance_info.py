#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_patch_compliance_info
short_description: Read the patch compliance of managed nodes of AWS Systems Manager
version_added: 0.1.0
description:
  - Returns the patch state of nodes after their last Scan or Install, their patches where asked for, and the sums.
  - Nodes that were never scanned are returned as V(unknown), not left out.
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
    description: Nodes by their ids. Without it and O(patch_groups) all nodes that SSM manages.
    type: list
    elements: str
  patch_groups:
    description: Patch groups; the nodes that had them at their last scan.
    type: list
    elements: str
  patches:
    description:
      - States of which patches are listed per node, at one call per node that has such patches. Without it only
        counts.
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
- name: How is the patch group doing, and what is missing
  patchtide.hybrid.ssm_patch_compliance_info:
    patch_groups: [web-prod]
    patches: [missing, failed]
  register: compliance

- name: Everything in two Regions
  patchtide.hybrid.ssm_patch_compliance_info:
    regions: [eu-central-1, us-east-1]
  register: compliance
"""

RETURN = r"""
nodes:
  description: One record per node.
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
      counts: {missing_count: 1, failed_count: 0, installed_count: 230}
      patches:
        - id: openssl.x86_64:1:3.0.8-1.amzn2023
          title: openssl.x86_64
          classification: Security
          severity: Critical
          state: MISSING
          cve_ids: [CVE-2026-0001]
summary:
  description: Sums over all nodes and per patch group, and how many listed patches have which severity.
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
        port = SsmCompliance(sessions.client("ssm", place))
        return read_compliance(port, options["instance_ids"], options["patch_groups"], options["patches"])

    run_info(module, "nodes", read, lambda nodes: {"summary": summarise(nodes)})


if __name__ == "__main__":
    main()
