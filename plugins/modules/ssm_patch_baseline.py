#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_patch_baseline
short_description: Manage patch baselines in AWS Systems Manager
version_added: 0.1.0
description:
  - Creates, updates and deletes patch baselines, which determine the patches that are approved for an operating
    system.
  - A baseline is identified by its name among your own baselines, or by O(baseline_id). AWS-owned baselines are never
    changed.
  - Options that are not set keep their current value; an empty list or string clears an option.
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
    description:
      - Name of the baseline, 3 to 128 letters, digits, underscores, hyphens and dots.
      - Together with O(baseline_id), the baseline is renamed.
    type: str
  baseline_id:
    description: ID of an existing baseline of your own, such as V(pb-0123456789abcdef0).
    type: str
  state:
    description:
      - V(present) creates or updates the baseline, V(absent) deletes it.
      - Before a default baseline is deleted, the AWS-owned baseline becomes the default.
      - A baseline that is registered for patch groups is not deleted; the error names the patch groups.
    type: str
    choices: [present, absent]
    default: present
  operating_system:
    description:
      - Operating system of the baseline. Defaults to V(WINDOWS) for a new baseline.
      - The service cannot change the operating system, so the module deletes and recreates the baseline; the diff
        shows this.
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
    description: Description of the baseline, at most 1024 characters.
    type: str
  global_filters:
    description:
      - Filters that limit which patches the baseline considers, by their API key. At most 4 filters with 20 values
        each.
    type: dict
  rules:
    description: Approval rules, at most 10. The list replaces the existing rules.
    type: list
    elements: dict
    suboptions:
      classification:
        description: Classifications that the rule approves, such as V(Security) or V(CriticalUpdates).
        type: list
        elements: str
      severity:
        description:
          - Severities that the rule approves, such as V(Critical) or V(Important).
          - Sent as C(MSRC_SEVERITY) for V(WINDOWS). Debian and Ubuntu use C(PRIORITY) instead, see
            O(rules[].filters).
        type: list
        elements: str
      product:
        description:
          - Products that the rule approves, such as V(WindowsServer2022) or V(RedhatEnterpriseLinux9.6), or V(*) for
            all.
          - New values of this and the other filters are compared with those that the service lists
            (C(ssm:DescribePatchProperties)). Without this permission, only the service checks them.
        type: list
        elements: str
      filters:
        description:
          - Further patch filters by their API key, such as C(PRIORITY), C(SECTION) or C(PATCH_SET).
          - At most 4 filters per rule with 20 values each.
        type: dict
      compliance_level:
        description: Severity reported for a missing patch that this rule approves.
        type: str
        choices: [CRITICAL, HIGH, MEDIUM, LOW, INFORMATIONAL, UNSPECIFIED]
        default: UNSPECIFIED
      approve_after_days:
        description:
          - Number of days after its release that a patch is approved, 0 to 360.
          - Mutually exclusive with O(rules[].approve_until_date). Neither is supported for Debian, Ubuntu and
            Raspberry Pi OS.
        type: int
      approve_until_date:
        description: Date (V(YYYY-MM-DD)) up to and including which released patches are approved.
        type: str
      enable_non_security:
        description: Whether to approve updates that are not security updates. Linux only.
        type: bool
        default: false
  approved_patches:
    description: Patches that are explicitly approved, at most 50.
    type: list
    elements: str
  approved_patches_compliance_level:
    description: Severity reported for a missing patch of O(approved_patches).
    type: str
    choices: [CRITICAL, HIGH, MEDIUM, LOW, INFORMATIONAL, UNSPECIFIED]
  approved_patches_enable_non_security:
    description: Whether O(approved_patches) includes updates that are not security updates. Linux only.
    type: bool
  rejected_patches:
    description: Patches that are explicitly rejected, at most 50.
    type: list
    elements: str
  rejected_patches_action:
    description: Whether a rejected patch can be installed as a dependency or is blocked.
    type: str
    choices: [ALLOW_AS_DEPENDENCY, BLOCK]
  sources:
    description: Repositories to use instead of those configured on the nodes, at most 20. Linux only.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the repository, 3 to 50 letters, digits, underscores, hyphens and dots.
        type: str
        required: true
      products:
        description:
          - Operating system versions that use the repository, such as V(AmazonLinux2023), or V(*). At most 20.
        type: list
        elements: str
        required: true
      configuration:
        description:
          - Content of the repository file of the package manager, at most 1024 characters. Can contain passwords.
        type: str
        required: true
  available_security_updates_status:
    description:
      - Compliance status of a node for which security updates are available but not yet approved. Windows only.
      - Requires botocore 1.38.24 or newer.
    type: str
    choices: [COMPLIANT, NON_COMPLIANT]
  default:
    description:
      - V(true) makes the baseline the default of its operating system, V(false) restores the AWS-owned default.
    type: bool
"""

EXAMPLES = r"""
- name: Approve security updates for Amazon Linux 2023 after seven days
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

- name: Create the same baseline in three accounts and two Regions
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
        external_id: contoso-patching

- name: Delete the baseline
  patchtide.hybrid.ssm_patch_baseline:
    name: contoso-al2023
    state: absent
    region: eu-central-1
"""

RETURN = r"""
places:
  description: Account-Regions that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    patch_baseline:
      description: State of the baseline after the run, predicted in check mode; empty if it is absent.
      returned: always
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
        global_filters: {}
        sources: []
        tags: {ManagedBy: patchtide}
        is_default: true
        patch_groups: []
        baseline_id: pb-0123456789abcdef0
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.patch_objects import BASELINE
from ..module_utils._ansible.run import aws_module, run_kind

SPEC = BASELINE.spec


def main() -> None:
    run_kind(aws_module(SPEC, **BASELINE.rules), BASELINE)


if __name__ == "__main__":
    main()
