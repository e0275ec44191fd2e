#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: patchtide_query
short_description: Query the history of patching
version_added: 0.1.0
description:
  - Answers questions from the history that M(patchtide.hybrid.publish_history) writes, by the views in C(reports/sql)
    or by a query of your own. C(docs/history.md) lists the views.
  - Only rows of counted publications are read. A history without rows for a view returns none.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.history
  - patchtide.hybrid.history.read
notes:
  - Needs the Python library duckdb on the controller. Files of a bucket are copied into a temporary directory first.
  - A query can read the tables and views of the history and nothing else.
seealso:
  - module: patchtide.hybrid.publish_history
    description: Writes the history.
attributes:
  check_mode:
    description: Queries, without writing files.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: The same history gives the same answers.
    support: full
options:
  views:
    description: Names of views, such as V(compliance_now).
    type: list
    elements: str
  sql:
    description: One SELECT on the views and datasets.
    type: str
  limit:
    description: Maximum number of rows of each answer.
    type: int
    default: 1000
  dest:
    description:
      - Directory for the answers as CSV, each named after its view (C(query.csv) for O(sql)). Cells are safe to open in
        a spreadsheet.
    type: path
"""

EXAMPLES = r"""
- name: Which exceptions end this week
  patchtide.hybrid.patchtide_query:
    history: /srv/patch-history
    sql: >-
      SELECT exception_id, reason, nodes, days_left FROM exceptions_now
      WHERE state = 'in_force' AND days_left <= 7 ORDER BY days_left
  register: ending

- name: Compliance and who is late, as CSV
  patchtide.hybrid.patchtide_query:
    history: s3://patch-history/production
    region: eu-central-1
    views: [compliance_now, late_now]
    dest: /var/www/reports
"""

RETURN = r"""
answers:
  description: Answer of each view or of the query.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the view, or V(query).
      type: str
      returned: success
    columns:
      description: Names of the columns.
      type: list
      elements: str
      returned: success
    rows:
      description: The rows. Days are texts.
      type: list
      elements: dict
      returned: success
    truncated:
      description: Whether there are more than O(limit) rows.
      type: bool
      returned: success
  sample:
    - name: late_now
      columns: [owner, application, overdue, nodes, oldest_days]
      rows: [{owner: retail, application: shop, overdue: 12, nodes: 3, oldest_days: 48}]
      truncated: false
"""
