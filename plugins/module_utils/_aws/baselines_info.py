# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads patch baselines and the baselines of patch groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .._core.change import to_dict
from .baselines import from_api
from .convert import to_plain, to_time
from .errors import aws_errors
from .paging import read_all
from .tags import describe_tags

_AT_ONCE = 8


class BaselineReader:
    """Reads from one account-Region; ``client`` is its SSM client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the baselines that ``names``, ``prefix``, ``owner``, ``operating_systems`` and ``default`` select."""
        filters = [{"Key": "OWNER", "Values": ["AWS" if options["owner"] == "aws" else "Self"]}]
        if options["owner"] == "all":
            filters = []
        if options["prefix"]:
            filters.append({"Key": "NAME_PREFIX", "Values": [options["prefix"]]})
        if options["operating_systems"]:
            filters.append({"Key": "OPERATING_SYSTEM", "Values": options["operating_systems"]})
        rows = self._rows(filters)
        if options["names"] is not None:
            rows = [row for row in rows if {row["BaselineName"], row["BaselineId"]} & set(options["names"])]
        if options["default"] is not None:
            rows = [row for row in rows if bool(row.get("DefaultBaseline")) == options["default"]]
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            return list(pool.map(lambda row: self._whole(row, options["effective_patches"]), rows))

    def _rows(self, filters: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        action, operation = "list patch baselines", "describe_patch_baselines"
        return read_all(self._client, action, operation, "BaselineIdentities", 100, Filters=list(filters))

    def _whole(self, row: Mapping[str, Any], with_patches: bool) -> dict[str, Any]:
        baseline_id = row["BaselineId"]
        own = not baseline_id.startswith("arn:")
        with aws_errors(f"read patch baseline {baseline_id}"):
            data = self._client.get_patch_baseline(BaselineId=baseline_id)
        tags = describe_tags(self._client, "PatchBaseline", baseline_id) if own else {}
        found = to_dict(from_api(data, tags, bool(row.get("DefaultBaseline"))))
        found["owner"] = "self" if own else "aws"
        found |= {"created_at": to_time(data.get("CreatedDate")), "modified_at": to_time(data.get("ModifiedDate"))}
        if with_patches:
            found["effective_patches"] = self._effective(baseline_id) if found["operating_system"] == "WINDOWS" else []
        return found

    def _effective(self, baseline_id: str) -> list[dict[str, Any]]:
        action = f"read the effective patches of {baseline_id}"
        operation = "describe_effective_patches_for_patch_baseline"
        rows = read_all(self._client, action, operation, "EffectivePatches", 100, BaselineId=baseline_id)
        return [{**to_plain(row.get("Patch", {})), **to_plain(row.get("PatchStatus", {}))} for row in rows]


class PatchGroupReader:
    """Reads from one account-Region; ``client`` is its SSM client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return registered groups, and named groups that are not registered; see ``ssm_patch_group_info``."""
        rows = read_all(
            self._client,
            "list patch groups",
            "describe_patch_groups",
            "Mappings",
            100,
            Filters=[{"Key": "NAME_PREFIX", "Values": [options["prefix"]]}] if options["prefix"] else [],
        )
        groups: dict[str, list[dict[str, Any]]] = {name: [] for name in options["names"] or ()}
        for row in rows:
            if options["names"] is None or row["PatchGroup"] in groups:
                groups.setdefault(row["PatchGroup"], []).append(_binding(row["BaselineIdentity"]))
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            return list(pool.map(lambda item: self._whole(item[0], item[1], options), sorted(groups.items())))

    def _whole(self, name: str, bound: list[dict[str, Any]], options: Mapping[str, Any]) -> dict[str, Any]:
        asked = [
            system for system in options["operating_systems"] if system not in {b["operating_system"] for b in bound}
        ]
        fallbacks = [self._fallback(name, system) for system in asked]
        found: dict[str, Any] = {
            "name": name,
            "baselines": sorted(bound + fallbacks, key=lambda item: str(item["operating_system"])),
        }
        if options["state_counts"]:
            with aws_errors(f"read the state of patch group {name}"):
                found["state_counts"] = to_plain(self._client.describe_patch_group_state(PatchGroup=name))
        return found

    def _fallback(self, name: str, system: str) -> dict[str, Any]:
        with aws_errors(f"read the baseline of patch group {name} for {system}"):
            reply = self._client.get_patch_baseline_for_patch_group(PatchGroup=name, OperatingSystem=system)
        default = {"name": "", "description": "", "is_default": True, "is_fallback": True}
        return {"operating_system": system, "baseline_id": reply["BaselineId"], **default}


def _binding(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "operating_system": row.get("OperatingSystem", "WINDOWS"),
        "baseline_id": row["BaselineId"],
        "name": row["BaselineName"],
        "description": row.get("BaselineDescription", ""),
        "is_default": row.get("DefaultBaseline", False),
        "is_fallback": False,
    }
