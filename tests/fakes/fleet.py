# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cloud in memory for the inventory: places with nodes, pages of any size, errors where a test wants them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import yaml
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible_collections.patchtide.hybrid.plugins.doc_fragments import fleet
from ansible_collections.patchtide.hybrid.plugins.inventory import ssm_fleet
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.run import FleetRun
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.sources import ASKED, aws_source
from botocore.exceptions import ClientError

try:
    from ansible.template import trust_as_template
except ImportError:  # before ansible-core 2.19 all text is trusted that is not marked as unsafe

    def trust_as_template(value: str) -> str:
        return value


Row = dict[str, Any]


def managed(node_id: str, **members: Any) -> Row:
    """A row of DescribeInstanceProperties."""
    row = {"InstanceId": node_id, "PingStatus": "Online", "PlatformType": "Linux", "PlatformName": "Amazon Linux"}
    kind = "ManagedInstance" if node_id.startswith("mi-") else "EC2Instance"
    return {**row, "PlatformVersion": "2023", "AgentVersion": "3.3.1611.0", "ResourceType": kind, **members}


def instance(node_id: str, state: str = "running", tags: dict[str, str] | None = None, **members: Any) -> Row:
    """An instance of DescribeInstances."""
    rows = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    return {"InstanceId": node_id, "State": {"Name": state}, "Tags": rows, **members}


@dataclass
class FakePlace:
    """What one account has in one Region."""

    managed: list[Row] = field(default_factory=list)
    instances: list[Row] = field(default_factory=list)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    patch_states: list[Row] = field(default_factory=list)
    patches: dict[str, list[Row]] = field(default_factory=dict)
    windows: list[Row] = field(default_factory=list)
    targets: dict[str, list[Row]] = field(default_factory=dict)
    entities: list[Row] = field(default_factory=list)
    connectors: list[Row] = field(default_factory=list)


class FakeCloud:
    """All places, by label; stands in for ``Sessions.client``."""

    def __init__(self, page: int = 1000) -> None:
        self.page = page
        self.places: dict[str, FakePlace] = {}
        self.errors: dict[tuple[str, str], str] = {}
        self.calls: Counter[str] = Counter()
        self.requests: list[tuple[str, Row]] = []

    def at(self, label: str) -> FakePlace:
        return self.places.setdefault(label, FakePlace())

    def client(self, _service: str, place: Place) -> FakeClient:
        return FakeClient(self, place)


