# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be installed on a node: one YAML file per operating system in ``lab/catalogue/``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

#: Families whose titles have an epoch only where the version has one; of rpm all have (the payload, get_package_title).
APT = ("DEBIAN", "UBUNTU", "RASPBIAN")
FOLDER = Path(__file__).resolve().parents[1] / "catalogue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One update of one package, or one Windows update."""

    patch_id: str  #: KBId of the patch state: ``KB5031234`` or ``kernel.x86_64``
    name: str
    title: str
    version: str
    classification: str
    severity: str
    product: str
    released: datetime
    cves: tuple[str, ...] = ()
    advisory: str = ""  #: the update notice; without one only EnableNonSecurity lets it through
    priority: str = ""  #: Debian family
    section: str = ""
    needs_reboot: bool = False
    is_kernel: bool = False
    size_mb: int = 5
    gone: datetime | None = None  #: when archives drop the version, or another KB replaces this one
    needs: tuple[str, ...] = ()  #: names of packages that come along, in the version that is offered
    dependency: bool = False  #: comes along with others alone; not installed before
    was: str = "0:1.0-1"  #: the version before
    is_rpm: bool = True

    def offered(self, now: datetime) -> bool:
        """Whether the repositories have it: what is released later or was dropped can't be installed."""
        return self.released <= now and (self.gone is None or now < self.gone)

    @property
    def is_security(self) -> bool:
        return self.classification.lower().startswith("security") or self.classification == "CriticalUpdates"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingSystem:
    """One operating system of the estate and everything its repositories (or Windows Update) offer."""

    key: str  #: file name without .yml
    baseline_os: str  #: OperatingSystem of a patch baseline
    platform: str  #: Linux or Windows
    platform_name: str
    platform_version: str
    product: str
    kernel: str
    base: tuple[str, ...]  #: packages that are installed and have no update
    updates: tuple[Patch, ...]
    repositories: tuple[str, ...]


def load_operating_system(key: str, today: datetime) -> OperatingSystem:
    """Read one catalogue file; ages of updates count back from midnight (UTC) of ``today``."""
    return to_operating_system(key, yaml.safe_load((FOLDER / f"{key}.yml").read_text(encoding="utf-8")), today)


def to_operating_system(key: str, data: Mapping[str, Any], today: datetime) -> OperatingSystem:
    """Read the data of a catalogue file, or of a system that an estate file brings along."""
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    return OperatingSystem(
        key=key,
        baseline_os=data["operating_system"],
        platform=data["platform"],
        platform_name=data["name"],
        platform_version=str(data["version"]),
        product=data["product"],
        kernel=str(data["kernel"]),
        base=tuple(data["base"]),
        updates=tuple(_patch(row, data, midnight) for row in data["updates"]),
        repositories=tuple(data["repositories"]),
    )


def _patch(row: Mapping[str, Any], system: Mapping[str, Any], midnight: datetime) -> Patch:
    released = midnight - timedelta(days=row["age_days"])
    windows = system["platform"] == "Windows"
    gone = midnight + timedelta(days=row["gone_after_days"]) if "gone_after_days" in row else None
    name = row["kb"] if windows else row["name"]
    arch = row.get("arch", system.get("arch", "x86_64"))
    version = str(row.get("version", ""))
    if windows:
        title = row["title"].format(month=f"{released:%Y-%m}", kb=name)
    else:
        title = f"{name}.{arch}:{version if system['operating_system'] in APT or ':' in version else f'0:{version}'}"
    return Patch(
        patch_id=name if windows else f"{name}.{arch}",
        name=name,
        title=title,
        version=version,
        classification=row.get("classification", ""),
        severity=row.get("severity", ""),
        product=row.get("product", system["product"]),
        released=released,
        cves=tuple(row.get("cves", ())),
        advisory=row.get("advisory", ""),
        priority=row.get("priority", ""),
        section=row.get("section", ""),
        needs_reboot=bool(row.get("reboot", False)),
        is_kernel=bool(row.get("kernel", False)),
        size_mb=int(row.get("size_mb", 5)),
        gone=gone,
        is_rpm=not windows and system["operating_system"] not in APT,
        needs=tuple(row.get("needs", ())),
        dependency=bool(row.get("dependency", False)),
        was=str(row.get("was", "1.0-1" if system["operating_system"] in APT else "0:1.0-1")),
    )
