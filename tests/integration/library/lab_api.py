# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls one AWS operation, so that tests can look, and change things, behind the modules' back. Returns ``answer``."""

from __future__ import annotations

import json

import boto3
from ansible.module_utils.basic import AnsibleModule
from botocore.exceptions import ClientError


def main() -> None:
    spec = {
        "service": {"type": "str", "default": "ssm"},
        "operation": {"type": "str", "required": True},
        "parameters": {"type": "dict", "default": {}},
        "region": {"type": "str"},
    }
    module = AnsibleModule(argument_spec=spec)
    client = boto3.client(module.params["service"], region_name=module.params["region"])
    try:
        answer = getattr(client, module.params["operation"])(**module.params["parameters"])
    except ClientError as error:
        module.fail_json(msg=str(error), code=error.response["Error"]["Code"])
    module.exit_json(changed=False, answer=json.loads(json.dumps(answer, default=str)))


if __name__ == "__main__":
    main()
