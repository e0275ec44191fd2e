# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies that Azure Resource Manager takes, as JSON schemas of the facts in its published specification.

Sources, all in https://github.com/Azure/azure-rest-api-specs: Microsoft.Compute/ComputeRP/stable/2024-07-01
(virtualMachine.json, runCommand.json), Microsoft.HybridCompute/stable/2022-12-27/HybridCompute.json,
Microsoft.ResourceGraph/stable/2022-10-01/resourcegraph.json,
Microsoft.Maintenance/stable/2023-04-01/Maintenance.json, Microsoft.Resources/stable/2022-09-01/resources.json. The
service drops misspelt members without a word (azure-cli issue 30009); the lab refuses them.
"""

from __future__ import annotations

from typing import Any

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": {"type": "string"}}
_DURATION = {"type": "string", "pattern": r"^PT(?=\d)(\d+H)?(\d+M)?(\d+S)?$"}
_REBOOT = {"enum": ["IfRequired", "Never", "Always"]}
_WINDOWS_CLASSES = {
    "type": "array",
    "items": {
        "enum": ["Critical", "Security", "UpdateRollUp", "FeaturePack", "ServicePack", "Definition", "Tools", "Updates"]
    },
}
_LINUX_CLASSES = {"type": "array", "items": {"enum": ["Critical", "Security", "Other"]}}


def _object(members: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(required), "additionalProperties": False}


def _install(*required: str, run_id: bool) -> dict[str, Any]:
    linux = {
        "classificationsToInclude": _LINUX_CLASSES,
        "packageNameMasksToInclude": _TEXTS,
        "packageNameMasksToExclude": _TEXTS,
    }
    if run_id:
        linux["maintenanceRunId"] = {"type": "string"}
    windows = {
        "classificationsToInclude": _WINDOWS_CLASSES,
        "kbNumbersToInclude": _TEXTS,
        "kbNumbersToExclude": _TEXTS,
        "excludeKbsRequiringReboot": {"type": "boolean"},
        "maxPatchPublishDate": {"type": "string"},
    }
    members = {
        "maximumDuration": _DURATION,
        "rebootSetting": _REBOOT,
        "windowsParameters": _object(windows),
        "linuxParameters": _object(linux),
    }
    return _object(members, *required)


#: A machine of Compute requires rebootSetting alone, one of Azure Arc the duration as well.
INSTALL_VM = _install("rebootSetting", run_id=True)
INSTALL_ARC = _install("rebootSetting", "maximumDuration", run_id=False)
TAGS = _object(
    {
        "operation": {"enum": ["Replace", "Merge", "Delete"]},
        "properties": _object({"tags": {"type": "object", "additionalProperties": {"type": "string"}}}),
    },
    "operation",
    "properties",
)
GRAPH = _object(
    {
        "query": {"type": "string", "minLength": 1},
        "subscriptions": _TEXTS,
        "managementGroups": _TEXTS,
        "options": _object(
            {
                "$top": {"type": "integer", "minimum": 1, "maximum": 1000},
                "$skip": {"type": "integer", "minimum": 0},
                "$skipToken": {"type": "string"},
                "resultFormat": {"enum": ["table", "objectArray"]},
                "allowPartialScopes": {"type": "boolean"},
            }
        ),
    },
    "query",
)
RUN_COMMAND = _object(
    {
        "location": {"type": "string", "minLength": 1},
        "tags": {"type": "object"},
        "properties": _object(
            {
                "source": _object(
                    {
                        "script": {"type": "string"},
                        "scriptUri": {"type": "string"},
                        "commandId": {"type": "string"},
                    }
                ),
                "parameters": {"type": "array"},
                "protectedParameters": {"type": "array"},
                "asyncExecution": {"type": "boolean"},
                "runAsUser": {"type": "string"},
                "runAsPassword": {"type": "string"},
                "timeoutInSeconds": {"type": "integer", "minimum": 1},
                "outputBlobUri": {"type": "string"},
                "errorBlobUri": {"type": "string"},
                "treatFailureAsDeploymentFailure": {"type": "boolean"},
            }
        ),
    },
    "location",
)
_BY_PLATFORM = _object(
    {
        "rebootSetting": {"enum": ["Unknown", "IfRequired", "Never", "Always"]},
        "bypassPlatformSafetyChecksOnUserSchedule": {"type": "boolean"},
    }
)


def _patch(**more: Any) -> dict[str, Any]:
    """The settings of patching in an update of a machine."""
    linux, windows = ["ImageDefault", "AutomaticByPlatform"], ["Manual", "AutomaticByOS", "AutomaticByPlatform"]

    def settings(modes: list[str], **own: Any) -> dict[str, Any]:
        members = {"patchMode": {"enum": modes}, "assessmentMode": {"enum": ["ImageDefault", "AutomaticByPlatform"]}}
        return _object({"patchSettings": _object({**members, **more, **own})})

    hotpatch = {"enableHotpatching": {"type": "boolean"}}
    kinds = {"linuxConfiguration": settings(linux), "windowsConfiguration": settings(windows, **hotpatch)}
    return _object({"tags": {"type": "object"}, "properties": _object({"osProfile": _object(kinds)})})


#: An update replaces the tags; the modes of Azure Arc are those of all platforms, without settings by the platform.
PATCH_VM, PATCH_ARC = _patch(automaticByPlatformSettings=_BY_PLATFORM), _patch()
CONFIGURATION = _object(
    {
        "location": {"type": "string", "minLength": 1},
        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
        "properties": _object(
            {
                "namespace": {"type": "string"},
                "extensionProperties": {"type": "object", "additionalProperties": {"type": "string"}},
                "maintenanceScope": {"type": "string"},
                "visibility": {"enum": ["Custom", "Public"]},
                "maintenanceWindow": _object(
                    {
                        "startDateTime": _TEXT,
                        "expirationDateTime": _TEXT,
                        "duration": _TEXT,
                        "timeZone": _TEXT,
                        "recurEvery": _TEXT,
                    }
                ),
                "installPatches": _object(
                    {
                        "rebootSetting": {"enum": ["IfRequired", "Never", "Always"]},
                        "linuxParameters": _object(
                            {
                                "classificationsToInclude": _TEXTS,
                                "packageNameMasksToInclude": _TEXTS,
                                "packageNameMasksToExclude": _TEXTS,
                            }
                        ),
                        "windowsParameters": _object(
                            {
                                "classificationsToInclude": _TEXTS,
                                "kbNumbersToInclude": _TEXTS,
                                "kbNumbersToExclude": _TEXTS,
                                "excludeKbsRequiringReboot": {"type": "boolean"},
                            }
                        ),
                    }
                ),
            }
        ),
    },
    "location",
    "properties",
)
ASSIGNMENT = _object(
    {
        "location": {"type": "string"},
        "properties": _object(
            {
                "maintenanceConfigurationId": {"type": "string"},
                "resourceId": {"type": "string"},
                "filter": _object(
                    {
                        "resourceTypes": _TEXTS,
                        "resourceGroups": _TEXTS,
                        "osTypes": _TEXTS,
                        "locations": _TEXTS,
                        "tagSettings": _object(
                            {
                                "tags": {"type": "object", "additionalProperties": _TEXTS},
                                "filterOperator": {"enum": ["All", "Any"]},
                            }
                        ),
                    }
                ),
            },
            "maintenanceConfigurationId",
        ),
    },
    "properties",
)
#: The members of a network interface that the lab knows (Microsoft.Network 2023-09-01, networkInterface.json).
_LINKS = {"type": "array", "items": _object({"id": {"type": "string"}}, "id")}
CARD = _object(
    {
        "location": {"type": "string"},
        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
        "properties": _object(
            {
                "provisioningState": {"type": "string"},
                "enableIPForwarding": {"type": "boolean"},
                "ipConfigurations": {
                    "type": "array",
                    "minItems": 1,
                    "items": _object(
                        {
                            "name": {"type": "string"},
                            "properties": _object(
                                {
                                    "privateIPAddress": {"type": "string"},
                                    "privateIPAllocationMethod": {"enum": ["Dynamic", "Static"]},
                                    "subnet": _object({"id": {"type": "string"}}, "id"),
                                    "primary": {"type": "boolean"},
                                    "loadBalancerBackendAddressPools": _LINKS,
                                    "applicationGatewayBackendAddressPools": _LINKS,
                                },
                                "subnet",
                            ),
                        },
                        "name",
                        "properties",
                    ),
                },
            },
            "ipConfigurations",
        ),
    },
    "location",
    "properties",
)
