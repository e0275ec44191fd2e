#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: notices
short_description: Send the notices that are due
version_added: 0.1.0
description:
  - Derives notices from plans, journals, the exception ledger, findings about nodes and the history of repositories.
    It sends those that the routes of the policy's C(notices) have not got yet, by Amazon SNS, mail, webhooks or events
    of ServiceNow.
  - A notice is recorded in the policy's C(notices.ledger) after it was delivered. What was not delivered remains due
    for 7 days. A run that is killed between delivery and record sends the notice again, with the same key.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: patchtide.hybrid.patch_exception_sync
    description: Raises the alarms about tags.
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - Passwords, keys and secret URLs are read from environment variables that the policy names. They are in no result.
attributes:
  check_mode:
    description: Returns what would be sent to whom, and sends nothing.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: A second run sends nothing again.
    support: full
options:
  policy_file:
    description: Path of the policy file on the controller.
    type: path
    required: true
  dir:
    description:
      - Directory of a rollout, or one above the directories of all rollouts. Three levels are searched.
      - Only rollouts of this policy, by its name, are used.
      - Without it, only notices about exceptions are sent.
    type: path
  alarms:
    description:
      - Alarms that M(patchtide.hybrid.patch_exception_sync) returned. They are recorded before they are sent, since the
        tags that caused them are corrected by then.
      - An alarm that is raised several times on a day is sent once.
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description: Kind of the alarm. V(not_approved) and V(expiring) are ignored; they follow from the ledger.
        type: str
        required: true
        choices:
          - revoked
          - hand_edited
          - missing_tag
          - not_in_ledger
          - not_approved
          - expired
          - expiring
          - no_node
      text:
        description: What is wrong, in a sentence.
        type: str
        required: true
      node_id:
        description: The node, if the alarm is about one.
        type: str
        default: ""
      exception_id:
        description: The exception, if the alarm is about one.
        type: str
        default: ""
  coverage:
    description:
      - RV(patchtide.hybrid.node_enrollment#module:nodes) of M(patchtide.hybrid.node_enrollment) for the whole estate.
        It replaces what is kept in C(coverage.json) beside the ledger. Its findings are sent once a day.
    type: list
    elements: dict
  reports:
    description:
      - Place of the reports of M(patchtide.hybrid.history_report). Then the notice of the newest one is sent
        too.
      - A report in a bucket gets a link that lets everybody read it who has it. It ends with the credentials that
        signed it, and is neither logged nor returned.
    type: str
  link_hours:
    description: How long the link is valid at most, 1 to 168 hours.
    type: int
    default: 24
  seconds:
    description: Time limit of the task in seconds. What is not delivered within it remains due.
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Send what is due
  patchtide.hybrid.notices:
    policy_file: /var/lib/patchtide/contoso/policy.yml
    dir: /var/lib/patchtide/contoso
  register: notices

- name: Fail if a receiver could not be reached
  ansible.builtin.fail:
    msg: "{{ notices.failed_routes }}"
  when: notices.failed_routes | length > 0
"""

RETURN = r"""
notices:
  description: Messages that were delivered; in check mode those that would be sent.
  returned: success
  type: list
  elements: dict
  contains:
    route:
      description: Name of the route.
      type: str
      returned: always
      sample: web-team
    receiver:
      description: The receiver, without secrets. Empty if it cannot be used.
      type: str
      returned: always
      sample: mail to web-team@contoso.example
    kind:
      description: Kind of the notice, or V(digest).
      type: str
      returned: always
      sample: impending
    severity:
      description: V(info), V(warning) or V(critical).
      type: str
      returned: always
      sample: info
    subject:
      description: Subject of the message.
      type: str
      returned: always
      sample: "contoso: 12 nodes will be patched Tue 2026-12-01 22:00 CET to Wed 2026-12-02 02:00 CET"
    key:
      description: Deduplication key, the same if the message is sent again.
      type: str
      returned: always
      sample: 9edb2bfb93c0f0a57c0f6a0b7f65a4bb1d0a1e6c2b9d8e7f60514233a4b5c6d7
failed_routes:
  description: Routes whose next message was not delivered, each with C(route) and C(text). It remains due.
  returned: success
  type: list
  elements: dict
  sample: []
remarks:
  description: What receivers said of delivered messages, such as refused addresses.
  returned: success
  type: list
  elements: str
  sample: []
problems:
  description: What could not be read or used, such as a damaged journal or a template with a mistake.
  returned: success
  type: list
  elements: str
  sample: []
later:
  description: Number of notices that wait for a digest or for the end of quiet hours, or that belong to a rehearsal. A
    promoted wave is counted before it is known whether it has nodes to look at.
  returned: success
  type: int
  sample: 0
"""
