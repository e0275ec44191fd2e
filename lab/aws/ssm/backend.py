# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of SSM in one account and Region, hung into moto's backend so that moto's reset clears it too."""

from __future__ import annotations

import importlib
import random
import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from moto.core.resource_tagging import TaggedResource
from moto.ssm import models, urls

from ..estate import NodeSpec
from ..node import Node
from ..simulation import Simulation
from ..world import world
from .operations import Tokens
from .response import SsmResponse

#: The nouns of the API; importing one registers its operations.
NOUNS = (
    "activations",
    "association_executions",
    "associations",
    "automations",
    "baselines",
    "calendars",
    "commands",
    "compliance_items",
    "data_syncs",
    "inventory",
    "managed_nodes",
    "nodes",
    "own_documents",
    "patch_groups",
    "patch_lists",
    "patch_properties",
    "patchstate",
    "service_settings",
    "tags",
    "window_executions",
    "window_targets",
    "window_tasks",
    "windows",
)
for _noun in NOUNS:
    importlib.import_module(f".{_noun}", __package__)


class Place:
    """One account-Region: its machines, their future, and what the SSM API keeps about them."""

    def __init__(self, account: str, region: str) -> None:
        shared = world()
        self.account, self.region = account, region
        self.sim = Simulation(shared.clock.now())
        self.ledger = shared.ledger
        self.chance = random.Random(f"{account}/{region}")
        self.tokens = Tokens()
        self.nodes: dict[str, Node] = {
            spec.node_id: Node(spec, shared.systems[spec.os], self.sim, shared.ledger)
            for spec in shared.estate.nodes_at(account, region)
        }
        for node in self.nodes.values():
            self._may_be_replaced(node)
        self.baselines: dict[str, dict[str, Any]] = {}
        self.default_baselines: dict[str, str] = {}
        self.patch_groups: dict[tuple[str, str], str] = {}
        self.windows: dict[str, Any] = {}
        self.commands: dict[str, Any] = {}
        self.reports: dict[str, Any] = {}
        self.snapshots: dict[tuple[str, str], tuple[datetime, dict[str, Any]]] = {}
        self.tags: dict[tuple[str, str], dict[str, str]] = {}
        #: what further nouns keep, by their name
        self.kept: defaultdict[str, dict[Any, Any]] = defaultdict(dict)

    def _may_be_replaced(self, node: Node) -> None:
        def launch() -> str:
            """An Auto Scaling group launches another instance, as new as its image, with the same tags."""
            return self.launch(node.spec.replacement()).node_id

        node.replace = launch

    def launch(self, spec: NodeSpec) -> Node:
        """Launch an instance: it is pending, runs, and then its agent starts."""
        node = Node(spec, world().systems[spec.os], self.sim, self.ledger)
        node.launch()
        self.nodes[node.node_id] = node
        self._may_be_replaced(node)
        return node

    def join(self, spec: NodeSpec, registered_at: datetime) -> Node:
        """Take in a machine that has registered with an activation, when its agent is heard of."""
        node = Node(spec, world().system(spec.os), self.sim, self.ledger)
        node.registered_at = registered_at
        self.nodes[node.node_id] = node
        return node

    def catch_up(self) -> None:
        """Let everything happen that was due by now."""
        self.sim.run_until(world().clock.now())

    def managed(self) -> list[Node]:
        """The nodes SSM knows, by id: those with an agent that registered once and are not terminated."""
        known = [n for n in self.nodes.values() if n.registered and n.power != "terminated"]
        return sorted(known, key=lambda node: node.node_id)

    def managed_node(self, node_id: str) -> Node | None:
        node = self.nodes.get(node_id)
        return node if node and node.registered and node.power != "terminated" else None

    def hex_id(self, prefix: str, digits: int = 17) -> str:
        """Return a new id such as pb-0123…; the sequence depends on the place alone."""
        return prefix + "".join(self.chance.choices("0123456789abcdef", k=digits))

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def arn(self, resource: str) -> str:
        return f"arn:aws:ssm:{self.region}:{self.account}:{resource}"


class SsmBackend(models.SimpleSystemManagerBackend):
    """moto's backend (documents, parameters) with our place beside it."""

    _url_module = SimpleNamespace(url_bases=urls.url_bases, url_paths={"{0}/$": SsmResponse.dispatch})

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.place = Place(account_id, region_name)

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        """What the Resource Groups Tagging API sees of SSM: moto's documents and parameters, and our resources."""
        yield from super().iter_tagged_resources()
        for node in self.place.managed():
            if node.spec.source != "ec2":
                arn = self.place.arn(f"managed-instance/{node.node_id}")
                yield TaggedResource(arn=arn, tags=dict(node.tags), resource_type="ssm:managed-instance")
        for (kind, resource_id), tags in self.place.tags.items():
            name = {
                "PatchBaseline": "patchbaseline",
                "MaintenanceWindow": "maintenancewindow",
                "Association": "association",
            }.get(kind)
            if name:
                arn = self.place.arn(f"{name}/{resource_id}")
                yield TaggedResource(arn=arn, tags=dict(tags), resource_type=f"ssm:{name}")


def bind() -> None:
    """Put this backend in place of moto's. Call before the first request."""
    models.ssm_backends.backend = SsmBackend


def place_of(account: str, region: str) -> Place:
    backend = models.ssm_backends[account][region]
    assert isinstance(backend, SsmBackend)
    return backend.place
