# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the policy on the controller. Documentation: ``plugins/modules/policy_info.py``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._core.policy.declare import to_declared, to_targets
from ..module_utils._core.policy.values import Policy
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.policy.file import check_policy, load_policy
from ..plugin_utils.policy.named_files import frozen_digest, hash_named_files


class ActionModule(ControllerAction):
    """Only reads a file, so check mode makes no difference."""

    SPEC: ClassVar[dict[str, Any]] = {
        "path": {"type": "path"},
        "policy": {"type": "dict"},
        "without_places": {"type": "list", "elements": "str", "default": []},
    }
    RULES: ClassVar[dict[str, Any]] = {
        "mutually_exclusive": [("path", "policy")],
        "required_one_of": [("path", "policy")],
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        policy = load_policy(options["path"]) if options["path"] else check_policy(options["policy"])
        folder = Path(options["path"]).expanduser().absolute().parent if options["path"] else Path.cwd()
        files = hash_named_files(policy, folder)
        result = to_result(policy, options["without_places"])
        return {"changed": False, **result, "digest": frozen_digest(policy, files), "files": files}


def to_result(policy: Policy, without: list[str]) -> dict[str, Any]:
    """Return what the task returns; plain data."""
    names = {account.id: account.name for account in policy.estate.accounts}
    places = [
        {
            "place": place.label,
            "account": place.account,
            "account_name": names.get(str(place.account)),
            "region": place.region,
        }
        for place in policy.estate.places()
    ]
    return {
        "policy": policy.to_dict(),
        "digest": policy.digest,
        "places": places,
        "targets": to_targets(policy, without),
        "declared": to_declared(policy),
    }
