# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the repositories of the play's Linux host with the expected ones, and corrects them.

See the module of the same name for the documentation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock, is_rehearsal
from ..module_utils._core.azure_ids import node_key
from ..module_utils._core.nodes import PREFIX
from ..module_utils._core.stamp import to_time
from ..module_utils._core.work.packages.listing import PackageRules
from ..module_utils._core.work.repositories.drift import Drift, HostRepositories, drifts, read_host
from ..module_utils._core.work.repositories.expected import (
    ExpectedRepository,
    RepositoryRules,
    check_closed,
    to_expected,
)
from ..module_utils._core.work.repositories.repair import repaired
from ..module_utils._core.work.repositories.script import KEPT, read_script, write_script
from ..module_utils._core.work.repositories.trend import (
    CORRECTED,
    FINE,
    FOUND,
    ONCE,
    PERMANENT,
    incidents,
    proposal,
    to_record,
)
from ..plugin_utils.executors.direct import DirectAction
from ..plugin_utils.inventory.nodes import candidate_of
from ..plugin_utils.line_file import LineFile

_RULES = RepositoryRules()


class ActionModule(DirectAction):
    """Reads the host's files, computes their new text on the controller, and writes what differs."""

    SPEC: ClassVar[dict[str, Any]] = {
        "repositories": {"type": "list", "elements": "dict", "required": True},
        "wave": {"type": "str", "default": ""},
        "closed": {"type": "list", "elements": "str", "default": []},
        "repair": {"type": "str", "choices": ["none", ONCE, PERMANENT, "by_trend"], "default": "none"},
        "history_file": {"type": "path"},
        "trend_days": {"type": "int", "default": _RULES.trend_days},
        "permanent_after": {"type": "int", "default": _RULES.permanent_after},
        "lock_timeout": {"type": "int", "default": 300},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        clock = find_clock()
        now = clock.now()
        host_name = str(task_vars["inventory_hostname"])
        node = {"host": host_name, "node_id": node_key(str(task_vars.get(f"{PREFIX}node_id") or host_name))}
        expected, closed = self._expected(options, task_vars, node), options["closed"]
        for mistake in check_closed(closed, "closed"):
            raise mistake
        packages = PackageRules(lock_seconds=options["lock_timeout"])
        host = read_host(self.shell(read_script(packages, closed)))
        seen = None if is_rehearsal() else now
        found = drifts(host, expected, seen)
        history = LineFile(Path(options["history_file"]), "linux_repositories") if options["history_file"] else None
        records = history.read() if history else []
        at = to_time(now)
        new = [*records, *([to_record(node["node_id"], FOUND, at, found)] if found else [])]
        count = incidents(new, node["node_id"], now, options["trend_days"])
        proposed = proposal(count, options["permanent_after"]) if found else ""
        repair = {"none": "", "by_trend": proposed}.get(options["repair"], options["repair"])
        files = repaired(host, expected, found, permanent=repair == PERMANENT) if repair else {}
        left = found
        if files and not self.check_mode:
            after = read_host(self.shell(write_script(files, at.replace(":", ""), packages, closed)))
            left = drifts(after, expected, seen)
        if history and not self.check_mode:
            history.append(_news(records, node["node_id"], at, found, left, repair if files else ""))
        return {
            "changed": bool(files),
            "differences": [item.to_dict() for item in found],
            "remaining": [item.to_dict() for item in ([] if self.check_mode and files else left)],
            "proposal": proposed,
            "incidents": count,
            "repair": repair if files else "",
            "files": sorted(files),
            "kept_in": f"{KEPT}/{at.replace(':', '')}"
            if files and any(host.text(path) is not None for path in files)
            else "",
            **({"diff": _diff(host, files)} if self.diff_mode else {}),
            **_failure(left if files and not self.check_mode else ()),
        }

    def _expected(
        self, options: Mapping[str, Any], task_vars: Mapping[str, Any], node: Mapping[str, str]
    ) -> tuple[ExpectedRepository, ...]:
        candidate = candidate_of(task_vars, node, "")
        rules = RepositoryRules(expected=to_expected(options["repositories"], "repositories"))
        return rules.of(candidate, options["wave"]) if candidate else ()


def _news(
    records: Sequence[Mapping[str, Any]], node: str, at: str, found: Sequence[Drift], left: Sequence[Drift], repair: str
) -> list[dict[str, Any]]:
    """Return the records to add: nothing if nothing is new."""
    last: Mapping[str, Any] = next((item for item in reversed(records) if item.get("node_id") == node), {})
    news = [to_record(node, FOUND, at, found)] if found else []
    if news and last.get("state") == FOUND and last.get("differences") == news[0]["differences"]:
        news = []
    if repair and not left:
        news.append(to_record(node, CORRECTED, at, (), repair))
    elif not found and last.get("state") == FOUND:
        news.append(to_record(node, FINE, at, ()))
    return news


def _diff(host: HostRepositories, files: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {
            "before_header": path,
            "after_header": path,
            "before": (host.text(path) or "").encode("utf-8", "replace").decode(),
            "after": text.encode("utf-8", "replace").decode(),
        }
        for path, text in sorted(files.items())
    ]


def _failure(left: Sequence[Drift]) -> dict[str, Any]:
    if not left:
        return {}
    text = "; ".join(f"{item.repository}: {item.text}" if item.repository else item.text for item in left[:5])
    return {"failed": True, "msg": f"its repositories are not as expected after the repair: {text}"}
