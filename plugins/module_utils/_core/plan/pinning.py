# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a plan pins what is installed: the lists of its nodes, and nodes that no list can describe. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import BadInput
from ..executors import find
from ..lists.address import to_address
from ..lists.override_list import OverrideList, Row, Shared, make_lists, why_not_listed
from ..lists.per_object import PerObject
from ..lists.pins import BASELINE, EVERYTHING, LIST, WINDOWS_UPDATES, content_open, pin_of
from ..nodes import Candidate
from ..policy.values import Policy
from .wave import patch_count

#: Code of nodes that are excluded because their patches can't be pinned.
NOT_PINNED = "not_pinned"


class Pins:
    """How the policy pins nodes. What it finds about a list of missing patches counts for all nodes that share it.

    :param by_baseline: whether a node may install what the plan does not name, as its baseline or its server says.
    """

    def __init__(self, policy: Policy, *, by_baseline: bool = True) -> None:
        self._policy, self._by_baseline = policy, by_baseline
        self._rows = PerObject(_rows)
        self._why = PerObject(lambda missing, by_title: why_not_listed(self._rows(missing), by_title))
        self._open = PerObject(lambda patches: content_open(patch["id"] for patch in patches))

    def why_not(self, node: Candidate, scan: Mapping[str, Any] | None) -> str:
        """Return why no list can be made for a node that needs one by the policy; "" otherwise."""
        pin = _pin(node, self._policy)
        if not self._by_baseline and pin in (BASELINE, EVERYTHING):
            return "an install on it cannot be limited to the urgent patches (patching.pin, patching.windows_document)"
        if pin not in (LIST, "kb"):
            return ""
        if scan is None:  # a stopped node that would be started
            return "it was not scanned, so no list can name its patches; patching.pin: baseline patches it unpinned"
        missing, count = _missing(scan), patch_count(scan)
        if count and not missing:
            return f"the scan counted {count:,} missing patches and could not name them, so no list can"
        why: str = self._why(missing, node.platform != "windows")
        return why

    def bind(
        self,
        waves: Sequence[Mapping[str, Any]],
        members: Sequence[Sequence[Candidate]],
        records: Mapping[str, Any],
    ) -> list[dict[str, Any]]:
        """Return the plan's lists, and note on each planned node how it is pinned: ``pin``, ``list``, ``content_open``,
        and in ``pending_before`` the patches that waited for a reboot.

        :param waves: the plan's waves; their nodes get the members. :param members: the same nodes as the inventory's.
        :param records: the scan's records by node ID.
        """
        candidates = {node.node_id: node for found in members for node in found}
        listed: list[tuple[str, Shared, Sequence[Row]]] = []
        planned = {node["node_id"]: node for wave in waves for node in wave["nodes"]}
        for node_id, node in planned.items():
            node["pin"] = _pin(candidates[node_id], self._policy)
            if named := self._open(node["patches"]):
                node["content_open"] = list(named)
            scan = records.get(node_id)
            if pending := (scan or {}).get("pending"):
                node["pending_before"] = list(pending)
            if node["pin"] in (LIST, "kb"):
                listed.append((node_id, _shared(candidates[node_id], scan), self._rows(_missing(scan))))
        lists = make_lists(listed)
        for item in lists:
            for node_id in item.nodes:
                planned[node_id]["list"] = item.name
        return [_to_dict(item, self._policy) for item in lists]


def _pin(node: Candidate, policy: Policy) -> str:
    row = find(node.executor)
    everything = policy.patching.windows_document == WINDOWS_UPDATES
    return pin_of(row.pin, node.platform, policy.patching.pin, everything=everything) if row else ""


def _missing(scan: Mapping[str, Any] | None) -> Sequence[Mapping[str, Any]]:
    return (scan or {}).get("missing") or ()


def _rows(missing: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [(str(patch["id"]), str(patch.get("title") or "")) for patch in missing]


def _shared(node: Candidate, scan: Mapping[str, Any] | None) -> Shared:
    return Shared(
        account=node.account,
        region=node.region,
        product=_product(node),
        baseline_id=str(((scan or {}).get("evidence") or {}).get("baseline_id") or ""),
        platform=node.platform,
    )


def _product(node: Candidate) -> str:
    """Return the operating system with its major version, or release for Ubuntu: ``SLES 15``, ``Ubuntu 22.04``."""
    parts = node.os_version.split(".")
    major = ".".join(parts[:2]) if "ubuntu" in node.os.lower() else parts[0]
    return " ".join(part for part in (node.os, major) if part)


def _to_dict(item: OverrideList, policy: Policy) -> dict[str, Any]:
    shared, bucket = item.shared, policy.patching.buckets.get(item.shared.region)
    return {
        "name": item.name,
        "label": shared.label,
        "account": shared.account,
        "region": shared.region,
        "product": shared.product,
        "baseline_id": shared.baseline_id,
        "platform": shared.platform,
        "address": to_address(bucket, policy.patching.list_url, item.name),
        "nodes": len(item.nodes),
        "patches": [{"id": patch_id, "title": title} for patch_id, title in item.rows],
    }


def check_lists(lists: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a plan whose lists have no bucket: a missing bucket must not lead to unpinned patching.

    :raises BadInput: names the Regions.
    """
    lacking = sorted({item["region"] for item in lists if not item["address"]})
    if lacking:
        raise BadInput(
            "patching.buckets",
            None,
            f"a bucket for the lists of {', '.join(lacking)}, or list_url, or pin: baseline, with which the baseline "
            "decides on the night what is installed",
        )


def pin_warnings(
    policy: Policy, lists: Sequence[Mapping[str, Any]], waves: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Yield a sentence for everything that weakens a pinned plan."""
    if lists and policy.patching.list_url:
        yield (
            f"The lists are read from {policy.patching.list_url} without credentials: whoever can write there decides "
            "what is installed, and everybody who reaches it can read what is missing on the nodes."
        )
    if count := sum(node.get("pin") == EVERYTHING for wave in waves for node in wave["nodes"]):
        yield (
            f"{count:,} Windows nodes install whatever their update server offers (patching.windows_document): what is "
            "planned for them is what their last scan missed, and neither a baseline nor a list limits the install."
        )
    if policy.patching.pin == LIST:
        for window in policy.windows:
            for task in window.tasks:
                if task.operation == "Install":
                    yield f"Task {task.name} of window {window.name} installs by the baseline alone, without a list."
