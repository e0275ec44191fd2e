#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_evidence
short_description: Create or verify the evidence archive of a rollout
version_added: 0.1.0
description:
  - Creates a ZIP archive with the plan, the scan, the journal, the report, the policy (if given), the IDs of all
    commands that were sent (C(commands.json)), and C(MANIFEST.json) with the SHA-256 of every file and the head of the
    journal.
  - The same files produce an identical archive. It is not compressed, because compression differs between library
    versions.
  - Verification needs only the archive, without network access or credentials. It checks every file against the
    manifest, the plan against its digest, the hash chain of the journal, and that the plan allows every event in the
    journal.
  - Anyone who can write the archive can also replace it. To detect this, store RV(sha256) or RV(head) elsewhere,
    such as in the change ticket.
  - If the rollout was approved by people in a trust bundle, the archive contains the bundle, the signed statements and
    the time at which they were accepted. It also contains the statements and signatures of C(approvals/) and
    C(decisions/); a note names those that were not accepted, and each wave that began without a verified approval.
    Signatures are verified as of that time, so that keys may have expired since.
    Later revocations are reported as notes. The signatures of the bundle itself are verified with the root keys that
    this controller pins. Without pins, a note says that they could not be verified independently of the archive.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
seealso:
  - module: patchtide.hybrid.rollout_journal_info
attributes:
  check_mode:
    description: Predicts whether the archive would change, and writes nothing.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: The archive is written only if its bytes differ.
    support: full
options:
  state:
    description: V(packed) creates the archive. V(verified) verifies it and fails if a check fails.
    type: str
    choices: [packed, verified]
    default: packed
  dir:
    description: Directory of the rollout, with C(plan.json) and C(journal.jsonl). Required with O(state=packed).
    type: path
  dest:
    description:
      - Path of the archive. Defaults to C(evidence-<rollout>.zip) in O(dir). Required with O(state=verified).
    type: path
  policy:
    description: Policy file to include as C(policy.yml).
    type: path
  head:
    description: With O(state=verified), the expected hash of the journal's last record.
    type: str
"""

EXAMPLES = r"""
- name: Create the evidence archive
  patchtide.hybrid.rollout_evidence:
    dir: /var/lib/patchtide/2026-06
    policy: /etc/patchtide/policy.yml
  register: evidence

- name: Verify the archive offline
  patchtide.hybrid.rollout_evidence:
    state: verified
    dest: /var/lib/patchtide/2026-06/evidence-5b0c7d2e9f4a41d8b3c6e0a7f1d29c84.zip
    head: 4c3e1d0b7f5a2968c1b0e7d6a5f4938271605f4e3d2c1b0a9f8e7d6c5b4a3928
"""

RETURN = r"""
dest:
  description: Path of the archive.
  returned: always
  type: str
  sample: /var/lib/patchtide/2026-06/evidence-5b0c7d2e9f4a41d8b3c6e0a7f1d29c84.zip
sha256:
  description: SHA-256 of the archive.
  returned: always
  type: str
rollout:
  description: Name of the rollout.
  returned: always
  type: str
  sample: 5b0c7d2e9f4a41d8b3c6e0a7f1d29c84
digest:
  description: Digest of its plan.
  returned: always
  type: str
head:
  description: Hash of the journal's last record. It covers all records before it.
  returned: always
  type: str
records:
  description: Number of records in the journal.
  returned: always
  type: int
  sample: 96
status:
  description: Status of the rollout at the end of the journal, V(new), V(running), V(paused), V(aborted) or
    V(completed).
  returned: always
  type: str
  sample: completed
files:
  description: Names of the files in the archive, without the manifest.
  returned: always
  type: list
  elements: str
  sample: [commands.json, journal.jsonl, plan.json, report/index.html, scan.json]
verified:
  description: Approvals and decisions whose signatures were verified.
  returned: with O(state=verified)
  type: list
  elements: str
  sample: ["wave canary was approved by ana@example.com, ben@example.com at 2026-12-01 22:00 UTC"]
notes:
  description: What a reader should know and what does not change the result, such as keys that were revoked since.
  returned: with O(state=verified)
  type: list
  elements: str
"""
