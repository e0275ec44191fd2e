# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that work in subscriptions of Azure: one result of many subscriptions.

The doc fragment ``azure`` describes it for users.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from ansible.module_utils.basic import AnsibleModule

from .._azure.arm import Arm
from .._azure.credentials import Credentials
from .._azure.places import Subscription, find_subscriptions, to_subscriptions
from .._azure.tag_audit import TagAudit
from .._azure.tenants import Tenants
from .._core.errors import PatchtideError
from .._core.fleet.tag_export import to_export
from .._core.policy.required_tags import to_tag_rules
from .azure_spec import to_login

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Told:
    """What the work in one subscription came to: a result or an error."""

    subscription: Subscription
    result: Any = None
    error: PatchtideError | None = None


def each_subscription(module: AnsibleModule, work: Callable[[Arm, Subscription], T]) -> list[Told]:
    """Run ``work`` in every subscription concurrently; one that fails does not affect the others."""
    login = to_login(module.params)
    credentials = Credentials(login)
    wanted = to_subscriptions("subscriptions", module.params["subscriptions"], credentials.subscription())
    arm = Tenants(login, credentials).of_tenant

    def one(found: Subscription) -> Told:
        if found.error:
            return Told(found, error=found.error)
        try:
            return Told(found, work(arm(found.tenant), found))
        except PatchtideError as error:
            return Told(found, error=error)

    places = find_subscriptions(arm, wanted)
    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(one, places))


def run_tag_audit(module: AnsibleModule) -> NoReturn:
    """Carry out C(azure_vm_tags)."""
    params = module.params
    try:
        audit = TagAudit(
            rules=to_tag_rules("required_tags", params["required_tags"]),
            resource_groups=params["resource_groups"],
            include_arc=params["include_arc"],
            write=params["mode"] == "ensure",
            respell=params["respell"],
            predict=module.check_mode,
        )
        if params["export_path"]:
            to_export(params["export_path"], [])  # a name that is not valid is found before anything is written
        told = each_subscription(module, audit.run)
        rows = [row for item in told if not item.error for row in item.result]
        if params["export_path"] and not module.check_mode:
            _write(module, params["export_path"], to_export(params["export_path"], rows))
    except PatchtideError as error:
        module.fail_json(msg=str(error), error=error.to_dict(), machines=[], failed_subscriptions=[])
    diffs = [
        {"before_header": row["id"], "after_header": row["id"], "before": row["before"], "after": row["tags"]}
        for row in rows
        if row["changed"]
    ]
    counts = Counter(row["status"] for row in rows)
    changed = sum(row["changed"] for row in rows)
    names = ("compliant", "not_compliant", "failed")
    report: dict[str, Any] = {
        "changed": bool(changed),
        "machines": [{key: item for key, item in row.items() if key not in ("before", "changed")} for row in rows],
        "summary": {**{name: counts[name] for name in names}, "changed": changed},
    }
    if module._diff and diffs:
        report["diff"] = diffs
    exit_told(module, told, report, _tag_problem(module, counts, rows))


def _tag_problem(module: AnsibleModule, counts: Mapping[str, int], rows: Sequence[Mapping[str, Any]]) -> str:
    failed = [row for row in rows if row["error"]]
    if failed:
        return f"{len(failed)} machines could not be tagged, the first: {failed[0]['error']['message']}"
    if module.params["fail_on_findings"] and counts["not_compliant"]:
        return f"{counts['not_compliant']} of {len(rows)} machines lack required tags or have values that are not valid"
    return ""


def _write(module: AnsibleModule, path: str, text: str) -> None:
    """Write a file that only its owner can read, in one step."""
    handle, temporary = tempfile.mkstemp(dir=module.tmpdir)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    module.atomic_move(temporary, path)
    module.set_mode_if_different(path, 0o600, False)


def exit_told(module: AnsibleModule, told: Sequence[Told], report: dict[str, Any], problem: str = "") -> NoReturn:
    """End the module with ``failed_subscriptions``, and with a failure if all failed or the options say so.

    :param problem: why it fails although subscriptions answered; ``""`` if it does not.
    """
    failed: list[dict[str, Any]] = [
        {"subscription": item.subscription.id, "name": item.subscription.name, "error": item.error.to_dict()}
        for item in told
        if item.error
    ]
    report["failed_subscriptions"] = failed
    if failed and (len(failed) == len(told) or module.params["on_subscription_error"] == "fail"):
        listed = "; ".join(f"{row['subscription']}: {row['error']['message']}" for row in failed)
        problem = f"{len(failed)} of {len(told)} subscriptions failed: {listed}"
    if problem:
        module.fail_json(msg=problem, **report)
    for row in failed:
        module.warn(f"{row['subscription']}: {row['error']['message']}")
    module.exit_json(**report)
    raise AssertionError("exit_json ends the module")
