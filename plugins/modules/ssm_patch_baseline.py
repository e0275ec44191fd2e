#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_patch_baseline
short_description: Manage patch baselines of AWS Systems Manager
version_added: 0.1.0
description:
  - Creates, updates and deletes the patch baselines that decide which patches are approved for an operating system.
  - A baseline is found by its name among your own baselines; AWS-owned baselines are never touched.
  - Options that are not given are left as they are; an empty list or string clears.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes
  - patchtide.hybrid.tags
options:
  name:
    description: Name of the baseline, 3 to 128 letters, digits, underscores, hyphens and dots.
    type: str
    required: true
  state:
    description:
      - V(present) creates or updates, V(absent) deletes.
      - A default baseline is replaced by the AWS-owned default before it is deleted.
      - A baseline that patch groups still use is not deleted; the service's C(ResourceInUseException) is reported.
    type: str
    choices: [present, absent]
    default: present
  operating_system:
    description:
      - Operating system of the baseline. V(WINDOWS) for a new baseline where it is not given.
      - The service can't change it, so a change deletes the baseline and creates it again; the diff says so.
    type: str
    choices:
      - WINDOWS
      - AMAZON_LINUX
      - AMAZON_LINUX_2
      - AMAZON_LINUX_2022
      - UBUNTU
      - REDHAT_ENTERPRISE_LINUX
      - SUSE
      - CENTOS
      - ORACLE_LINUX
      - DEBIAN
      - MACOS
      - RASPBIAN
      - ROCKY_LINUX
      - ALMA_LINUX
      - AMAZON_LINUX_2023
  description:
    description: What the baseline is for.
    type: str
  rules:
    description: Approval rules, at most 10. The list replaces the existing rules.
    type: list
    elements: dict
    suboptions:
      classification:
        description: Classifications the rule approves, such as V(Security) or V(CriticalUpdates).
        type: list
        elements: str
      severity:
        description: Severities the rule approves, such as V(Critical) or V(Important).
        type: list
        elements: str
      product:
        description: Products the rule approves, such as V(WindowsServer2022) or V(RedhatEnterpriseLinux9).
        type: list
        elements: str
      filters:
        description: Further patch filters by their API key, at most 4 filters a rule and 20 values a filter.
        type: dict
      compliance_level:
        description: Severity that a missing patch of this rule has in compliance reports.
        type: str
        choices: [CRITICAL, HIGH, MEDIUM, LOW, INFORMATIONAL, UNSPECIFIED]
        default: UNSPECIFIED
      approve_after_days:
        description:
          - Days after its release that a patch is approved, 0 to 360.
          - Give this or O(rules[].approve_until_date). Neither for Debian, Ubuntu and Raspberry Pi OS.
        type: int
      approve_until_date:
        description: Patches released up to and including this date (V(YYYY-MM-DD)) are approved.
        type: str
      enable_non_security:
        description: Linux only. Also approve updates that are not security updates.
        type: bool
        default: false
  approved_patches:
    description: Patches that are always approved, at most 50.
    type: list
    elements: str
  approved_patches_compliance_level:
    description: Severity that a missing patch of O(approved_patches) has in compliance reports.
    type: str
    choices: [CRITICAL, HIGH, MEDIUM, LOW, INFORMATIONAL, UNSPECIFIED]
  approved_patches_enable_non_security:
    description: Linux only. O(approved_patches) includes updates that are not security updates.
    type: bool
  rejected_patches:
    description: Patches that are never approved, at most 50.
    type: list
    elements: str
  rejected_patches_action:
    description: Whether a rejected patch may still be installed as a dependency, or never.
    type: str
    choices: [ALLOW_AS_DEPENDENCY, BLOCK]
  default:
    description:
      - V(true) makes it the default baseline of its operating system, V(false) gives the AWS-owned default back.
    type: bool
"""

EXAMPLES = r"""
- name: Security updates of Amazon Linux 2023 after a week
  patchtide.hybrid.ssm_patch_baseline:
    name: contoso-al2023
    operating_system: AMAZON_LINUX_2023
    description: Critical and important security updates, seven days after release
    rules:
      - classification: [Security]
        severity: [Critical, Important]
        approve_after_days: 7
        compliance_level: CRITICAL
    rejected_patches: [docker*]
    rejected_patches_action: BLOCK
    default: true
    tags:
      ManagedBy: patchtide
    region: eu-central-1

