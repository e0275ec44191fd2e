#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends AWS-RunPatchBaseline to one node and waits for it, as a module for one host at a time would: the yardstick."""

from __future__ import annotations

import time

import boto3
from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: naive_patch
short_description: Patches one node by Run Command and waits
description: What many playbooks do with a task per host; the yardstick of the benchmark.
options:
  node_id: {description: The node., type: str, required: true}
  role_arn: {description: Role of its account., type: str, required: true}
  region: {description: Its Region., type: str, required: true}
  poll: {description: Seconds between two looks., type: int, default: 15}
author: The patchtide.hybrid contributors
"""


def main() -> None:
    text = {"type": "str", "required": True}
    spec = {"node_id": text, "role_arn": text, "region": text, "poll": {"type": "int", "default": 15}}
    module = AnsibleModule(argument_spec=spec)
    node, region = module.params["node_id"], module.params["region"]
    role = boto3.client("sts", region_name=region).assume_role(
        RoleArn=module.params["role_arn"], RoleSessionName="naive"
    )["Credentials"]
    ssm = boto3.client(
        "ssm",
        region_name=region,
        aws_access_key_id=role["AccessKeyId"],
        aws_secret_access_key=role["SecretAccessKey"],
        aws_session_token=role["SessionToken"],
    )
    sent = ssm.send_command(
        DocumentName="AWS-RunPatchBaseline", InstanceIds=[node], Parameters={"Operation": ["Install"]}
    )
    command = sent["Command"]["CommandId"]
    while True:
        found = ssm.get_command_invocation(CommandId=command, InstanceId=node)
        if found["Status"] not in ("Pending", "InProgress", "Delayed"):
            break
        time.sleep(module.params["poll"])
    module.exit_json(changed=True, status=found["Status"])


if __name__ == "__main__":
    main()
