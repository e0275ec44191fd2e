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
  - Creates a report from C(plan.json), C(journal.jsonl) and C(scan.json) in the directory of a rollout. It displays a
    short text and writes JSON, CSV and HTML files.
  - Can run at any time. Without a journal it reports the plan, and with only a scan it reports the compliance of the
    estate. For an unfinished or aborted rollout it lists the nodes that were not reached, with the reason.
  - The same files produce the same report, so a second run changes nothing.
  - Verifies the hash chain of the journal. A journal or plan that was modified afterwards does not prevent the report,
    but is named in its first lines and in RV(summary).
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
  - The HTML pages are self-contained, and a strict Content-Security-Policy blocks all external content. Names and texts
    that come from cloud services are never executed, templated or interpreted as spreadsheet formulas.
options:
  dir:
    description: Directory of the rollout, with at least one of C(plan.json), C(journal.jsonl) and C(scan.json).
    type: path
    required: true
  dest:
    description: Directory to write the report to. It is created if it does not exist. Defaults to C(report) in O(dir).
    type: path
  formats:
    description:
      - Formats to write.
      - V(json) writes C(summary.json), which contains everything except the individual nodes.
      - V(csv) writes C(nodes.csv), with one line per node and the same columns in every report.
      - V(junit) writes C(junit.xml) for CI servers, with a test suite per wave and a test case per node.
      - V(html) writes C(index.html), and C(plan.html) if there is a plan. Both have all nodes, up to 20,000;
        with more than 200 nodes, the table needs JavaScript.
    type: list
    elements: str
    choices: [json, csv, junit, html]
    default: [json, csv, html]
  tags:
    description:
      - Keys of the node tags that hold V(owner), V(application) and V(environment), as in the policy's C(tags).
      - Defaults to V(Owner), V(Application) and V(Environment). Other entries are ignored.
    type: dict
  patch_baselines:
    description:
      - Patch baselines with their effective patches, as M(patchtide.hybrid.ssm_patch_baseline_info) returns them. They
        say which patches are released, approved, pending and rejected. The service lists them for Windows only.
      - Without them, a patch that a scan reports as missing counts as approved, one that is installed although it is
        rejected as rejected, and any other as unknown.
    type: list
    elements: dict
    default: []
seealso:
  - module: patchtide.hybrid.rollout_plan
"""

EXAMPLES = r"""
- name: Report on the last rollout
  patchtide.hybrid.rollout_report:
    dir: /srv/patching/2026-11
  register: report

- name: Write only the list of nodes as CSV
  patchtide.hybrid.rollout_report:
    dir: /srv/patching/2026-11
    dest: /srv/export
    formats: [csv]
    tags:
      owner: CostOwner

- name: Read which patches the baselines approve and reject
  patchtide.hybrid.ssm_patch_baseline_info:
    effective_patches: true
  register: baselines

- name: Report with the state of every patch
  patchtide.hybrid.rollout_report:
    dir: /srv/patching/2026-11
    patch_baselines: "{{ baselines.patch_baselines }}"

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
  description: Path of the file that was written for each format.
  returned: success
  type: dict
  sample:
    json: /srv/patching/2026-11/report/summary.json
    csv: /srv/patching/2026-11/report/nodes.csv
    html: /srv/patching/2026-11/report/index.html
summary:
  description: Content of C(summary.json).
  returned: success
  type: dict
  contains:
    rollout:
      description: The rollout's id, 128 random bits. No other plan has it.
      type: str
      sample: c2133826f4d7
    digest:
      description: SHA-256 of the plan.
      type: str
      sample: c2133826f4d76e9938124d99025c060b1c3d44a59d8d8a9162053cf817e0c5eb
    rehearsal:
      description: Whether this was a rehearsal on the lab.
      type: bool
      sample: false
    conclusion:
      description:
        - Result of the rollout. C(code) is one of V(completed), V(completed_with_failures), V(aborted), V(paused),
          V(unfinished), V(planned), V(scanned) and V(empty); C(title), C(headline) and C(reason) are sentences.
      type: dict
      sample:
        code: completed_with_failures
        tone: held
        title: Completed with failures
        headline: 56 of 60 nodes patched or up to date, 3 failed, 1 skipped.
        reason: "Every gate promoted its wave: the failures stayed within the limits of the policy."
    times:
      description: Times of scan, plan, start and end in UTC, C(minutes) between the last two, and C(as_of).
      type: dict
      sample: {started_at: "2026-11-17T22:00:00.000Z", ended_at: "2026-11-18T02:46:00.000Z", minutes: 286.0}
    totals:
      description: Nodes of the rollout and of the estate. C(by_status) and C(groups) (by executor, platform, account,
        Region and so on) count the whole estate. C(tones) counts C(good), C(bad), C(unknown), C(pending), C(held),
        C(not_started) and C(outside).
      type: dict
      sample: {nodes: 60, estate: 64, by_status: {succeeded: 56, failed: 2, unreachable: 1, skipped: 1, excluded: 4}}
    compliance:
      description: Nodes by compliance before and after, of the rollout and of the whole estate, and missing patches.
      type: dict
      sample: {rollout: {nodes: 60, before: {compliant: 0, percent: 0.0}, after: {compliant: 56, percent: 93.3}}}
    patches:
      description: Installed and failed patches, by severity, and the most severe patches.
      type: dict
      sample: {installed: 266, distinct: 35, failed: 2, by_severity: {critical: 89, important: 61}}
    patch_groups:
      description: By operating system and patch group, the patches that are known, approved, pending approval and
        rejected, and on how many nodes patches are installed by the rollout, installed although rejected, missing,
        failed and held.
      type: list
      elements: dict
      sample:
        - os: Ubuntu 22.04
          patch_group: WEB-PROD
          nodes: 12
          known: 31
          approved: 29
          pending: 0
          rejected: 1
          installed: 118
          installed_rejected: 1
          missing: 0
          failed: 2
          held: 0
    reboots:
      description: Numbers of nodes that rebooted, that run a new kernel, and that have a pending reboot.
      type: dict
      sample: {rebooted: 54, kernel_changed: 43, pending: 0}
    vulnerabilities:
      description:
        - Open findings by remediation and severity, if C(vulnerabilities.jsonl) is in O(dir), and what changed since
          C(vulnerabilities-before.jsonl). V(null) without an import.
      type: dict
      sample: {open: 1100, sentence: "1,100 open findings: 900 that a missing patch closes."}
    waves:
      description: The waves in order, with window, times, nodes by status, and each gate with its numbers and reasons.
      type: list
      elements: dict
    approvals:
      description: Who approved the plan, when and why, as the rollout recorded it.
      type: list
      elements: dict
    attention:
      description: Nodes that failed, were skipped, have a reboot pending, or whose state is unknown, with the reason.
        Nodes that the plan leaves out because of trouble are among them.
      type: list
      elements: dict
    causes:
      description: The same nodes, one entry for all with the same status, code and reason, with C(next_step).
      type: list
      elements: dict
    excluded:
      description: Nodes that are left out of the plan, with C(code) and C(reason).
      type: list
      elements: dict
    failed_places:
      description: Account-Regions that could not be reached.
      type: list
      elements: dict
    decisions:
      description: Decisions that people made during the rollout.
      type: list
      elements: dict
    evidence:
      description: Number of journal records, hash of the last record, and the error in the hash chain, if there is one.
      type: dict
      sample: {records: 51, head: 94c73d833c90393429ba3cf1184595c0e5d44c15fab92d3241e92265490e7cca, chain_error: ""}
    warnings:
      description: Problems that limit how far the report can be trusted.
      type: list
      elements: str
      sample: []
"""
