#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: connectivity_info
short_description: Check whether EC2 instances reach what patching needs
version_added: 0.1.0
description:
  - Reads VPC endpoints, private DNS, security groups, route tables and endpoint policies of every VPC with instances,
    and checks the way of each of their subnets to C(ssm), C(ssmmessages) and Amazon S3, and whether the policy of a
    gateway to S3 lets nodes read the buckets that patching needs.
  - Subnets with agents before 3.3.40 are checked for C(ec2messages) as well.
  - Reads the virtual interfaces of Direct Connect and the tunnels of VPN connections.
  - Each answer that is not V(ok) has the exact change, such as a command of the AWS CLI.
  - Only the control plane is read. Network ACLs, firewalls, policies of interface endpoints, resolver rules and what
    lies behind transit gateways are not evaluated.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.info
  - patchtide.hybrid.attributes.info
options:
  vpc_ids:
    description: Only these VPCs. Without it, all that have instances.
    type: list
    elements: str
    default: []
  internet:
    description: Whether nodes may use a way to the internet. If not, each such way is C(wrong).
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Check the ways of all nodes in two Regions
  patchtide.hybrid.connectivity_info:
    regions: [eu-central-1, us-east-1]
    on_place_error: report
  register: ways

- name: Show what is wrong, with the change
  ansible.builtin.debug:
    msg: "{{ item.where }}: {{ item.what }}. {{ item.fix }}"
  loop: "{{ ways.checks | rejectattr('status', 'eq', 'ok') }}"
"""

RETURN = r"""
checks:
  description: One answer per VPC, subnet and service, per line to a site, and per policy of a gateway.
  returned: always
  type: list
  elements: dict
  contains:
    where:
      description: The VPC, the virtual interface or the VPN connection.
      returned: always
      type: str
    check:
      description: V(ssm), V(ssmmessages), V(ec2messages), V(s3), V(s3 buckets), V(no internet) or V(line).
      returned: always
      type: str
    status:
      description: V(ok), V(wrong), or V(unknown) where the control plane does not show the answer.
      returned: always
      type: str
    what:
      description: What was found.
      returned: always
      type: str
    fix:
      description: The change to make. Empty if nothing is to be done.
      returned: always
      type: str
    nodes:
      description: Number of instances that depend on it.
      returned: always
      type: int
  sample:
    - account: "111111111111"
      region: eu-central-1
      where: vpc-0123456789abcdef0
      check: ssm
      status: wrong
      what: endpoint vpce-0123456789abcdef0 for ssm has no private DNS, so agents do not find it
      fix: aws ec2 modify-vpc-endpoint --vpc-endpoint-id vpce-0123456789abcdef0 --private-dns-enabled
      nodes: 12
summary:
  description: Number of answers by status.
  returned: always
  type: dict
  sample: {ok: 11, wrong: 1, unknown: 0}
tables:
  description: The same as text, one table for each VPC and line, followed by the changes.
  returned: always
  type: list
  elements: dict
  sample: [{where: vpc-0123456789abcdef0, lines: ["  wrong  ssm  endpoint vpce-1 for ssm has no private DNS"]}]
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_info
from ..module_utils._aws.network import NetworkReader
from ..module_utils._core.connectivity.judge import summarize

SPEC = {
    "vpc_ids": {"type": "list", "elements": "str", "default": []},
    "internet": {"type": "bool", "default": True},
}


def main() -> None:
    module = aws_module(SPEC)

    def read(sessions, place):
        reader = NetworkReader(lambda service: sessions.client(service, place), place.region)
        return reader.checks(module.params["vpc_ids"], internet=module.params["internet"])

    run_info(module, "checks", read, summarize)


if __name__ == "__main__":
    main()
