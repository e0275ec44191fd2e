# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service checks in the content of Command and Automation documents.

Schema versions and top-level elements: user guide, "Data elements and parameters". Actions: "Command document plugin
reference" and "Systems Manager Automation actions reference".
"""

from __future__ import annotations

from typing import Any

from .operations import SsmError

_SCHEMAS = {"Command": ("1.2", "2.0", "2.2"), "Automation": ("0.3",)}
_PLUGINS = frozenset(
    f"aws:{name}"
    for name in (
        *("applications", "cloudWatch", "configureDocker", "configurePackage", "domainJoin", "downloadContent"),
        *("psModule", "refreshAssociation", "runDocker", "runDockerAction", "runDocument", "runPowerShellScript"),
        *("runShellScript", "softwareInventory", "updateAgent", "updateSsmAgent"),
    )
)
_ACTIONS = frozenset(
    f"aws:{name}"
    for name in (
        *("approve", "assertAwsResourceProperty", "branch", "changeInstanceState", "copyImage", "createImage"),
        *("createStack", "createTags", "deleteImage", "deleteStack", "executeAutomation", "executeAwsApi"),
        *("executeScript", "executeStateMachine", "invokeLambdaFunction", "invokeWebhook", "loop", "pause"),
        *("runCommand", "runInstances", "sleep", "updateVariable", "waitForAwsResourceProperty"),
    )
)


def check_content(data: dict[str, Any], kind: str) -> None:
    """Refuse another schema, no steps, steps without a name and actions that do not exist."""
    if kind not in _SCHEMAS:
        return
    schema = str(data["schemaVersion"])
    if schema not in _SCHEMAS[kind]:
        raise SsmError("InvalidDocumentSchemaVersion", f"The schema version {schema} of a {kind} isn't supported.")
    known = _PLUGINS if kind == "Command" else _ACTIONS
    for action in _actions(data, schema):
        if action not in known:
            raise _wrong(f"{action} is no action of a {kind} document.")


def _actions(data: dict[str, Any], schema: str) -> list[Any]:
    if schema == "1.2":  # plugins by name
        plugins = data.get("runtimeConfig")
        if not isinstance(plugins, dict) or not plugins:
            raise _wrong("A document of schema 1.2 needs runtimeConfig.")
        return list(plugins)
    steps = data.get("mainSteps")
    if not isinstance(steps, list) or not steps:
        raise _wrong("The content has no mainSteps.")
    for step in steps:
        if not isinstance(step, dict) or not step.get("name"):
            raise _wrong("Every step of mainSteps needs a name.")
    return [step.get("action") for step in steps]


def _wrong(message: str) -> SsmError:
    return SsmError("InvalidDocumentContent", message)
