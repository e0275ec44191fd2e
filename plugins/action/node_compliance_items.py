# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the state of nodes to Systems Manager; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._ansible.spec import PLACES
from ..module_utils._aws.node_items import SsmNodeItems
from ..module_utils._aws.session import each_place
from ..module_utils._core.errors import ServiceError
from ..module_utils._core.failed_places import failed_place, failed_text
from ..module_utils._core.model import Place, place_label
from ..module_utils._core.nodes import Candidate
from ..module_utils._core.policy.values import to_policy
from ..module_utils._core.report.node_items import NodeItemsPort, content_of, different, items_of, open_findings
from ..module_utils._core.ssm.inventory import ComplianceItem, check_items
from ..module_utils._core.stamp import from_time
from ..module_utils._core.text import plain
from ..plugin_utils.aws_options import accounts_of, aws_spec, node_places, to_sessions
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.inventory.nodes import candidates
from ..plugin_utils.rollout.guards import read_guard
from ..plugin_utils.scan_file import read_scan
from ..plugin_utils.vulnerability.findings_file import NAME, stored_findings

_AT_ONCE = 8
Items = dict[str, tuple[ComplianceItem, ...]]


class ActionModule(ControllerAction):
    """One task for all nodes. Only nodes that Systems Manager can know have items: others are no resource of it."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "policy": {"type": "dict", "required": True},
        "compliance_type": {"type": "str", "default": "Custom:Patchtide"},
        "accounts": PLACES["accounts"],
        "on_place_error": PLACES["on_place_error"],
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        folder, kind = Path(options["dir"]), options["compliance_type"]
        check_items(kind, ())
        scan = read_scan(folder / "scan.json")
        nodes = [
            node for node in candidates(task_vars) if node.in_aws and node.managed and node.node_id in scan["nodes"]
        ]
        wanted = _wanted(nodes, scan, folder, options)
        at, sessions = from_time(scan["at"]), to_sessions(options)
        written: dict[str, list[str]] = {}
        refused: dict[str, str] = {}

        def work(place: Place) -> None:
            mine = {node.node_id: wanted[node.node_id] for node in nodes if _label(node) == place.label}
            port = SsmNodeItems(sessions.client("ssm", place), kind, at)
            names = different(mine, port.known())
            no_nodes = {} if self.check_mode else _put(port, {name: mine[name] for name in names})
            refused.update(no_nodes)
            written[place.label] = [name for name in names if name not in no_nodes]

        places = node_places([(node.account, node.region) for node in nodes], accounts_of(options))
        failed = [
            failed_place(place.label, error.to_dict()) for place, _none, error in each_place(places, work) if error
        ]
        done = sorted(name for names in written.values() for name in names)
        verb = "would get" if self.check_mode else "got"
        self.say(f"{len(done):,} of {len(nodes):,} nodes {verb} other items of {kind}")
        for name, why in sorted(refused.items()):
            self.say(f"{name} has no items: {plain(why)}")
        result = {
            "changed": bool(done),
            "nodes": done,
            "unchanged": len(nodes) - len(done) - len(refused),
            "refused": [{"node_id": name, "text": plain(why)} for name, why in sorted(refused.items())],
            "failed_places": failed,
        }
        if failed and options["on_place_error"] == "fail":
            result |= {"failed": True, "msg": failed_text(len(places), failed)}
        return result


def _wanted(nodes: Sequence[Candidate], scan: Mapping[str, Any], folder: Path, options: Mapping[str, Any]) -> Items:
    """Return the items that each node shall have."""
    now = find_clock().now()
    exception = read_guard(to_policy(options["policy"]).exceptions, options).during(now, now + timedelta(minutes=1))
    path = folder / NAME
    found = open_findings(stored_findings(path, "dir", {})) if path.exists() else None
    return {
        node.node_id: items_of(
            scan["nodes"][node.node_id],
            exception(node),
            None if found is None else found.get(node.node_id, {}),
        )
        for node in nodes
    }


def _label(node: Candidate) -> str:
    return place_label(node.account, node.region)


def _put(port: NodeItemsPort, wanted: Items) -> dict[str, str]:
    """Write the items of nodes; return those that the service does not know, with its words.

    :raises ServiceError: the service refuses another request.
    """

    def put(node: str) -> str:
        try:
            port.put(node, wanted[node], content_of(wanted[node]))
        except ServiceError as error:
            if error.code != "InvalidResourceId":
                raise
            return str(error)
        return ""

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        answers = zip(wanted, pool.map(put, wanted), strict=True)
        return {node: why for node, why in answers if why}
