# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Command documents of AWS that the lab can carry out, and the check of their parameters."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .operations import SsmError

_GUID = r"(^$)|^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
_LIST_URL = r"(^$)|^https://.+$|^s3://([^/]+)/(.*?([^/]+))$"
_SECONDS = r"([1-9][0-9]{0,4})|(1[0-6][0-9]{4})|(17[0-1][0-9]{3})|(172[0-7][0-9]{2})|(172800)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    required: bool = False
    default: tuple[str, ...] = ("",)
    allowed: tuple[str, ...] = ()
    pattern: str = ""
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document: for which platforms, with which parameters and steps (a step may be for one platform only)."""

    name: str
    platforms: tuple[str, ...]
    steps: Mapping[str, str]  #: step name -> platform it is for, "" for all
    parameters: Mapping[str, Parameter] = field(repr=False)
    #: execution timeout in seconds: that of the step where the document has a parameter for none. "If a SSM document
    #: doesn't require that you explicitly specify an execution timeout value, then Systems Manager enforces the
    #: hard-coded default execution timeout" (command timeout values).
    timeout: int = 3600
    #: number of the latest version, which is the default one too; AWS's own documents have many
    latest: int = 9

    def has_version(self, version: str) -> bool:
        return version in ("$DEFAULT", "$LATEST") or (version.isdigit() and 1 <= int(version) <= self.latest)

    def digest(self, kind: str = "Sha256") -> str:
        """The hash that the service made of it; the lab has no content of these documents, so it hashes the name."""
        return hashlib.new(kind.lower(), self.name.encode()).hexdigest()

    def step_for(self, platform: str) -> str:
        return next(step for step, own in self.steps.items() if own in ("", platform))

    def read(self, given: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        """Return every parameter's values, defaults filled in; InvalidParameters for what the document refuses."""
        if unknown := sorted(set(given) - set(self.parameters)):
            raise _invalid(f"{self.name} has no parameters {unknown}.")
        values = {}
        for name, parameter in self.parameters.items():
            if parameter.required and not given.get(name):
                raise _invalid(f"{self.name} requires the parameter {name}.")
            values[name] = list(given.get(name, parameter.default))
            for value in values[name]:
                self._check(name, parameter, value, len(values[name]))
        return values

    def _check(self, name: str, parameter: Parameter, value: str, count: int) -> None:
        if count > 1 and not parameter.many:
            raise _invalid(f"{name} of {self.name} takes one value.")
        if parameter.allowed and value not in parameter.allowed:
            raise _invalid(f"{name} of {self.name} is one of {list(parameter.allowed)}, not {value!r}.")
        if parameter.pattern and not re.fullmatch(parameter.pattern, value):
            raise _invalid(f"{name} of {self.name} must match {parameter.pattern}, not {value!r}.")


def _invalid(message: str) -> SsmError:
    return SsmError("InvalidParameters", message)


