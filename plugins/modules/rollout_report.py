#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_report
short_description: Report on a patch rollout, a plan or a compliance scan
version_added: 0.1.0
description:
  - Folds what a run left in its directory, C(plan.json), C(journal.jsonl) and C(scan.json), into one report, shows it
    as a short text and writes it as JSON, as CSV and as an HTML page.
  - Works at any time. Without a journal it reports the plan, with a scan alone the compliance of the estate; of an
    unfinished or aborted rollout it says which nodes were not reached and why.
  - The report is a function of its inputs. The same files make the same report, so a second run changes nothing.
  - The hash chain of the journal is checked on the way. A journal or plan that was changed afterwards does not stop the
    report; the report says so in its first lines and in RV(summary).
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - patchtide.hybrid.attributes
  - ansible.builtin.action_common_attributes.flow
attributes:
  action:
    support: full
  async:
    support: none
  bypass_host_loop:
    support: none
notes:
  - Runs on the controller.
  - The HTML pages are self-contained. They load nothing, and a strict Content-Security-Policy forbids everything that
    is not part of them. Names and texts from clouds are never executed, templated or taken for formulas.
options:
  dir:
    description: Directory of the run, with C(plan.json), C(journal.jsonl) or C(scan.json), or any of them.
    type: path
    required: true
  dest:
    description: Directory of the report. C(report) in O(dir) where it is not given. Created where it is missing.
    type: path
  formats:
    description:
      - What to write.
      - V(json) writes C(summary.json), everything but the single nodes.
      - V(csv) writes C(nodes.csv), one line per node with the same columns in every report.
      - V(junit) writes C(junit.xml), every wave a test suite and every node a test case, for CI servers.
      - V(html) writes C(index.html), and C(plan.html) where there is a plan. Beyond 2,000 nodes the table in
        C(index.html) holds only those that need attention.
    type: list
    elements: str
    choices: [json, csv, junit, html]
    default: [json, csv, html]
  tags:
    description:
      - Keys of the node tags that hold V(owner), V(application) and V(environment), as in the policy's C(tags).
      - V(Owner), V(Application) and V(Environment) where they are not given. Other entries are ignored.
    type: dict
seealso:
  - module: patchtide.hybrid.rollout_plan
"""

EXAMPLES = r"""
- name: Report on the last rollout
  patchtide.hybrid.rollout_report:
    dir: /srv/patching/2026-11
  register: report

- name: Write only the list of nodes, for the data warehouse
  patchtide.hybrid.rollout_report:
    dir: /srv/patching/2026-11
    dest: /srv/export
    formats: [csv]
    tags:
      owner: CostOwner

- name: Fail the job if a node needs attention
  ansible.builtin.assert:
    that: report.summary.attention | length == 0
"""

RETURN = r"""
dest:
  description: Directory of the report.
  returned: success
  type: str
  sample: /srv/patching/2026-11/report
files:
  description: Path of the file of each format.
  returned: success
  type: dict
  sample:
    json: /srv/patching/2026-11/report/summary.json
    csv: /srv/patching/2026-11/report/nodes.csv
    html: /srv/patching/2026-11/report/index.html
summary:
  description: What C(summary.json) holds.
  returned: success
  type: dict
  contains:
    rollout:
      description: The rollout's name, the first 12 characters of RV(summary.digest).
      type: str
      sample: c2133826f4d7
    digest:
      description: SHA-256 of the plan.
      type: str
      sample: c2133826f4d76e9938124d99025c060b1c3d44a59d8d8a9162053cf817e0c5eb
    rehearsal:
      description: Whether this was a rehearsal and not a real estate.
      type: bool
      sample: false
    conclusion:
      description:
        - What the run amounts to. C(code) is one of V(completed), V(completed_with_failures), V(aborted), V(paused),
          V(unfinished), V(planned), V(scanned) and V(empty); C(title), C(headline) and C(reason) are sentences.
      type: dict
      sample:
        code: completed_with_failures
        tone: held
        title: Completed with failures
        headline: 56 of 60 nodes patched or up to date, 3 failed, 1 held back.
        reason: "Every gate let the rollout go on: the failures stayed within the limits of the policy."
    times:
      description: Times of scan, plan, start and end in UTC, C(minutes) between the last two, and C(as_of).
      type: dict
      sample: {started_at: "2026-11-17T22:00:00.000Z", ended_at: "2026-11-18T02:46:00.000Z", minutes: 286.0}
    totals:
      description: Nodes of the rollout and of the estate, by status, executor, platform, account, Region and so on.
      type: dict
      sample: {nodes: 60, estate: 64, by_status: {succeeded: 56, failed: 2, unreachable: 1, skipped: 1, excluded: 4}}
    compliance:
      description: Nodes by compliance before and after, of the rollout and of the whole estate, and missing patches.
      type: dict
      sample: {rollout: {nodes: 60, before: {compliant: 0, percent: 0.0}, after: {compliant: 56, percent: 93.3}}}
    patches:
      description: Patches installed and failed, by severity, and the most severe ones.
      type: dict
      sample: {installed: 266, distinct: 35, failed: 2, by_severity: {critical: 89, important: 61}}
    reboots:
      description: Nodes that rebooted, that have a new kernel, and that still have to reboot.
      type: dict
      sample: {rebooted: 54, kernel_changed: 43, pending: 0}
    waves:
      description: The waves in order with window, times, nodes by status, and every gate with numbers and reasons.
      type: list
      elements: dict
    attention:
      description: Nodes that failed, were held back or have no recorded outcome, with the reason.
      type: list
      elements: dict
    excluded:
      description: Nodes that the plan left out, with C(code) and C(reason).
      type: list
      elements: dict
    failed_places:
      description: Account-Regions that could not be asked.
      type: list
      elements: dict
    decisions:
      description: What people decided in the course of the rollout.
      type: list
      elements: dict
    evidence:
      description: Number of journal records, hash of the last one, and what is wrong with the chain, if anything is.
      type: dict
      sample: {records: 51, head: 94c73d833c90393429ba3cf1184595c0e5d44c15fab92d3241e92265490e7cca, chain_error: ""}
    warnings:
      description: What the reader must know before believing the rest.
      type: list
      elements: str
      sample: []
"""
