# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What patches can be filtered by: the values of each property, by operating system (DescribePatchProperties).

The list is a part of the service's own, which grows with every release. Properties whose values no public source lists
have none here, and then nothing is refused. Classifications and severities are those of the API Reference, PatchFilter,
as long as it listed values (kept in pplu/aws-sdk-perl, Paws::SSM::PatchFilter). For RHEL and CentOS that list says
Medium, where Red Hat's advisories say Moderate; which of them the service takes today has not been verified.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from .operations import Answer, Request, SsmError, operation, page

if TYPE_CHECKING:
    from .backend import Place


def _products(prefix: str, *versions: str) -> tuple[str, ...]:
    return tuple(prefix + version for version in versions)


_MINOR = tuple(str(number) for number in range(11))
_YUM_TYPES = ("Security", "Bugfix", "Enhancement", "Recommended", "Newpackage")
_YUM = {"CLASSIFICATION": _YUM_TYPES, "SEVERITY": ("Critical", "Important", "Medium", "Low")}
_RPM = {"CLASSIFICATION": _YUM_TYPES, "SEVERITY": ("Critical", "Important", "Moderate", "Low", "None")}
_DEB = {"PRIORITY": ("Required", "Important", "Standard", "Optional", "Extra")}
_WINDOWS_TYPES = (
    "CriticalUpdates",
    "DefinitionUpdates",
    "Drivers",
    "FeaturePacks",
    "SecurityUpdates",
    "ServicePacks",
    "Tools",
    "UpdateRollups",
    "Updates",
    "Upgrades",
)
_SUSE_TYPES = ("Security", "Recommended", "Optional", "Feature", "Document", "Yast")
_SERVERS = ("2008", "2008R2", "2012", "2012R2", "2016", "2019", "2022", "2025")
_PROPERTIES: dict[str, dict[str, tuple[str, ...]]] = {
    "AMAZON_LINUX": {
        "PRODUCT": (
            *_products("AmazonLinux20", *(f"{year}.{month}" for year in range(12, 18) for month in ("03", "09"))),
            "AmazonLinux2018.03",
        ),
        **_YUM,
    },
    "AMAZON_LINUX_2": {"PRODUCT": ("AmazonLinux2", "AmazonLinux2.0"), **_YUM},
    "AMAZON_LINUX_2022": {"PRODUCT": ("AmazonLinux2022",), **_YUM},
    "AMAZON_LINUX_2023": {"PRODUCT": ("AmazonLinux2023",), **_YUM},
    "UBUNTU": {"PRODUCT": _products("Ubuntu", "14.04", "16.04", "18.04", "20.04", "22.04", "24.04"), **_DEB},
    "DEBIAN": {"PRODUCT": _products("Debian", "8", "9", "10", "11", "12"), **_DEB},
    "RASPBIAN": {"PRODUCT": _products("Raspbian", "9", "10", "11"), **_DEB},
    "REDHAT_ENTERPRISE_LINUX": {
        "PRODUCT": _products("RedhatEnterpriseLinux", *(f"{major}.{minor}" for major in (7, 8, 9) for minor in _MINOR)),
        **_RPM,
    },
    "CENTOS": {
        "PRODUCT": _products("CentOS", *(f"{major}.{minor}" for major in (6, 7, 8) for minor in _MINOR)),
        **_RPM,
    },
    "ORACLE_LINUX": {"PRODUCT": _products("OracleLinux", *(f"{m}.{n}" for m in (7, 8, 9) for n in _MINOR)), **_RPM},
    "ROCKY_LINUX": {"PRODUCT": _products("RockyLinux", *(f"{m}.{n}" for m in (8, 9) for n in _MINOR)), **_RPM},
    "ALMA_LINUX": {"PRODUCT": _products("AlmaLinux", *(f"{m}.{n}" for m in (8, 9) for n in _MINOR)), **_RPM},
    "SUSE": {
        "PRODUCT": _products("SuseLinuxEnterpriseServer", *(f"{m}.{n}" for m in (12, 15) for n in range(8))),
        "CLASSIFICATION": _SUSE_TYPES,
        "SEVERITY": ("Critical", "Important", "Moderate", "Low"),
    },
    "WINDOWS": {
        "PRODUCT": _products("WindowsServer", *_SERVERS),
        "PRODUCT_FAMILY": ("Windows",),
        "CLASSIFICATION": _WINDOWS_TYPES,
        "MSRC_SEVERITY": ("Critical", "Important", "Moderate", "Low", "Unspecified"),
    },
}
_APPLICATIONS = {
    "PRODUCT": (*_products("MicrosoftSQLServer", "2014", "2016", "2017", "2019", "2022"), "Office2016", "Office2019"),
    "PRODUCT_FAMILY": ("SQL Server", "Office"),
}


def values_of(system: str, key: str, patch_set: str = "OS") -> tuple[str, ...]:
    """The values of a property; none if it is not known which there are."""
    properties = _PROPERTIES.get(system, {})
    if patch_set == "APPLICATION":
        properties = {**properties, **_APPLICATIONS}
    return properties.get(key, ())


def check_values(filters: Sequence[Mapping[str, Any]], system: str) -> None:
    """Refuse values that are none, in the service's words (hashicorp/terraform-provider-aws#18359)."""
    patch_set = next((row["Values"][0] for row in filters if row["Key"] == "PATCH_SET"), "OS")
    for row in filters:
        known = values_of(system, row["Key"], patch_set)
        for value in row["Values"] if known else ():
            if not any(fnmatchcase(one, value) for one in known):
                message = f"Invalid Filter Value: {value} for Key: {row['Key']}, valid values are: {', '.join(known)}"
                raise SsmError("ValidationException", message)


@operation("DescribePatchProperties")
def describe_patch_properties(place: Place, request: Request) -> Answer:
    found = values_of(request["OperatingSystem"], request["Property"], request.get("PatchSet", "OS"))
    return page("Properties", [{"Name": value} for value in found], request, 50)
