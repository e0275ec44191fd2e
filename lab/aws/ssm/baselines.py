# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch baselines: our own and the AWS-owned ones."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from moto.utilities.utils import load_resource

from .operations import Answer, Request, SsmError, operation, page
from .patch_properties import check_values
from .tags import check_tags, set_tags

if TYPE_CHECKING:
    from .backend import Place

MOST_BASELINES = 50
_YUM = frozenset({"PRODUCT", "CLASSIFICATION", "SEVERITY"})
_DEB = frozenset({"PRODUCT", "PRIORITY", "SECTION"})
#: Which filter keys a rule may use, by operating system (API reference, PatchFilter; DescribePatchProperties).
FILTER_KEYS: dict[str, frozenset[str]] = {
    "WINDOWS": frozenset({"PATCH_SET", "PRODUCT", "PRODUCT_FAMILY", "CLASSIFICATION", "MSRC_SEVERITY"}),
    "UBUNTU": _DEB,
    "DEBIAN": _DEB,
    "RASPBIAN": _DEB,
    "MACOS": frozenset({"PRODUCT", "CLASSIFICATION"}),
}
#: "ApproveAfterDays … Not supported for Debian Server or Ubuntu Server" (API reference, PatchRule)
NO_DELAY = frozenset({"DEBIAN", "UBUNTU", "RASPBIAN"})
_SETTABLE = (
    "Name",
    "GlobalFilters",
    "ApprovalRules",
    "ApprovedPatches",
    "ApprovedPatchesComplianceLevel",
    "ApprovedPatchesEnableNonSecurity",
    "RejectedPatches",
    "RejectedPatchesAction",
    "Description",
    "Sources",
    "AvailableSecurityUpdatesComplianceStatus",
)


@cache
def _published_arns() -> dict[str, dict[str, str]]:
    """Region -> operating system -> ARN of the AWS-owned default baseline; the list moto ships."""
    arns: dict[str, dict[str, str]] = load_resource("ssm/resources/default_baselines.json")
    return arns


def aws_arn(region: str, system: str) -> str:
    return _published_arns()[region][system]


def aws_owned(region: str) -> dict[str, dict[str, Any]]:
    """Return the AWS-owned default baselines of a Region by ARN, with the rules AWS documents for them."""
    return {arn: _aws_baseline(system, arn) for system, arn in _published_arns()[region].items()}


def _aws_baseline(system: str, arn: str) -> dict[str, Any]:
    return {
        "BaselineId": arn,
        "OperatingSystem": system,
        "Name": "AWS-DefaultPatchBaseline" if system == "WINDOWS" else f"AWS-{_PRETTY[system]}DefaultPatchBaseline",
        "Description": f"Default Patch Baseline for {_PRETTY[system]} Provided by AWS.",
        "ApprovalRules": {"PatchRules": [_aws_rule(*row) for row in _AWS_RULES.get(system, _AWS_RULES[""])]},
    }


_PRETTY = {
    "WINDOWS": "Windows",
    "AMAZON_LINUX": "AmazonLinux",
    "AMAZON_LINUX_2": "AmazonLinux2",
    "AMAZON_LINUX_2022": "AmazonLinux2022",
    "AMAZON_LINUX_2023": "AmazonLinux2023",
    "UBUNTU": "Ubuntu",
    "REDHAT_ENTERPRISE_LINUX": "RedHat",
    "SUSE": "Suse",
    "CENTOS": "CentOS",
    "ORACLE_LINUX": "OracleLinux",
    "DEBIAN": "Debian",
    "MACOS": "MacOS",
    "RASPBIAN": "Raspbian",
    "ROCKY_LINUX": "Rocky",
    "ALMA_LINUX": "AlmaLinux",
}
_ANY = {"PRODUCT": ["*"]}
#: (filters, approve after days, non-security); "Predefined patch baselines" in the user guide.
_AWS_RULES: dict[str, list[tuple[dict[str, list[str]], int, bool]]] = {
    "": [
        ({**_ANY, "CLASSIFICATION": ["Security"], "SEVERITY": ["Critical", "Important"]}, 7, False),
        ({**_ANY, "CLASSIFICATION": ["Bugfix"]}, 7, False),
    ],
    "WINDOWS": [
        (
            {
                "PATCH_SET": ["OS"],
                "PRODUCT": ["*"],
                "CLASSIFICATION": ["CriticalUpdates", "SecurityUpdates"],
                "MSRC_SEVERITY": ["Critical", "Important"],
            },
            7,
            False,
        )
    ],
    **{
        system: [({**_ANY, "PRIORITY": ["Required", "Important", "Standard", "Optional", "Extra"]}, 0, False)]
        for system in ("UBUNTU", "DEBIAN", "RASPBIAN")
    },
    "CENTOS": [(_ANY, 7, True)],
    "MACOS": [(_ANY, 0, False)],
    "SUSE": [({**_ANY, "CLASSIFICATION": ["Security"], "SEVERITY": ["Critical", "Important"]}, 7, False)],
}