- name: The same baseline in three accounts and two Regions
  patchtide.hybrid.ssm_patch_baseline:
    name: contoso-windows
    operating_system: WINDOWS
    rules:
      - classification: [SecurityUpdates, CriticalUpdates]
        approve_after_days: 7
    regions: [eu-central-1, us-east-1]
    accounts:
      - role_arn: arn:aws:iam::111111111111:role/patchtide
      - role_arn: arn:aws:iam::222222222222:role/patchtide
      - role_arn: arn:aws:iam::333333333333:role/patchtide

- name: Delete it
  patchtide.hybrid.ssm_patch_baseline:
    name: contoso-al2023
    state: absent
    region: eu-central-1
"""

RETURN = r"""
patch_baseline:
  description: The baseline as it is, or would be in check mode; empty when it is absent. With one account-Region.
  returned: when one account-Region was asked
  type: dict
  sample:
    name: contoso-al2023
    operating_system: AMAZON_LINUX_2023
    description: Critical and important security updates, seven days after release
    rules:
      - filters: {CLASSIFICATION: [Security], SEVERITY: [Critical, Important]}
        compliance_level: CRITICAL
        approve_after_days: 7
        enable_non_security: false
    approved_patches: []
    approved_patches_compliance_level: UNSPECIFIED
    approved_patches_enable_non_security: false
    rejected_patches: [docker*]
    rejected_patches_action: BLOCK
    tags: {ManagedBy: patchtide}
    is_default: true
    baseline_id: pb-0123456789abcdef0
places:
  description: One result per account-Region, with C(patch_baseline) or C(error).
  returned: always
  type: list
  elements: dict
failed_places:
  description: Labels of the account-Regions that failed.
  returned: always
  type: list
  elements: str
"""

from ..module_utils._ansible.run import aws_module, run_noun
from ..module_utils._ansible.spec import STATE, TAGS
from ..module_utils._aws.baselines import SsmBaselines
from ..module_utils._core.baselines import (
    COMPLIANCE_LEVELS,
    OPERATING_SYSTEMS,
    BaselineNoun,
    to_rule,
)

LEVEL = {"type": "str", "choices": list(COMPLIANCE_LEVELS)}
STRINGS = {"type": "list", "elements": "str"}
RULE = {
    "classification": STRINGS,
    "severity": STRINGS,
    "product": STRINGS,
    "filters": {"type": "dict"},
    "compliance_level": {**LEVEL, "default": "UNSPECIFIED"},
    "approve_after_days": {"type": "int"},
    "approve_until_date": {"type": "str"},
    "enable_non_security": {"type": "bool", "default": False},
}
SPEC = {
    **STATE,
    **TAGS,
    "name": {"type": "str", "required": True},
    "operating_system": {"type": "str", "choices": list(OPERATING_SYSTEMS)},
    "description": {"type": "str"},
    "rules": {"type": "list", "elements": "dict", "options": RULE},
    "approved_patches": STRINGS,
    "approved_patches_compliance_level": LEVEL,
    "approved_patches_enable_non_security": {"type": "bool"},
    "rejected_patches": STRINGS,
    "rejected_patches_action": {"type": "str", "choices": ["ALLOW_AS_DEPENDENCY", "BLOCK"]},
    "default": {"type": "bool"},
}


def main() -> None:
    module = aws_module(SPEC)
    given = {name: module.params[name] for name in SPEC if name not in ("state", "purge_tags", "default")}
    given["is_default"] = module.params["default"]
    for name in ("approved_patches", "rejected_patches"):
        given[name] = None if given[name] is None else tuple(given[name])
    if given["rules"] is not None:
        given["rules"] = tuple(to_rule(rule) for rule in given["rules"])

    def make(sessions, place):
        port = SsmBaselines(sessions.client("ssm", place))
        return BaselineNoun(
            port, given, present=module.params["state"] == "present", purge_tags=module.params["purge_tags"]
        )

    run_noun(module, "patch_baseline", make, f"patch baseline {given['name']}")


if __name__ == "__main__":
    main()
