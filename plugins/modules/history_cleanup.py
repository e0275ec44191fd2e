#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: history_cleanup
short_description: Remove replaced files from the history of patching
version_added: 0.1.0
description:
  - Removes the files of publications that were replaced by another publication of their run, and of publications that
    were never finished because the task was interrupted.
  - All files of a publication stay until it was replaced, and each of them written, O(days) days ago. Files that
    M(patchtide.hybrid.publish_history) did not write are never removed.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.history
notes:
  - In a bucket with versioning, removed objects stay as earlier versions until a lifecycle rule removes them.
  - Clocks of the controller and of the file server must not differ by hours.
  - Do not run it while a run is published that was published with the same rows before.
seealso:
  - module: patchtide.hybrid.publish_history
    description: Writes the history.
attributes:
  check_mode:
    description: Returns what would be removed.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: What is removed is not there a second time.
    support: full
options:
  days:
    description: How many days ago files must have been replaced. A query or a copy of the history must not take longer.
    type: int
    default: 7
"""

EXAMPLES = r"""
- name: Remove what was replaced more than a month ago
  patchtide.hybrid.history_cleanup:
    history: s3://patch-history/production
    region: eu-central-1
    days: 30
"""

RETURN = r"""
history:
  description: The directory or bucket.
  returned: success
  type: str
  sample: s3://patch-history/production
publications:
  description: Number of publications whose files were removed.
  returned: success
  type: int
  sample: 12
files:
  description: Names of the removed files.
  returned: success
  type: list
  elements: str
  sample: [nodes/account=111122223333/region=eu-central-1/dt=2026-11-01/3f9a.parquet, manifests/3f9a.json]
bytes:
  description: Their size.
  returned: success
  type: int
  sample: 1048576
"""