def _aws_rule(filters: dict[str, list[str]], days: int, non_security: bool) -> dict[str, Any]:
    rows = [{"Key": key, "Values": values} for key, values in filters.items()]
    return {
        "PatchFilterGroup": {"PatchFilters": rows},
        "ComplianceLevel": "UNSPECIFIED",
        "ApproveAfterDays": days,
        "EnableNonSecurity": non_security,
    }


def find(place: Place, baseline_id: str) -> dict[str, Any] | None:
    """Our own by id, an AWS-owned one by its full ARN only: a bare id of AWS's is unknown to the API."""
    return place.baselines.get(baseline_id) or aws_owned(place.region).get(baseline_id)


def existing(place: Place, baseline_id: str) -> dict[str, Any]:
    if not baseline_id.startswith(("pb-", "arn:aws:ssm:")):
        raise SsmError("InvalidResourceId", f"{baseline_id} is no patch baseline id.")
    found = find(place, baseline_id)
    if found is None:
        raise SsmError("DoesNotExistException", f"Patch baseline {baseline_id} does not exist.")
    return found


def default_id(place: Place, system: str) -> str:
    return place.default_baselines.get(system) or aws_arn(place.region, system)


def _check(request: Request, system: str) -> None:
    keys = FILTER_KEYS.get(system, _YUM)
    rules = request.get("ApprovalRules", {}).get("PatchRules", [])
    groups = [rule["PatchFilterGroup"] for rule in rules] + [request.get("GlobalFilters", {"PatchFilters": []})]
    for row in (row for group in groups for row in group["PatchFilters"]):
        if row["Key"] not in keys:
            raise _wrong(f"Patch filter key {row['Key']} is not supported for {system}.")
    for group in groups:
        check_values(group["PatchFilters"], system)
    for rule in rules:
        _check_delay(rule, system)
    if system == "WINDOWS":
        if any(rule.get("EnableNonSecurity") for rule in rules) or request.get("ApprovedPatchesEnableNonSecurity"):
            raise _wrong("EnableNonSecurity applies to Linux managed nodes only.")
        if request.get("Sources"):
            raise _wrong("Sources apply to Linux managed nodes only.")
    elif "AvailableSecurityUpdatesComplianceStatus" in request:
        raise _wrong("AvailableSecurityUpdatesComplianceStatus is supported for Windows Server only.")
    both = set(request.get("ApprovedPatches", [])) & set(request.get("RejectedPatches", []))
    if both:
        raise _wrong(f"Patches can't be approved and rejected at once: {sorted(both)}.")


def _check_delay(rule: dict[str, Any], system: str) -> None:
    given = [name for name in ("ApproveAfterDays", "ApproveUntilDate") if name in rule]
    if len(given) != 1:
        raise _wrong("A patch rule needs exactly one of ApproveAfterDays and ApproveUntilDate.")
    if system in NO_DELAY and (given == ["ApproveUntilDate"] or rule.get("ApproveAfterDays")):
        raise _wrong(f"{given[0]} is not supported for {system}.")
    if "ApproveUntilDate" in rule:
        try:
            date.fromisoformat(rule["ApproveUntilDate"])
        except ValueError:
            raise _wrong(f"ApproveUntilDate {rule['ApproveUntilDate']!r} must be YYYY-MM-DD.") from None


def _wrong(message: str) -> SsmError:
    return SsmError("ValidationException", message)


@operation("CreatePatchBaseline")
def create_patch_baseline(place: Place, request: Request) -> Answer:
    def make() -> Answer:
        system = request.get("OperatingSystem", "WINDOWS")
        _check(request, system)
        check_tags(request.get("Tags", []))
        if len(place.baselines) >= MOST_BASELINES:
            raise SsmError("ResourceLimitExceededException", f"{MOST_BASELINES} patch baselines a Region.")
        baseline_id = place.hex_id("pb-")
        now = place.sim.now
        kept = {key: request[key] for key in _SETTABLE if key in request}
        place.baselines[baseline_id] = {
            "BaselineId": baseline_id,
            "OperatingSystem": system,
            **kept,
            "CreatedDate": now,
            "ModifiedDate": now,
        }
        set_tags(place, "PatchBaseline", baseline_id, request.get("Tags", []))
        return {"BaselineId": baseline_id}

    return place.tokens.once("CreatePatchBaseline", request, make)


