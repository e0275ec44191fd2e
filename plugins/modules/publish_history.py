#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: publish_history
short_description: Publish scans, rollouts, exceptions and findings to the history
version_added: 0.1.0
description:
  - Adds what a patch cycle left behind to the history, a directory or a bucket with rows in Parquet or JSON. See
    C(docs/history.md) for the datasets and their columns.
  - Scan, rollout, ledger and each import of findings are runs. The rows of a run are published together, and replace
    those of its earlier publication. Rows of other runs are not changed, whenever they come.
  - Readers see a run as it was before or as it is after. If the task is interrupted, nothing of it counts; run it
    again.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.history
notes:
  - Writing Parquet needs the Python library duckdb on the controller.
  - A scan, plan or import that was edited, and a damaged journal, is refused.
seealso:
  - module: patchtide.hybrid.rollout_report
    description: Reports on one rollout.
attributes:
  check_mode:
    description: Reads everything and predicts what would be published, without writing.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: The same rows are published once.
    support: full
options:
  dir:
    description:
      - Directory of a rollout. C(scan.json), C(plan.json) with C(journal.jsonl), and C(vulnerabilities*.jsonl) in it
        are published. The inventory says whose the nodes are and which of them the scan does not have.
    type: path
  ledger:
    description: Exception ledger to publish, a file or V(dynamodb:TABLE).
    type: str
  sla:
    description:
      - Days within which a missing patch has to be installed, by severity (V(critical), V(important), V(high),
        V(medium), V(low), V(informational), V(unspecified)). They replace the published ones. Without any, the ages of
        patches are shown without a verdict.
    type: dict
  stale_days:
    description: Days after which the state of a node that was not scanned again counts as unknown. Views assume 7.
    type: int
  gone_days:
    description: Days after which a node that nothing has seen again does not count any more. Views assume 30.
    type: int
  format:
    description:
      - Format of a new history. Defaults to V(parquet) if duckdb is installed, else V(jsonl), lines of JSON packed with
        gzip. An existing history keeps its format.
    type: str
    choices: [parquet, jsonl]
  kms_key:
    description: ID, ARN or alias of the KMS key that encrypts new objects. Without it, the bucket's default applies.
    type: str
  tags:
    description:
      - Keys of the node tags that hold V(owner), V(application) and V(environment), as in the policy's C(tags).
    type: dict
  patch_baselines:
    description: As in M(patchtide.hybrid.rollout_report). They also say when patches were released.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Publish a rollout and the exceptions
  patchtide.hybrid.publish_history:
    history: s3://patch-history/production
    region: eu-central-1
    dir: /var/lib/patchtide/2026-12
    ledger: /etc/patchtide/exceptions.json
    sla: {critical: 14, important: 30, high: 30, medium: 90}
"""

RETURN = r"""
history:
  description: The directory or bucket.
  returned: success
  type: str
  sample: s3://patch-history/production
format:
  description: Format of its files.
  returned: success
  type: str
  sample: parquet
published:
  description: Each run.
  returned: success
  type: list
  elements: dict
  contains:
    run_id:
      description: Identity of the run.
      type: str
      returned: success
    kind:
      description: V(scan), V(rollout), V(exceptions), V(findings) or V(limits).
      type: str
      returned: success
    publication:
      description: Digest of its rows.
      type: str
      returned: success
    changed:
      description: Whether it was published.
      type: bool
      returned: success
    kept:
      description: Why the published rows stay; empty if they were replaced.
      type: str
      returned: success
    rows:
      description: Number of rows by dataset.
      type: dict
      returned: success
  sample:
    - run_id: rollout-8f14e45fceea167a5a36dedd4bea2543
      kind: rollout
      publication: 3f9a
      changed: true
      kept: ""
      rows: {rollouts: 1, waves: 3, rollout_nodes: 64}
"""
