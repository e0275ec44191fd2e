# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a chosen window is written: tags of EC2 and SSM, and a file of its own for hosts of inventory files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...module_utils._aws.node_tags import AwsNodeTags
from ...module_utils._aws.session import Sessions, each_place
from ...module_utils._core.accounts import Account
from ...module_utils._core.errors import BadInput, PatchtideError
from ...module_utils._core.model import Place
from ...module_utils._core.nodes import PREFIX, Candidate
from ...module_utils._core.owners.window_choices import SCHEMA, ChoiceRecord
from ..aws_options import node_places
from ..files import read_json, write_text

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
    """Writes the windows of nodes.

    :param key: of the tag. :param inventory: directory of the inventory, for hosts that are on no cloud.
    """

    key: str
    sessions: Sessions
    accounts: Sequence[Account]
    inventory: Path | None

    def check(self, nodes: Sequence[Candidate]) -> None:
        """:raises BadInput: a host's window can be written nowhere. Nothing was written yet."""
        for node in nodes:
            if _on_aws(node):
                continue
            if self.inventory is None:
                raise BadInput("inventory_dir", None, f"the directory of the inventory, for the host {node.host}")
            self._file(self.inventory, node.host)

    def write(self, nodes: Sequence[Candidate], values: Mapping[str, str]) -> dict[str, str]:
        """Write each node's window, or remove it where the value is empty; return by node what failed."""
        problems: dict[str, str] = {}
        on_aws = [node for node in nodes if node.node_id in values and _on_aws(node)]

        def work(place: Place) -> dict[str, str]:
            port, label = AwsNodeTags(place, self.sessions), place.label
            failed: dict[str, str] = {}
            for value in sorted({values[node.node_id] for node in on_aws}):
                ids = [
                    node.node_id
                    for node in on_aws
                    if values[node.node_id] == value and f"{node.account}/{node.region}" == label
                ]
                if ids:
                    failed |= port.put(ids, self.key, value) if value else port.drop(ids, self.key)
            return failed

        places = node_places([(node.account, node.region) for node in on_aws], self.accounts)
        for place, failed, error in each_place(places, work) if places else []:
            if error:
                ids = [node.node_id for node in on_aws if f"{node.account}/{node.region}" == place.label]
                problems |= dict.fromkeys(ids, str(error))
            problems |= failed or {}
        for node in nodes:
            if node.node_id in values and not _on_aws(node) and self.inventory:
                try:
                    self._put_file(self.inventory, node.host, values[node.node_id])
                except (OSError, PatchtideError) as error:
                    problems[node.node_id] = str(error)
        return problems

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


def _on_aws(node: Candidate) -> bool:
    return bool(node.node_id.startswith(("i-", "mi-")) and node.account and node.region)
