# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: ssm_fleet
short_description: Nodes of AWS Systems Manager, EC2 and hybrid, of many accounts and Regions
version_added: 0.1.0
author:
  - The patchtide.hybrid contributors (@patchtide)
description:
  - Every node that Systems Manager manages (C(i-) on EC2, C(mi-) anywhere else), and the EC2 instances that it does not
    manage, of all given accounts and Regions, asked for concurrently.
  - All host variables begin with C(patchtide_) and have the same shape for every node; the guide lists them.
  - Hosts are in groups such as C(platform_linux), C(executor_ssm), C(patch_group_web_prod), C(account_111122223333),
    C(region_eu_central_1), C(ping_online), C(state_running), C(source_azure), C(managed) and C(unmanaged) without
    further configuration.
  - Connection variables such as C(ansible_host) are set only by O(compose).
  - The file name must end with C(ssm_fleet.yml) or C(ssm_fleet.yaml).
requirements:
  - boto3 >= 1.34.0
  - botocore >= 1.34.0
extends_documentation_fragment:
  - inventory_cache
  - constructed
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
  - amazon.aws.assume_role.plugins
options:
  plugin:
    description: Marks the file as one of this plugin.
    type: str
    required: true
    choices: [patchtide.hybrid.ssm_fleet]
  source:
    description:
      - V(api) asks the services. V(resource_data_sync) reads the bucket O(bucket) of a Resource Data Sync instead, for
        fleets too large to ask; no permission in the accounts is needed then.
      - The bucket has no EC2 data, so instances that are not managed and what only EC2 knows are missing, and it is as
        old as the nodes' last inventory. It has one object per node and inventory type, each of which is fetched.
      - With V(resource_data_sync), O(accounts) (by number) and O(regions) (by name) limit what is read, and
        O(assume_role_arn) is the role for the bucket.
    type: str
    choices: [api, resource_data_sync]
    default: api
  bucket:
    description: Bucket of the Resource Data Sync.
    type: str
  bucket_prefix:
    description: Prefix of the Resource Data Sync in its bucket.
    type: str
    default: ''
  bucket_region:
    description: Region of the bucket. O(region) if it is not given.
    type: str
  accounts:
    description:
      - Accounts to ask. Each entry is an account number, a role ARN, or a dictionary with C(id), C(name), C(role_arn)
        and C(external_id).
      - An entry without a role ARN is reached through the role O(role_name), or with the given credentials if
        that is not set.
      - Without this option the account of the credentials is asked.
    type: list
    elements: raw
    default: []
  role_name:
    description:
      - Name of the role in accounts that don't name their own, with its path if it has one.
      - V({account_id}) and V({account_name}) are filled in.
    type: str
  external_id:
    description: External id for accounts that don't name their own.
    type: str
  session_name:
    description: Name of the role sessions, which appears in CloudTrail.
    type: str
    default: patchtide-inventory
  regions:
    description:
      - Regions to ask, by name or pattern (V(eu-*)). V(all) and patterns mean the Regions enabled in each account,
        which needs C(ec2:DescribeRegions).
      - Without this option O(region) or the Region of the profile is asked.
    type: list
    elements: str
    default: []
  exclude_regions:
    description: Regions to leave out, by name or pattern.
    type: list
    elements: str
    default: []
  instances:
    description:
      - Whether EC2 is asked as well (C(ec2:DescribeInstances)), for instances that Systems Manager does not manage and
        for the state and tags of those it does.
    type: bool
    default: true
  tags:
    description:
      - Whether the tags of nodes that EC2 does not list are read through the Resource Groups Tagging API
        (C(tag:GetResources)), 100 nodes a call.
    type: bool
    default: true
  patch_group_keys:
    description: Keys of the tag that holds the patch group; the first one that is set counts.
    type: list
    elements: str
    default: [Patch Group, PatchGroup]
  maintenance_window_keys:
    description: Keys of the tag that holds the maintenance window; the first one that is set counts.
    type: list
    elements: str
    default: [Maintenance Window, MaintenanceWindow]
  organizations:
    description:
      - Takes the accounts from AWS Organizations instead of O(accounts), all active ones unless the suboptions say
        otherwise. An empty dictionary means the whole organization.
      - O(role_name) is assumed in each, except for the account of the credentials.
    type: dict
    suboptions:
      units:
        description: Organizational units or roots whose accounts to ask, with all units below them.
        type: list
        elements: str
      exclude_units:
        description: Organizational units to leave out, with all units below them.
        type: list
        elements: str
      exclude_accounts:
        description: Accounts to leave out, by number or name.
        type: list
        elements: str
      role_arn:
        description: Role to assume for asking Organizations, in the management account or a delegated administrator's.
        type: str
      external_id:
        description: External id of that role.
        type: str
  filters:
    description:
      - Only nodes of which every named member has one of the given values. C(*) and C(?) stand for any characters.
      - Keys are the host variables without C(patchtide_), such as C(platform), C(ping_status), C(patch_group),
        C(state), C(resource_type), C(managed), and C(tags), a dictionary of tag keys to values.
      - C(node_id), C(ping_status), C(agent_version), C(resource_type), with O(instances=false) C(platform), and
        C(tags) of EC2 instances are filtered by the services, all others after the answers.
    type: dict
    default: {}
  include:
    description: Jinja conditions on the host variables, at least one of which must hold.
    type: list
    elements: str
    default: []
  exclude:
    description: Jinja conditions on the host variables, none of which may hold.
    type: list
    elements: str
    default: []
  hostnames:
    description:
      - What hosts are called, the first that is set and belongs to one node alone. A host variable without
        C(patchtide_), or V(tag:) and the key of a tag. The node id is the last resort.
      - Characters that have a meaning in host patterns are replaced by a hyphen.
    type: list
    elements: str
    default: [node_id]
  merge:
    description:
      - Rules by which entries of the same machine become one host. An empty list turns all of them off.
      - V(source) takes a node whose C(source_id) is that of another node or is another node.
      - V(registration) takes C(mi-) nodes of an account and Region with the same computer name and address, if at most
        one of them is online.
      - V(inventory) takes hosts that earlier inventory sources added, with the same C(patchtide_node_id),
        C(patchtide_source_id) or C(vmid). What those sources set stays as it is.
    type: list
    elements: str
    choices: [source, registration, inventory]
    default: [source, registration, inventory]
  facts:
    description:
      - What to find out besides, at the cost of further calls. A fact that can't be read is warned about.
      - V(patch_states) fills C(patchtide_patch_state), 50 nodes a call.
      - V(missing_patches) fills C(patchtide_missing_patches), a further call for every node that misses any.
      - V(next_window) fills C(patchtide_next_window) and C(patchtide_next_window_name), a call for every window.
      - V(patch_information) reads the custom inventory C(Custom:PatchInformation) of C(mi-) nodes for the patch group
        and maintenance window of those that have no such tag, 40 nodes a call.
      - V(cloud_connectors) fills C(patchtide_cloud_connector) of Azure and GCP nodes where the account-Region has just
        one connector for their cloud. It needs botocore 1.44.
    type: list
    elements: str
    choices: [patch_states, missing_patches, next_window, patch_information, cloud_connectors]
    default: []
  stale_ping_minutes:
    description: Minutes without a ping after which a running node is in the group C(stale_ping).
    type: int
    default: 30
  oldest_agent:
    description: Nodes with an older agent are in the group C(old_agent). Empty means that none is too old.
    type: str
    default: 3.0.0.0
  exception_keys:
    description:
      - Keys of the tag that holds a dated exception from patching, C(2026-11-01/2026-11-30); the first one that is set
        counts. It fills C(patchtide_exception) and, if today in UTC is in the period, the group C(exception_in_force).
    type: list
    elements: str
    default: [Patch Exception, PatchException]
  strict_permissions:
    description:
      - What an account-Region means that fails, be it for want of a permission, throttling or an expired token.
      - V(false) warns with its name and the reason. Its nodes are then those of the cache, with C(patchtide_stale) and
        their age in C(patchtide_stale_seconds), or missing if there are none.
      - V(true) fails. The inventory fails in any case if no account-Region answered and the cache knows none.
    type: bool
    default: false
  workers:
    description: How many calls are under way at once, over all account-Regions.
    type: int
    default: 32
