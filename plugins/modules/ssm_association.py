#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_association
short_description: Manage State Manager associations in AWS Systems Manager
version_added: 0.1.0
description:
  - Creates, updates and deletes associations, which run a document on nodes on a schedule, such as a patch scan.
  - An association is identified by O(name) or O(association_id).
  - The service runs a new or changed association immediately unless O(apply_only_at_cron_interval=true).
  - The document of an association cannot be changed. The module recreates the association instead; the diff shows
    this.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.tags
  - patchtide.hybrid.targets
  - patchtide.hybrid.attributes
options:
  name:
    description: Name of the association, 3 to 128 letters, digits, underscores, hyphens and dots.
    type: str
  association_id:
    description: ID of an existing association. Together with O(name), the association is renamed.
    type: str
  state:
    description: Whether the association exists.
    type: str
    choices: [present, absent]
    default: present
  document:
    description: Name of the document to run, or its ARN if another account shares it. Required for a new association.
    type: str
  document_version:
    description: V($DEFAULT), V($LATEST) or a version number. Defaults to V($DEFAULT) for a new association.
    type: str
  parameters:
    description: Parameters of the document, each with one value or a list of values. V({}) removes all.
    type: dict
  all_nodes:
    description:
      - Whether to target all managed nodes of the account and Region. Mutually exclusive with the other targets.
    type: bool
  target_parameter:
    description: For a runbook, the parameter that receives the target, at most 50 characters.
    type: str
  target_maps:
    description:
      - For a runbook, a list of parameter-to-target mappings, at most 300. Mutually exclusive with the other targets.
    type: list
    elements: dict
  target_locations:
    description:
      - For a runbook, the accounts and Regions to run it in, as C(TargetLocations) of the API with its own keys, such
        as C(Accounts), C(Regions) and C(ExecutionRoleName). At most 100.
    type: list
    elements: dict
  schedule:
    description:
      - V(cron(…\)), V(rate(…\)) of at least 30 minutes, or V(at(…\)), in UTC. V("") removes the schedule; the
        association then runs once.
    type: str
  offset_days:
    description:
      - Days between the day of the cron expression and the run, 1 to 6. V(0) for none.
      - Requires O(apply_only_at_cron_interval=true).
    type: int
  apply_only_at_cron_interval:
    description:
      - Whether to run only on schedule and not when the association is created or changed. Not supported with a rate.
    type: bool
  duration_hours:
    description:
      - Hours after which a run is cancelled, 1 to 24. V(0) for no limit.
      - Requires O(apply_only_at_cron_interval=true).
    type: int
  calendars:
    description: Names or ARNs of change calendars that must be open for a run. V([]) removes all.
    type: list
    elements: str
  max_concurrency:
    description:
      - Maximum number of nodes that run the association at the same time, as a number or a percentage. V("") restores
        the default of the service, V(100%).
    type: str
  max_errors:
    description:
      - Number of failed nodes, as a number or a percentage, after which no further nodes are started. V("") removes
        the limit.
    type: str
  compliance_severity:
    description:
      - Severity reported for a node on which the association fails. Defaults to V(UNSPECIFIED) for a new association.
    type: str
    choices: [CRITICAL, HIGH, MEDIUM, LOW, UNSPECIFIED]
  sync_compliance:
    description:
      - V(AUTO) derives compliance from the result of the run. With V(MANUAL), report it with
        M(patchtide.hybrid.ssm_compliance_items). Defaults to V(AUTO) for a new association.
    type: str
    choices: [AUTO, MANUAL]
  output_s3_bucket:
    description: S3 bucket for the output, 3 to 63 characters. V("") stores no output.
    type: str
  output_s3_prefix:
    description: Key prefix of the output, at most 500 characters.
    type: str
  output_s3_region:
    description: Region of the bucket, 3 to 20 characters.
    type: str
  alarm:
    description: Name of a CloudWatch alarm that stops a run. V("") removes the alarm.
    type: str
  ignore_alarm_failure:
    description: Whether to continue if the state of the alarm cannot be read.
    type: bool
  dispatch_role_arn:
    description: ARN of the role that State Manager assumes. V("") restores the service-linked role.
    type: str
