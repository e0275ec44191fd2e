#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_ticket
short_description: Return what the tickets of a rollout contain
version_added: 0.1.0
description:
  - Returns what the change of a plan says, how a finished rollout closes it, and an incident for each wave whose nodes
    need attention. Each has a correlation ID, by which the ticket is found again, so that none is opened twice.
  - Checks whether a change of ServiceNow lets the plan be carried out now, and finds the configuration items of its
    nodes.
  - It reads the rollout's directory, and asks no service. The role P(patchtide.hybrid.itsm_servicenow#role) and your
    own playbooks for other tools send what it returns.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - patchtide.hybrid.attributes.info
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
seealso:
  - module: patchtide.hybrid.rollout_report
  - module: patchtide.hybrid.rollout_evidence
options:
  dir:
    description: Directory of the rollout, with C(plan.json) and, once it has begun, its journal.
    type: path
    required: true
  scan:
    description: Scan that is newer than the rollout. Nodes that it found compliant have recovered.
    type: path
  change:
    description: Record of C(change_request), as the Table API returns it. RV(objections) says whether the plan may run.
    type: dict
  lookups:
    description: How configuration items are found, in this order.
    type: list
    elements: dict
    default: []
    suboptions:
      table:
        description: Table, such as C(cmdb_ci_server).
        type: str
        required: true
      column:
        description: Column that identifies a machine, such as C(serial_number).
        type: str
        required: true
      by:
        description: What it is compared with, the ID, the name or the inventory name of a node.
        type: str
        choices: [node_id, name, host]
        default: name
  items:
    description: Rows that the queries of RV(item_queries) found, as lists by table, to be compared with the nodes.
    type: dict
"""

EXAMPLES = r"""
- name: Read what the tickets say
  patchtide.hybrid.rollout_ticket:
    dir: /var/lib/patchtide/2026-12
  register: ticket

- name: Open a ticket in another tool
  ansible.builtin.uri:
    url: https://tickets.contoso.example/api/changes/{{ ticket.change.correlation_id | urlencode }}
    method: PUT
    body_format: json
    body: "{{ ticket.change }}"
"""

RETURN = r"""
change:
  description:
    - The change of the plan. C(start) and C(end) are the planned window in UTC, empty without windows. C(type) is
      V(standard), V(normal) or V(emergency).
  returned: success
  type: dict
  sample:
    correlation_id: patchtide:c2133826f4d76e9938124d99025c060b1c3d44a59d8d8a9162053cf817e0c5eb
    short_description: "OS patching: web, 60 nodes, 266 patches, 3 waves"
    description: Rollout 5b0c7d2e9f4a41d8b3c6e0a7f1d29c84
    start: "2026-12-01 22:00:00"
    end: "2026-12-03 02:00:00"
    type: normal
page:
  description: Name under which C(plan.html) is attached to the change. It contains the digest of the plan.
  returned: success
  type: str
  sample: plan-c2133826f4d76e9938124d99025c060b1c3d44a59d8d8a9162053cf817e0c5eb.html
rehearsal:
  description: Whether this is a rehearsal on the lab.
  returned: success
  type: bool
finished:
  description: Whether the rollout is finished.
  returned: success
  type: bool
outcome:
  description: C(close_code) and C(close_notes) of the change; empty while the rollout can go on.
  returned: success
  type: dict
  sample: {close_code: successful_issues, close_notes: "Completed with failures. 56 of 60 nodes patched or up to date."}
incidents:
  description: For each wave that a gate has judged, its incident. C(nodes) need attention, and C(recovered) says that
    none is left.
  returned: success
  type: list
  elements: dict
  sample:
    - wave: canary
      correlation_id: patchtide:6e150c9cf0f61660478ef01a0204494c756466805dad48f98a0d8287f87a1ec5
      short_description: "OS patching: 1 node to look at in wave canary"
      description: "Rollout 5b0c7d2e9f4a41d8b3c6e0a7f1d29c84, wave canary: the gate decided pause."
      nodes:
        - {node_id: i-0123456789abcdef0, name: web-1, status: failed, compliance: non_compliant, reason: no space left}
      recovered: false
objections:
  description: Why the change does not let the plan be carried out now. Empty if it is approved, in Scheduled or
    Implement, not on hold, and its planned window is open.
  returned: with O(change)
  type: list
  elements: str
  sample: [its state is Assess, not Scheduled or Implement]
item_queries:
  description: Queries for the configuration items of the nodes, each with C(table), C(column) and C(query).
  returned: success
  type: list
  elements: dict
  sample: [{table: cmdb_ci_server, column: name, query: "nameINweb-1,web-2"}]
items:
  description: The configuration items that are nodes of the plan (C(linked), their C(sys_id)), and the names of nodes
    that no item (C(missing)) or more than one (C(several)) is.
  returned: with O(items)
  type: dict
  sample: {linked: [b0c4030ac0a800090152e7a4564ca36c], missing: [web-2], several: []}
"""
