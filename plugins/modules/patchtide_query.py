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
  - Queries run on the controller, or on Athena if O(athena) is set. There the views do not have to exist; their text
    is sent with the query.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.history.read
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - Without O(athena), needs the Python library duckdb on the controller. Files of a bucket are copied into a temporary
    directory first.
  - A query can read the tables and views of the history and nothing else.
seealso:
  - module: patchtide.hybrid.publish_history
    description: Writes the history.
attributes:
  check_mode:
    description: Queries, without writing files. On Athena, where queries cost money, only checks the options.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: The same history gives the same answers.
    support: full
options:
  history:
    description: Directory of the history, or V(s3://bucket/prefix). The Region of the bucket is O(region).
    type: str
  athena:
    description:
      - Runs the queries on Athena in O(region). The database has a table for each dataset and for C(publications), see
        C(docs/history.md).
    type: dict
    suboptions:
      database:
        description: Name of the database.
        type: str
        required: true
      workgroup:
        description: Workgroup in which the queries run.
        type: str
        default: primary
      catalog:
        description: Data catalog of the database.
        type: str
        default: AwsDataCatalog
      output:
        description: Where Athena writes the answers, V(s3://bucket/prefix/). Defaults to the place of the workgroup.
        type: str
        default: ""
      scan_limit_mb:
        description:
          - Megabytes that a query may scan, at least 10. A query that is seen to have scanned more is stopped. Only a
            limit of the workgroup (C(BytesScannedCutoffPerQuery)) is exact; without a lower one, the task says so.
        type: int
        default: 10000
      timeout:
        description: Seconds that a query may take. Then it is stopped.
        type: int
        default: 1800
  views:
    description: Names of views, such as V(compliance_now).
    type: list
    elements: str
  sql:
    description: One SELECT on the views and datasets.
    type: str
  limit:
    description: Maximum number of rows of each answer. If there are more on Athena, which of them are returned is open.
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

- name: Compliance over time, by Athena
  patchtide.hybrid.patchtide_query:
    athena:
      database: patching
      workgroup: patching
      scan_limit_mb: 500
    region: eu-central-1
    views: [compliance_days]
    since: 2026-06-01
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
    query_id:
      description: ID of the query on Athena.
      type: str
      returned: with O(athena)
    scanned_bytes:
      description: Bytes that the query has scanned.
      type: int
      returned: with O(athena)
    billed_bytes:
      description: Bytes that are billed for it, full megabytes and at least 10 of them.
      type: int
      returned: with O(athena)
  sample:
    - name: late_now
      columns: [owner, application, overdue, nodes, oldest_days]
      rows: [{owner: retail, application: shop, overdue: 12, nodes: 3, oldest_days: 48}]
      truncated: false
"""