"""

EXAMPLES = r"""
- name: Scan all nodes every night
  patchtide.hybrid.ssm_association:
    name: patchtide-scan
    document: AWS-RunPatchBaseline
    parameters:
      Operation: Scan
    all_nodes: true
    schedule: cron(0 3 ? * * *)
    apply_only_at_cron_interval: true
    max_concurrency: 20%
    compliance_severity: HIGH

- name: Update the agents two days after the second Tuesday of the month
  patchtide.hybrid.ssm_association:
    name: patchtide-agent
    document: AWS-UpdateSSMAgent
    instance_tags:
      Patch Group: [WEB-PROD, WEB-TEST]
    schedule: cron(0 2 ? * TUE#2 *)
    offset_days: 2
    apply_only_at_cron_interval: true

- name: Delete the nightly scan
  patchtide.hybrid.ssm_association:
    name: patchtide-scan
    state: absent
"""

RETURN = r"""
places:
  description: Account-Regions that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    association:
      description: State of the association after the run, predicted in check mode; empty if it is absent.
      returned: always
      type: dict
      sample:
        name: patchtide-scan
        document: AWS-RunPatchBaseline
        document_version: $DEFAULT
        parameters: {Operation: [Scan]}
        targets: {InstanceIds: ["*"]}
        schedule: cron(0 3 ? * * *)
        offset_days: 0
        apply_only_at_cron_interval: true
        duration_hours: 0
        calendars: []
        max_concurrency: 20%
        max_errors: ""
        compliance_severity: HIGH
        sync_compliance: AUTO
        output_s3_bucket: ""
        output_s3_prefix: ""
        output_s3_region: ""
        target_parameter: ""
        target_maps: []
        target_locations: []
        alarm: ""
        ignore_alarm_failure: false
        dispatch_role_arn: ""
        tags: {}
        association_id: 0b4e6f38-4b5c-4c0e-9a0e-6f0b3c2d1a00
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_noun
from ..module_utils._ansible.spec import STATE, TAGS, TARGETS
from ..module_utils._aws.associations import SsmAssociations
from ..module_utils._core.ssm.associations import SEVERITIES, AssociationNoun

TEXT = {"type": "str"}
NUMBER = {"type": "int"}
FLAG = {"type": "bool"}
DICT = {"type": "dict"}
TEXTS = {"type": "list", "elements": "str"}
DICTS = {"type": "list", "elements": "dict"}
SPEC = {
    **STATE,
    **TAGS,
    **TARGETS,
    "name": TEXT,
    "association_id": TEXT,
    "document": TEXT,
    "document_version": TEXT,
    "parameters": DICT,
    "all_nodes": FLAG,
    "target_parameter": TEXT,
    "target_maps": DICTS,
    "target_locations": DICTS,
    "schedule": TEXT,
    "offset_days": NUMBER,
    "apply_only_at_cron_interval": FLAG,
    "duration_hours": NUMBER,
    "calendars": TEXTS,
    "max_concurrency": TEXT,
    "max_errors": TEXT,
    "compliance_severity": {"type": "str", "choices": list(SEVERITIES)},
    "sync_compliance": {"type": "str", "choices": ["AUTO", "MANUAL"]},
    "output_s3_bucket": TEXT,
    "output_s3_prefix": TEXT,
    "output_s3_region": TEXT,
    "alarm": TEXT,
    "ignore_alarm_failure": FLAG,
    "dispatch_role_arn": TEXT,
}


def main() -> None:
    module = aws_module(SPEC, required_one_of=[("name", "association_id")])
    params = module.params

    def make(sessions, place):
        port = SsmAssociations(sessions.client("ssm", place), sessions.client("ssm", place, retry=False))
        return AssociationNoun(port, params)

    run_noun(module, "association", make, f"association {params['name'] or params['association_id']}")


if __name__ == "__main__":
    main()
