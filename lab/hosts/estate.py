# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts there are: names, patch groups and tags, from a YAML document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from lab.hosts.families import PACKAGES
from lab.hosts.running import HostsError

DEFAULT = Path(__file__).with_name("estate.yml")
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
LIMIT = 240  # addresses of a /24, with some room


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host as the estate describes it. A fault is what is wrong with it from its first boot."""

    name: str
    variables: dict[str, Any] = field(default_factory=dict)
    family: str = "apt"
    full_disk: bool = False
    wrong_repository: bool = False
    apt_daily: bool = False


FAULTS = ("full_disk", "wrong_repository", "apt_daily")


def read_estate(path: Path = DEFAULT) -> list[Host]:
    """Hosts of an estate file; `HostsError` names what is wrong in it."""
    document = yaml.safe_load(path.read_text())
    if not isinstance(document, dict) or not isinstance(document.get("hosts"), list) or not document["hosts"]:
        raise HostsError(f"{path}: a mapping with a list 'hosts' is expected")
    hosts = [_host(path, number, entry) for number, entry in enumerate(document["hosts"])]
    names = [host.name for host in hosts]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise HostsError(f"{path}: host names must be unique, and {', '.join(twice)} is there twice")
    return hosts


def choose(
    hosts: list[Host],
    *,
    count: int | None,
    full_disk: Sequence[str] = (),
    wrong_repository: Sequence[str] = (),
    apt_daily: Sequence[str] = (),
) -> list[Host]:
    """The first `count` hosts, the estate's pattern repeated with new names if it has fewer, with faults added."""
    count = len(hosts) if count is None else count
    if not 1 <= count <= LIMIT:
        raise HostsError(f"--count {count}: 1 to {LIMIT} is possible")
    chosen = [
        host if number < len(hosts) else replace(host, name=f"{host.name}-{number // len(hosts) + 1}")
        for number in range(count)
        for host in (hosts[number % len(hosts)],)
    ]
    names = {host.name for host in chosen}
    options = {"--full-disk": full_disk, "--wrong-repository": wrong_repository, "--apt-daily": apt_daily}
    for option, wanted in options.items():
        if unknown := [name for name in wanted if name not in names]:
            raise HostsError(f"{option} {unknown[0]}: no such host; there are {', '.join(sorted(names))}")
    return [
        replace(
            host,
            full_disk=host.full_disk or host.name in full_disk,
            wrong_repository=host.wrong_repository or host.name in wrong_repository,
            apt_daily=host.apt_daily or host.name in apt_daily,
        )
        for host in chosen
    ]


def _host(path: Path, number: int, entry: Any) -> Host:
    if not isinstance(entry, dict) or not NAME.fullmatch(str(entry.get("name", ""))):
        raise HostsError(f"{path}: hosts[{number}]: 'name' must be a host name of small letters, digits and '-'")
    faults = entry.get("faults") or []
    if unknown := [fault for fault in faults if fault not in FAULTS]:
        raise HostsError(f"{path}: hosts[{number}].faults: {unknown[0]!r} is none of {', '.join(FAULTS)}")
    variables = {f"patchtide_{key}": value for key, value in entry.items() if key not in ("name", "faults", "family")}
    if (family := str(entry.get("family", "apt"))) not in PACKAGES:
        raise HostsError(f"{path}: hosts[{number}].family: {family!r} is none of {', '.join(PACKAGES)}")
    return Host(
        name=entry["name"],
        variables=variables,
        family=family,
        **{fault: fault in faults for fault in FAULTS},
    )
