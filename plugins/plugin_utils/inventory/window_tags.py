# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a chosen window is written: tags of EC2, SSM and Azure, and a file of its own for hosts of inventory files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ...module_utils._aws.session import each_place
from ...module_utils._core.accounts import Account
from ...module_utils._core.errors import BadInput, PatchtideError
from ...module_utils._core.model import place_label
from ...module_utils._core.nodes import PREFIX, Candidate
from ...module_utils._core.owners.window_choices import SCHEMA, ChoiceRecord, with_window
from ...module_utils._core.prepare.ports import TagPort
from ..aws_options import node_places
from ..files import read_json, write_text
from ..prepare.places import Clouds

T = TypeVar("T")

_FILE = "patchtide_window.yml"


@dataclass(frozen=True, slots=True)
class ChoiceLedger:
    """The choices of owners, a JSON file."""

    path: Path

    def read(self) -> list[ChoiceRecord]:
        """:raises BadInput: the file is something else."""
        if not self.path.exists():
            return []
        data = read_json(self.path, "ledger")
        rows = data.get("choices") if isinstance(data, Mapping) and data.get("schema") == SCHEMA else None
        if not isinstance(rows, list):
            raise BadInput("ledger", str(self.path), f"a file of the schema {SCHEMA}")
        return [ChoiceRecord.from_dict(row, f"{self.path.name}: choices[{index}]") for index, row in enumerate(rows)]

    def write(self, records: Sequence[ChoiceRecord]) -> None:
        """Replace the file."""
        rows = [item.to_dict() for item in records]
        write_text(self.path, json.dumps({"schema": SCHEMA, "choices": rows}, indent=1, ensure_ascii=False) + "\n")


@dataclass(frozen=True, slots=True)
class WindowTags:
    """Reads and writes the windows of nodes.

    :param key: of the tag. :param inventory: directory of the inventory, for hosts that are in no cloud.
    """

    key: str
    clouds: Clouds
    accounts: Sequence[Account]
    inventory: Path | None

    def as_now(self, nodes: Sequence[Candidate]) -> tuple[list[Candidate], dict[str, str]]:
        """Return the nodes with the tags that they have now, and by node why its tag could not be read.

        Inventories may be old: Resource Graph is behind the machines (ansible-collections/azure issue 1994), and
        inventory plugins have a cache.
        """
        answers, unread = self._at_places(nodes, lambda port, some: port.tags([x.node_id for x in some], self.key))
        found = {node_id: window for answer in answers for node_id, window in answer.items()}
        return [
            with_window(node, found.get(node.node_id, ""), self.key) if _in_cloud(node) else node
            for node in nodes
            if node.node_id not in unread
        ], unread

    def check(self, nodes: Sequence[Candidate]) -> None:
        """:raises BadInput: a host's window can be written nowhere. Nothing was written yet."""
        for node in nodes:
            if _in_cloud(node):
                continue
            if self.inventory is None:
                raise BadInput("inventory_dir", None, f"the directory of the inventory, for the host {node.host}")
            self._file(self.inventory, node.host)

    def write(self, nodes: Sequence[Candidate], values: Mapping[str, str]) -> dict[str, str]:
        """Write each node's window, or remove it where the value is empty; return by node what failed."""
        wanted = [node for node in nodes if node.node_id in values]

        def put(port: TagPort, some: Sequence[Candidate]) -> dict[str, str]:
            failed: dict[str, str] = {}
            for value in sorted({values[node.node_id] for node in some}):
                ids = [node.node_id for node in some if values[node.node_id] == value]
                failed |= port.put(ids, self.key, value) if value else port.drop(ids, self.key)
            return failed

        answers, problems = self._at_places(wanted, put)
        for answer in answers:
            problems |= answer
        for node in wanted:
            if not _in_cloud(node) and self.inventory:
                try:
                    self._put_file(self.inventory, node.host, values[node.node_id])
                except (OSError, PatchtideError) as error:
                    problems[node.node_id] = str(error)
        return problems

    def _at_places(
        self, nodes: Sequence[Candidate], work: Callable[[TagPort, Sequence[Candidate]], T]
    ) -> tuple[list[T], dict[str, str]]:
        """Call the tags of every place with nodes concurrently; return the answers, and the failures by node."""
        members: dict[str, list[Candidate]] = {}
        for node in filter(_in_cloud, nodes):
            members.setdefault(place_label(node.account, node.region), []).append(node)
        places = node_places([(some[0].account, some[0].region) for some in members.values()], self.accounts)
        outcomes = each_place(
            places,
            lambda place: work(
                self.clouds.ports(place, azure=members[place.label][0].in_azure).tags, members[place.label]
            ),
        )
        failed = {
            node.node_id: str(error) for place, _done, error in outcomes if error for node in members[place.label]
        }
        return [answer for _place, answer, error in outcomes if not error and answer is not None], failed

    def _file(self, inventory: Path, host: str) -> Path:
        """Return the file of a host's window. Ansible reads a directory of that name instead of a file beside it."""
        folder = inventory / "host_vars" / host
        if Path(host).name != host or host in (".", ".."):
            raise BadInput("nodes", host, "a host whose name can be that of a directory")
        beside = [folder.with_name(f"{host}{end}") for end in (".yml", ".yaml", ".json")]
        if not folder.is_dir() and (there := [path for path in (folder, *beside) if path.is_file()]):
            expected = f"a directory {folder} with this file in it, so that both count"
            raise BadInput("inventory_dir", str(there[0]), expected)
        return folder / _FILE

    def _put_file(self, inventory: Path, host: str, window: str) -> None:
        path = self._file(inventory, host)
        if not window:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        note = "# Chosen by its owner; see the ledger of choices."
        write_text(path, f"---\n{note}\n{PREFIX}maintenance_window: {json.dumps(window)}\n")


def _in_cloud(node: Candidate) -> bool:
    return node.in_aws or node.in_azure
