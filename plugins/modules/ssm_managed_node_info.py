#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_managed_node_info
short_description: Gather information about AWS Systems Manager managed nodes
version_added: 0.1.0
description:
  - Returns managed nodes as described by Systems Manager and, on request, their connection status, associations and
    inventory.
  - The service does not return tags of nodes. Use P(patchtide.hybrid.ssm_fleet#inventory) to read them.
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
    description: IDs of the nodes. Without it, all nodes.
    type: list
    elements: str
  filters:
    description:
      - Filters of C(DescribeInstanceInformation), each with one value or a list of values, such as V(PingStatus),
        V(PlatformTypes), V(ResourceType), V(AgentVersion), V(IamRole), V(ActivationIds), V(AssociationStatus),
        V(SourceTypes) or V(tag:Team).
      - The service does not support tag filters together with other filters.
    type: dict
  connection_status:
    description: Whether to return the Session Manager connection status. Costs one API call per node.
    type: bool
    default: false
  associations:
    description: Whether to return the status of associations. Costs one API call per node.
    type: bool
    default: false
  inventory:
    description: Inventory types to return, such as V(AWS:Application). Costs one API call per node and type.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: List nodes that have lost their connection
  patchtide.hybrid.ssm_managed_node_info:
    filters:
      PingStatus: ConnectionLost
  register: lost

- name: Return one node and its connection status
  patchtide.hybrid.ssm_managed_node_info:
    instance_ids: [mi-0123456789abcdef0]
    connection_status: true
  register: node
"""

RETURN = r"""
managed_nodes:
  description: Nodes as described by the service.
  returned: always
  type: list
  elements: dict
  sample:
    - account: "111111111111"
      region: eu-central-1
      instance_id: mi-0123456789abcdef0
      ping_status: Online
      last_ping_date_time: "2026-11-21T01:00:00Z"
      agent_version: 3.3.3270.0
      is_latest_version: true
      platform_type: Linux
      platform_name: SLES
      platform_version: "15.6"
      resource_type: ManagedInstance
      source_type: AWS::SSM::ManagedInstance
      connection_status: connected
      inventory: {"AWS:InstanceInformation": [{ComputerName: plant-01}]}
      captured: {"AWS:InstanceInformation": {capture_time: "2026-11-21T01:00:00Z", schema_version: "1.0"}}
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_info
from ..module_utils._aws.managed_nodes import SsmManagedNodes

FLAG = {"type": "bool", "default": False}
SPEC = {
    "instance_ids": {"type": "list", "elements": "str"},
    "filters": {"type": "dict"},
    "connection_status": FLAG,
    "associations": FLAG,
    "inventory": {"type": "list", "elements": "str", "default": []},
}


def main() -> None:
    module = aws_module(SPEC)

    def read(sessions, place):
        return SsmManagedNodes(sessions.client("ssm", place)).read(module.params)

    run_info(module, "managed_nodes", read)


if __name__ == "__main__":
    main()
