# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: ssm_fleet
short_description: Managed nodes of AWS Systems Manager and EC2 instances of many accounts and Regions
version_added: 0.1.0
author:
  - The patchtide.hybrid contributors (@patchtide)
description:
  - Lists the nodes that Systems Manager manages (C(i-) on EC2, C(mi-) elsewhere) and the EC2 instances that it does not
    manage, in all given accounts and Regions concurrently.
  - Host variables begin with C(patchtide_) and are the same for every node. See the guide for a list.
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
  - patchtide.hybrid.fleet
options:
  plugin:
    description: Name of the plugin. Identifies the file as a source for this plugin.
    type: str
    required: true
    choices: [patchtide.hybrid.ssm_fleet]
  source:
    description:
      - V(api) queries the services. V(resource_data_sync) reads the bucket O(bucket) of a Resource Data Sync, which
        suits very large fleets and needs no permissions in the accounts.
      - The bucket contains no EC2 data, so unmanaged instances and EC2 attributes are missing. Its data is as old as
        the last inventory of each node. One object per node and inventory type is fetched.
      - With V(resource_data_sync), O(accounts) (by number) and O(regions) (by name) limit the data that is read, and
        O(assume_role_arn) is the role that reads the bucket.
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
    description: Region of the bucket. Defaults to O(region).
    type: str
  accounts:
    description:
      - Accounts to query. Each entry is an account number, a role ARN, or a dictionary with C(id), C(name), C(role_arn)
        and C(external_id).
      - For an entry without a role ARN, the role O(role_name) is assumed, or the given credentials are used if
        O(role_name) is not set.
      - Defaults to the account of the credentials.
    type: list
    elements: raw
    default: []
  role_name:
    description:
      - Name of the role, including its path, for accounts without C(role_arn).
      - V({account_id}) and V({account_name}) are replaced.
    type: str
  external_id:
    description: External ID for accounts without C(external_id).
    type: str
  session_name:
    description: Name of the role sessions, which appears in CloudTrail.
    type: str
    default: patchtide-inventory
  regions:
    description:
      - Regions to query, by name or pattern (V(eu-*)). V(all) and patterns match the Regions that are enabled in each
        account, which requires C(ec2:DescribeRegions).
      - Defaults to O(region) or the Region of the profile.
    type: list
    elements: str
    default: []
  exclude_regions:
    description: Regions to exclude, by name or pattern.
    type: list
    elements: str
    default: []
  instances:
    description:
      - Whether to query EC2 (C(ec2:DescribeInstances)) for instances that Systems Manager does not manage and for the
        state and tags of managed instances.
    type: bool
    default: true
  tags:
    description:
      - Whether to read the tags of nodes that EC2 does not list from the Resource Groups Tagging API
        (C(tag:GetResources)), 100 nodes per call.
    type: bool
    default: true
  organizations:
    description:
      - Reads the accounts from AWS Organizations instead of O(accounts). An empty dictionary selects all active
        accounts of the organization.
      - O(role_name) is assumed in each account except the account of the credentials.
    type: dict
    suboptions:
      units:
        description: Organizational units or roots whose accounts to query, including all units below them.
        type: list
        elements: str
      exclude_units:
        description: Organizational units to exclude, including all units below them.
        type: list
        elements: str
      exclude_accounts:
        description: Accounts to exclude, by number or name.
        type: list
        elements: str
      role_arn:
        description: Role to assume for querying Organizations, in the management account or in the account of a
          delegated administrator.
        type: str
      external_id:
        description: External ID of that role.
        type: str
  filters:
    description:
      - Includes only nodes that have, for every key, one of the given values. C(*) and C(?) are wildcards.
      - Keys are host variables without the prefix C(patchtide_), such as C(platform), C(ping_status), C(patch_group),
        C(state), C(resource_type), C(managed), and C(tags), a dictionary of tag keys to values.
      - C(node_id), C(ping_status), C(agent_version), C(resource_type), with O(instances=false) C(platform), and C(tags)
        of EC2 instances are filtered by the services, all other keys by the plugin.
    type: dict
    default: {}
  hostnames:
    description:
      - Preferences for host names. Each is a host variable without the prefix C(patchtide_), or V(tag:) and the key of
        a tag. The first value that is set and unique is used, otherwise the node id.
      - Characters with a special meaning in host patterns are replaced by a hyphen.
    type: list
    elements: str
    default: [node_id]
  merge:
    description:
      - Rules for merging entries of the same machine into one host. An empty list disables merging.
      - V(source) merges nodes with the same C(source_id), and a node whose C(source_id) is the id of another node.
      - V(registration) merges C(mi-) nodes of an account and Region with the same computer name and address, if at most
        one of them is online.
      - V(inventory) merges nodes with hosts of earlier inventory sources that have the same C(patchtide_node_id),
        C(patchtide_source_id) or C(vmid). Variables that those sources set are kept.
    type: list
    elements: str
    choices: [source, registration, inventory]
    default: [source, registration, inventory]
  facts:
    description:
      - Additional facts to collect, at the cost of further calls. If a fact cannot be read, a warning is displayed.
      - V(patch_states) sets C(patchtide_patch_state), 50 nodes per call.
      - V(missing_patches) sets C(patchtide_missing_patches), one call for every node with missing patches.
      - V(next_window) sets C(patchtide_next_window) and C(patchtide_next_window_name), one call per maintenance window.
      - V(patch_information) reads the patch group and maintenance window of untagged C(mi-) nodes from the custom
        inventory C(Custom:PatchInformation), 40 nodes per call.
      - V(cloud_connectors) sets C(patchtide_cloud_connector) of Azure and GCP nodes if the account-Region has exactly
        one connector for their cloud. Requires botocore 1.44.
    type: list
    elements: str
    choices: [patch_states, missing_patches, next_window, patch_information, cloud_connectors]
    default: []
  oldest_agent:
    description: Nodes with an older agent are added to the group C(old_agent). If empty, the version is not checked.
    type: str
    default: 3.0.0.0
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

from ..module_utils._aws.session import HAS_SDK
from ..plugin_utils.inventory.plugin import FleetPlugin
from ..plugin_utils.inventory.run import MakeSource
from ..plugin_utils.inventory.sources import ASKED, aws_source


class InventoryModule(FleetPlugin):
    NAME = "patchtide.hybrid.ssm_fleet"
    TEMPLATED = (
        "access_key", "secret_key", "session_token", "profile", "endpoint_url", "assume_role_arn", "external_id",
    )  # fmt: skip
    ASKED = ASKED

    def source(self) -> MakeSource:
        return aws_source

    def lacks(self) -> str:
        return "" if HAS_SDK else "pip install boto3 botocore"
