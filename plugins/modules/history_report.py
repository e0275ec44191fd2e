#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: history_report
short_description: Publish the report of a month or of 30 days
version_added: 0.1.0
description:
  - Writes the report of a period from the history into a directory or a bucket. C(report.html) is one page that needs
    no network, C(report.json) has all of it but the nodes, and there is a CSV file of each table and of the nodes.
  - The figures are those of the views in C(reports/sql) at the end of the period. Runs whose state was known only later
    do not count.
  - C(latest.json) beside the reports names the newest one, and M(patchtide.hybrid.notices) sends it with a link.
  - The figures are also displayed and returned, so that nobody needs a browser for them.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.history
notes:
  - Needs the Python library duckdb on the controller.
seealso:
  - module: patchtide.hybrid.history_dashboard
    description: Writes a dashboard of all of the history.
  - module: patchtide.hybrid.notices
    description: Sends the report's link.
attributes:
  check_mode:
    description: Displays the figures and predicts whether files would change, without writing.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: The same history and period give the same files.
    support: full
options:
  dest:
    description: Directory of the reports, or V(s3://bucket/prefix) in the same Region as the history. Each period has a
      directory of its own in it.
    type: str
    required: true
  period:
    description: V(last_30_days) with today, V(last_month), or a month such as V(2026-11). Days are in UTC.
    type: str
    default: last_30_days
  title:
    description: Title of the page.
    type: str
    default: Patch report
  kms_key:
    description: KMS key of new objects. Without it, the bucket's default.
    type: str
"""

EXAMPLES = r"""
- name: Publish the report of the last month
  patchtide.hybrid.history_report:
    history: s3://patch-history/production
    dest: s3://patch-reports/production
    period: last_month
"""

RETURN = r"""
dest:
  description: Place of the reports.
  returned: success
  type: str
  sample: s3://patch-reports/production
page:
  description: The page of this report.
  returned: success
  type: str
  sample: s3://patch-reports/production/2026-11/report.html
period:
  description: Name, first and last day.
  returned: success
  type: dict
  sample: {name: 2026-11, first: "2026-11-01", last: "2026-11-30"}
files:
  description: Names of the files in O(dest).
  returned: success
  type: list
  elements: str
  sample: [2026-11/nodes.csv, 2026-11/report.html, 2026-11/report.json]
figures:
  description: What people ask first.
  returned: success
  type: dict
  sample:
    as_of: "2026-11-30T06:00:00.000Z"
    compliance: {nodes: 5000, compliant: 4801, non_compliant: 140, unknown: 59}
    first_day: {day: "2026-11-01", nodes: 4990, compliant: 4402}
    overdue: 12
    rollouts: {rollouts: 4, good: 4700, bad: 31, unknown: 2, installed: 21455}
    exceptions_ending: {EX-7: "2026-12-04"}
    findings: {closed: 311, opened: 12, still_open: 7, vanished: 3}
"""