@operation("UpdatePatchBaseline")
def update_patch_baseline(place: Place, request: Request) -> Answer:
    baseline = existing(place, request["BaselineId"])
    if request["BaselineId"] not in place.baselines:
        raise SsmError("DoesNotExistException", f"{request['BaselineId']} is AWS-owned and can't be updated.")
    _check(request, baseline["OperatingSystem"])
    if request.get("Replace"):
        # "If True, then all fields that are required by CreatePatchBaseline are also required for this API request.
        # Optional fields that aren't specified are set to null."
        if "Name" not in request:
            raise _wrong("Name is required when Replace is true.")
        for key in _SETTABLE:
            baseline.pop(key, None)
    baseline.update({key: request[key] for key in _SETTABLE if key in request})
    baseline["ModifiedDate"] = place.sim.now
    return _full(place, baseline, with_groups=False)


def _full(place: Place, baseline: dict[str, Any], with_groups: bool) -> Answer:
    answer = {
        "GlobalFilters": {"PatchFilters": []},
        "ApprovalRules": {"PatchRules": []},
        "ApprovedPatches": [],
        "ApprovedPatchesComplianceLevel": "UNSPECIFIED",
        "ApprovedPatchesEnableNonSecurity": False,
        "RejectedPatches": [],
        "RejectedPatchesAction": "ALLOW_AS_DEPENDENCY",
        "Sources": [],
        **baseline,
    }
    rules = [
        {"ComplianceLevel": "UNSPECIFIED", "EnableNonSecurity": False, **rule}
        for rule in answer["ApprovalRules"]["PatchRules"]
    ]
    answer["ApprovalRules"] = {"PatchRules": rules}
    if with_groups:
        owner = baseline["BaselineId"]
        answer["PatchGroups"] = sorted(name for (name, _), used in place.patch_groups.items() if used == owner)
    return answer


@operation("GetPatchBaseline")
def get_patch_baseline(place: Place, request: Request) -> Answer:
    return _full(place, existing(place, request["BaselineId"]), with_groups=True)


@operation("DeletePatchBaseline")
def delete_patch_baseline(place: Place, request: Request) -> Answer:
    baseline_id = request["BaselineId"]
    if baseline_id in aws_owned(place.region):
        raise SsmError("ResourceInUseException", f"{baseline_id} is owned by AWS and can't be deleted.")
    if baseline_id in place.patch_groups.values():
        raise SsmError("ResourceInUseException", f"Patch baseline {baseline_id} is registered with a patch group.")
    if baseline_id in place.default_baselines.values():
        raise SsmError("ResourceInUseException", f"Patch baseline {baseline_id} is a default patch baseline.")
    # The operation declares no DoesNotExistException: deleting what is not there succeeds.
    place.baselines.pop(baseline_id, None)
    place.tags.pop(("PatchBaseline", baseline_id), None)
    return {"BaselineId": baseline_id}


@operation("DescribePatchBaselines")
def describe_patch_baselines(place: Place, request: Request) -> Answer:
    mine = sorted(place.baselines.values(), key=lambda row: str(row["BaselineId"]))
    rows = [_identity(place, row) for row in [*aws_owned(place.region).values(), *mine]]
    for item in request.get("Filters", []):
        rows = [row for row in rows if _matches(place, row, item.get("Key", ""), item.get("Values", []))]
    return page("BaselineIdentities", rows, request, 50)


def _identity(place: Place, baseline: dict[str, Any]) -> dict[str, Any]:
    row = {
        "BaselineId": baseline["BaselineId"],
        "BaselineName": baseline["Name"],
        "OperatingSystem": baseline["OperatingSystem"],
        "DefaultBaseline": default_id(place, baseline["OperatingSystem"]) == baseline["BaselineId"],
    }
    return {**row, "BaselineDescription": baseline["Description"]} if baseline.get("Description") else row


def _matches(place: Place, row: dict[str, Any], key: str, values: list[str]) -> bool:
    if key == "NAME_PREFIX":
        return any(row["BaselineName"].startswith(value) for value in values)
    if key == "OWNER":
        if not set(values) <= {"AWS", "Self"}:
            raise _wrong(f"OWNER is AWS or Self, not {values}.")
        return ("Self" if row["BaselineId"] in place.baselines else "AWS") in values
    if key == "OPERATING_SYSTEM":
        return row["OperatingSystem"] in values
    raise _wrong(f"DescribePatchBaselines has no filter {key}; it has NAME_PREFIX, OWNER and OPERATING_SYSTEM.")


@operation("GetDefaultPatchBaseline")
def get_default_patch_baseline(place: Place, request: Request) -> Answer:
    system = request.get("OperatingSystem", "WINDOWS")
    return {"BaselineId": default_id(place, system), "OperatingSystem": system}


@operation("RegisterDefaultPatchBaseline")
def register_default_patch_baseline(place: Place, request: Request) -> Answer:
    baseline = existing(place, request["BaselineId"])
    place.default_baselines[baseline["OperatingSystem"]] = baseline["BaselineId"]
    return {"BaselineId": baseline["BaselineId"]}