class FakeClient:
    """Every call the inventory makes. An operation it does not know is an AttributeError."""

    def __init__(self, cloud: FakeCloud, place: Place) -> None:
        self._cloud = cloud
        self._place = place
        self.meta = SimpleNamespace(events=SimpleNamespace(register=lambda *args, **kwargs: None))

    def describe_instance_properties(self, **request: Any) -> Row:
        return self._managed("describe_instance_properties", "FiltersWithOperator", "InstanceProperties", request)

    def describe_instance_information(self, **request: Any) -> Row:
        return self._managed("describe_instance_information", "Filters", "InstanceInformationList", request)

    def _managed(self, operation: str, filters: str, member: str, request: Row) -> Row:
        rows = self._asked(operation, request).managed
        for item in request.get(filters, ()):
            key = {"InstanceIds": "InstanceId", "PlatformTypes": "PlatformType"}.get(item["Key"], item["Key"])
            rows = [row for row in rows if row.get(key) in item["Values"]]
        return self._page(member, rows, request)

    def describe_instances(self, **request: Any) -> Row:
        rows = self._asked("describe_instances", request).instances
        return self._page("Reservations", [{"Instances": [row]} for row in rows], request)

    def get_resources(self, **request: Any) -> Row:
        known = self._asked("get_resources", request).tags
        found = [(arn, known.get(arn.rpartition("/")[2])) for arn in request["ResourceARNList"]]
        rows = [{"ResourceARN": arn, "Tags": _pairs(tags)} for arn, tags in found if tags]
        return {"ResourceTagMappingList": rows, "PaginationToken": ""}

    def describe_instance_patch_states(self, **request: Any) -> Row:
        rows = self._asked("describe_instance_patch_states", request).patch_states
        return self._page(
            "InstancePatchStates", [r for r in rows if r["InstanceId"] in request["InstanceIds"]], request
        )

    def describe_instance_patches(self, **request: Any) -> Row:
        return self._page(
            "Patches", self._asked("describe_instance_patches", request).patches.get(request["InstanceId"], []), request
        )

    def describe_maintenance_windows(self, **request: Any) -> Row:
        rows = self._asked("describe_maintenance_windows", request).windows
        return self._page("WindowIdentities", rows, request)

    def describe_maintenance_window_targets(self, **request: Any) -> Row:
        rows = self._asked("describe_maintenance_window_targets", request).targets.get(request["WindowId"], [])
        return self._page("Targets", rows, request)

    def get_inventory(self, **request: Any) -> Row:
        return self._page("Entities", self._asked("get_inventory", request).entities, request)

    def list_cloud_connectors(self, **request: Any) -> Row:
        return self._page("CloudConnectors", self._asked("list_cloud_connectors", request).connectors, request)

    def get_caller_identity(self) -> Row:
        self._asked("get_caller_identity", {})
        return {"Account": "111111111111", "Arn": "arn:aws:iam::111111111111:user/test"}

    def describe_regions(self, **request: Any) -> Row:
        self._asked("describe_regions", request)
        return {"Regions": [{"RegionName": name} for name in ("eu-central-1", "eu-west-1", "us-east-1")]}

    def _asked(self, operation: str, request: Row) -> FakePlace:
        cloud, place = self._cloud, self._place
        cloud.calls[operation] += 1
        cloud.requests.append((operation, request))
        if code := cloud.errors.get((place.label, operation)):
            raise ClientError({"Error": {"Code": code, "Message": "the test wants it"}}, operation)
        return cloud.at(place.label)

    def _page(self, member: str, rows: list[Row], request: Row) -> Row:
        begin = int(request.get("NextToken", "0"))
        end = begin + min(self._cloud.page, request.get("MaxResults", 10))
        return {member: rows[begin:end], **({"NextToken": str(end)} if end < len(rows) else {})}


class FakePlugin(ssm_fleet.InventoryModule):  # type: ignore[misc]  # Ansible's class is untyped
    """The real plugin with its options given by a test; the defaults are those it documents."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        shared = yaml.safe_load(fleet.ModuleDocFragment.DOCUMENTATION)["options"]
        documented = {**shared, **yaml.safe_load(ssm_fleet.DOCUMENTATION)["options"]}
        constructed = {"compose": {}, "groups": {}, "keyed_groups": [], "strict": False, "use_extra_vars": False}
        cache = {"cache": False, "cache_plugin": "memory", "cache_timeout": 3600, "leading_separator": True}
        others = ("cache_connection", "cache_prefix", "profile", "access_key", "secret_key", "session_token")
        unset = dict.fromkeys((*others, "endpoint_url", "assume_role_arn", "region"))
        defaults = {name: item.get("default") for name, item in documented.items()}
        own = {name: trusted(value) for name, value in options.items()}
        self.given = {**constructed, **cache, **unset, **defaults, "regions": ["eu-central-1"], **own}
        self.warnings: list[str] = []
        self.display = SimpleNamespace(warning=self.warnings.append)

    def get_option(self, option: str, hostvars: Any = None) -> Any:
        return self.given[option]

    def get_cache_key(self, path: str) -> str:
        return f"key-{path}"


def fill(plugin: FakePlugin, inventory: InventoryData | None = None, fresh: bool = False) -> InventoryData:
    """Run the inventory as Ansible does, without its plugin loader; return the inventory."""
    inventory = inventory or InventoryData()
    BaseInventoryPlugin.parse(plugin, inventory, DataLoader(), "test.ssm_fleet.yml")
    FleetRun(plugin, "test.ssm_fleet.yml", ASKED, aws_source).fill(inventory, fresh=fresh)
    inventory.reconcile_inventory()
    return inventory


def members(inventory: InventoryData, group: str) -> list[str]:
    """Return the hosts of a group by name."""
    return sorted(host.name for host in inventory.groups[group].hosts)


def trusted(value: Any) -> Any:
    """Return a user's option as Ansible loads it from a file: its text may be a template."""
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


def _pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
