# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-playbook that has loaded what every module imports and parses before it forks: see ``action/normal.py``."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module

import botocore.loaders
from ansible.cli.playbook import main

for module in ("ansible.module_utils.basic", "boto3.session"):
    import_module(module)
botocore.loaders.create_loader = cache(botocore.loaders.create_loader)
loader = botocore.loaders.create_loader(None)
for service in ("ssm", "sts", "ec2"):
    loader.load_service_model(service, "service-2")
    loader.load_service_model(service, "endpoint-rule-set-1")
for data in ("endpoints", "partitions", "_retry", "sdk-default-configuration"):
    loader.load_data(data)

sys.argv[0] = "ansible-playbook"
main()