"""

EXAMPLES = r"""
# The Region and account of the credentials
plugin: patchtide.hybrid.ssm_fleet

---
# Three accounts through a role, two Regions
plugin: patchtide.hybrid.ssm_fleet
regions: [eu-central-1, us-east-1]
accounts:
  - {id: '111111111111', name: shared, role_arn: 'arn:aws:iam::111111111111:role/patchtide'}
  - {id: '222222222222', name: shop, role_arn: 'arn:aws:iam::222222222222:role/patchtide'}
  - {id: '333333333333', name: plant, role_arn: 'arn:aws:iam::333333333333:role/patchtide', external_id: plant-42}

---
# All enabled European Regions, own groups, connection through Session Manager
plugin: patchtide.hybrid.ssm_fleet
regions: ['eu-*']
keyed_groups:
  - key: patchtide_tags.Application | default('none')
    prefix: app
groups:
  canary: patchtide_tags.Ring | default('') == 'canary'
compose:
  ansible_connection: "'amazon.aws.aws_ssm'"
  ansible_aws_ssm_instance_id: patchtide_node_id
  ansible_aws_ssm_region: patchtide_region
"""

from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ..module_utils._aws.session import HAS_SDK
from ..module_utils._core.errors import PatchtideError
from ..plugin_utils.inventory.hosts import look_up
from ..plugin_utils.inventory.run import FleetRun

# What users of amazon.aws write as templates, most often a lookup of a secret.
TEMPLATED = ("access_key", "secret_key", "session_token", "profile", "endpoint_url", "assume_role_arn", "external_id")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    NAME = "patchtide.hybrid.ssm_fleet"

    def verify_file(self, path: str) -> bool:
        return bool(super().verify_file(path)) and path.endswith(("ssm_fleet.yml", "ssm_fleet.yaml"))

    def get_option(self, option: str, hostvars: Any = None) -> Any:
        value = super().get_option(option, hostvars)
        return self.templar.template(value) if value and option in TEMPLATED else value

    def _compose(self, template: Any, variables: Any, *args: Any, **kwargs: Any) -> Any:
        if not self.get_option("use_extra_vars"):
            found, value = look_up(template, variables)
            if found:
                return value
        return super()._compose(template, variables, *args, **kwargs)

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache=cache)
        if not HAS_SDK:
            raise AnsibleParserError(f"{self.NAME} needs the Python packages boto3 and botocore on the controller")
        self._read_config_data(path)
        try:
            FleetRun(self, path).fill(inventory, fresh=not cache)
        except PatchtideError as error:
            raise AnsibleParserError(f"{self.NAME}: {error}") from error
