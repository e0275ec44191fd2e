#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: history_dashboard
short_description: Write a dashboard of the history of patching
version_added: 0.1.0
description:
  - Writes C(index.html), a page that shows compliance today and over time, who is late, missing patches, exceptions,
    rollouts, gates, causes of failures, coverage and findings. It opens from a directory, a file share or a web server.
  - The page needs no network. Its figures are those of the views in C(reports/sql). Filters and search are part of its
    address, and each table can be saved as CSV.
  - With more than 10,000 nodes, their rows are in files beside the page, which it loads on demand.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.history
  - patchtide.hybrid.history.read
notes:
  - Needs the Python library duckdb on the controller.
seealso:
  - module: patchtide.hybrid.patchtide_query
    description: Answers single questions.
attributes:
  check_mode:
    description: Predicts whether files would change, without writing.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: The same history gives the same files.
    support: full
options:
  dest:
    description: Directory for the page.
    type: path
    required: true
  title:
    description: Title of the page.
    type: str
    default: Patch compliance
  owners:
    description:
      - Whether to write a page for each owner too, in C(owners). Such a page has the rows of its owner alone, so that
        its directory can be shared with the owner; the page of the whole estate links to all of them.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Write the dashboard and a page for each owner
  patchtide.hybrid.history_dashboard:
    history: /srv/patch-history
    dest: /srv/reports/patching
    owners: true
"""

RETURN = r"""
dest:
  description: The directory.
  returned: success
  type: str
  sample: /srv/reports/patching
files:
  description: Names of the files in it.
  returned: success
  type: list
  elements: str
  sample: [index.html, owners/retail-4f1c2a90/index.html]
"""