#: of each step of the patch documents; none of them has a parameter executionTimeout
_PATCH_SECONDS = 7200
_PATCH_STEPS = {"PatchWindows": "Windows", "PatchMacOS": "MacOS", "PatchLinux": "Linux"}
_ANYWHERE = ("Windows", "Linux", "MacOS")
_PATCH = {
    "Operation": Parameter(required=True, allowed=("Scan", "Install")),
    "SnapshotId": Parameter(pattern=_GUID),
    "RebootOption": Parameter(default=("RebootIfNeeded",), allowed=("RebootIfNeeded", "NoReboot")),
}
_SCRIPT = {
    "commands": Parameter(required=True, many=True),
    "workingDirectory": Parameter(),
    "executionTimeout": Parameter(default=("3600",), pattern=_SECONDS),
}
#: For associations; the service puts their ID among its parameters (patch-manager-aws-runpatchbaselineassociation,
#: "AssociationId … is the ID of an existing association").
RUN_BY_ASSOCIATION = "AWS-RunPatchBaselineAssociation"
#: of AWS-InstallWindowsUpdates, each a text of its own
_FILTERS = (
    *("IncludeKbs", "ExcludeKbs", "Categories", "SeverityLevels"),
    *("PublishedDaysOld", "PublishedDateAfter", "PublishedDateBefore"),
)
#: Names of types as AWS-GatherSoftwareInventory has them, each on by default (user guide, "Metadata collected by
#: inventory", and the parameters of the document in "Configuring inventory collection").
_INVENTORY = (
    *("applications", "awsComponents", "networkConfig", "services", "windowsUpdates", "windowsRoles"),
    *("instanceDetailedInformation", "customInventory"),
)
_DOCUMENTS = (
    Document(
        name="AWS-GatherSoftwareInventory",
        platforms=_ANYWHERE,
        steps={"aws:softwareInventory": ""},
        parameters={
            **{name: Parameter(default=("Enabled",), allowed=("Enabled", "Disabled")) for name in _INVENTORY},
            "files": Parameter(default=("",)),
            "windowsRegistry": Parameter(default=("",)),
        },
    ),
    Document(
        name="AWS-RunPatchBaseline",
        platforms=_ANYWHERE,
        steps=_PATCH_STEPS,
        timeout=_PATCH_SECONDS,
        parameters={
            **_PATCH,
            "AssociationId": Parameter(pattern=_GUID),
            "InstallOverrideList": Parameter(pattern=_LIST_URL),
            "BaselineOverride": Parameter(pattern=r"(^$)|^s3://([^/]+)/(.*?([^/]+))$"),
        },
    ),
    Document(
        name=RUN_BY_ASSOCIATION,
        platforms=_ANYWHERE,
        steps=_PATCH_STEPS,
        timeout=_PATCH_SECONDS,
        parameters={
            "Operation": _PATCH["Operation"],
            "RebootOption": _PATCH["RebootOption"],
            "BaselineTags": Parameter(),
            "AssociationId": Parameter(pattern=_GUID),
            "InstallOverrideList": Parameter(pattern=_LIST_URL),
        },
    ),
    Document(
        name="AWS-RunPatchBaselineWithHooks",
        platforms=_ANYWHERE,
        steps=_PATCH_STEPS,
        timeout=_PATCH_SECONDS,
        parameters={
            **_PATCH,
            "PreInstallHookDocName": Parameter(default=("AWS-Noop",), allowed=("AWS-Noop",)),
            "PostInstallHookDocName": Parameter(default=("AWS-Noop",), allowed=("AWS-Noop",)),
            "OnExitHookDocName": Parameter(default=("AWS-Noop",), allowed=("AWS-Noop",)),
        },
    ),
    Document(
        name="AWS-InstallWindowsUpdates",
        platforms=("Windows",),
        steps={"aws:runPowerShellScript": ""},
        timeout=_PATCH_SECONDS,
        parameters={
            "Action": Parameter(default=("Install",), allowed=("Install", "Scan")),
            "AllowReboot": Parameter(default=("True",), allowed=("True", "False")),
            **dict.fromkeys(_FILTERS, Parameter(allowed=("",))),  # the lab filters nothing
        },
    ),
    Document(
        name="AWS-RunShellScript",
        platforms=("Linux", "MacOS"),
        steps={"aws:runShellScript": ""},
        parameters=_SCRIPT,
    ),
    Document(
        name="AWS-RunPowerShellScript",
        platforms=_ANYWHERE,
        steps={"aws:runPowerShellScript": ""},
        parameters=_SCRIPT,
    ),
    Document(
        name="AWS-UpdateSSMAgent",
        platforms=_ANYWHERE,
        steps={"aws:updateSsmAgent": ""},
        parameters={
            "version": Parameter(pattern=r"(^$)|^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$"),
            "allowDowngrade": Parameter(default=("false",), allowed=("true", "false")),
        },
    ),
)
DOCUMENTS = {document.name: document for document in _DOCUMENTS}


def find_document(name: str) -> Document:
    """Return a document by name or ARN."""
    found = DOCUMENTS.get(name.rpartition("document/")[2])
    if found is None:
        raise SsmError("InvalidDocument", f"Document with name {name} does not exist.")
    return found
