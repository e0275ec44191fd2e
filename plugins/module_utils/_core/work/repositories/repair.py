# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a host whose repositories are as the policy expects. Pure.

A permanent repair also keeps the tools that write such files from writing them again: cloud-init (module Apt Configure,
``preserve_sources_list``) and subscription-manager (rhsm.conf(5), ``manage_repos``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .drift import Drift, HostRepositories, of_manager
from .expected import ExpectedRepository
from .sources import read_sources, with_values, without

CLOUD, CLOUD_KEEP = "/etc/cloud/cloud.cfg", "/etc/cloud/cloud.cfg.d/99-patchtide-repositories.cfg"
RHSM, RHSM_REPOSITORIES = "/etc/rhsm/rhsm.conf", "/etc/yum.repos.d/redhat.repo"
RPM_KEYS = "/etc/pki/rpm-gpg/"
_FOLDERS = {"dnf": "/etc/yum.repos.d", "zypper": "/etc/zypp/repos.d"}
#: What a repair changes nothing about.
_NOT_HERE = ("clock", "unreadable", "open", "unproven")
_CLOUD_TEXT = "# The patching policy decides which repositories this host has.\napt:\n  preserve_sources_list: true\n"


def repaired(
    host: HostRepositories, expected: Iterable[ExpectedRepository], found: Iterable[Drift], *, permanent: bool = False
) -> dict[str, str]:
    """Return the new text of each file that a repair changes, by path.

    :param found: what is wrong; a repository without a difference is left as it is.
    """
    wrong = {item.repository for item in found if item.code not in _NOT_HERE}
    files = dict(host.files)
    for item in of_manager(expected, host.manager):
        if item.name in wrong:
            _correct(files, item)
    if permanent and wrong:
        _keep(files, host.files)
    return {path: text for path, text in files.items() if text != host.text(path)}


def _correct(files: dict[str, str], item: ExpectedRepository) -> None:
    for source in reversed(read_sources(files)):  # from the end of a file, so that positions stay right
        wrong = any(item.is_replaced(url) for url in (*source.urls, source.listed))
        if item.manager == "apt":
            suites = set(item.suites) & set(source.suites)
            mine = any(item.is_at(url) or item.other_snapshot(url) for url in source.urls)
            wrong = wrong or (mine and suites == set(source.suites) and source.file != _apt_file(item))
        if wrong and source.enabled and source.name != item.name:
            files[source.file] = without(files[source.file], source)
    if item.key:
        files[_key_file(item)] = f"{item.key.strip()}\n"
    if item.manager == "apt":
        files[_apt_file(item)] = _stanza(item)
    else:
        _section(files, item)


def _apt_file(item: ExpectedRepository) -> str:
    return f"/etc/apt/sources.list.d/{item.name}.sources"


def _key_file(item: ExpectedRepository) -> str:
    if item.manager == "apt":
        return f"/etc/apt/keyrings/{item.name}.asc"
    return f"{RPM_KEYS}RPM-GPG-KEY-{item.name}"


def _stanza(item: ExpectedRepository) -> str:
    """Return its stanza. Archives of dated snapshots keep the Release file as it was, so that its Valid-Until is past
    (Debian's snapshot archive, "Usage"; sources.list(5), Check-Valid-Until); its signature is verified as ever."""
    lines = ["Types: deb", f"URIs: {item.addresses[0]}", f"Suites: {' '.join(item.suites)}"]
    if item.components:
        lines.append(f"Components: {' '.join(item.components)}")
    if item.key:
        lines.append(f"Signed-By: {_key_file(item)}")
    if item.snapshot:
        lines.append("Check-Valid-Until: no")
    return "\n".join((*lines, ""))


def _section(files: dict[str, str], item: ExpectedRepository) -> None:
    values: dict[str, str | None] = {
        "baseurl": " ".join(item.addresses),
        "mirrorlist": None,
        "metalink": None,
        "enabled": "1",
        "gpgcheck": "1",
    }
    if item.key:
        values["gpgkey"] = f"file://{_key_file(item)}"
    mine = [source for source in read_sources(files) if source.name == item.name]
    for source in mine:
        files[source.file] = with_values(files[source.file], source, values)
    if not mine:
        lines = [f"{name}={value}\n" for name, value in values.items() if value is not None]
        files[f"{_FOLDERS[item.manager]}/{item.name}.repo"] = f"[{item.name}]\nname={item.name}\n{''.join(lines)}"


def _keep(files: dict[str, str], before: Mapping[str, str]) -> None:
    """Keep cloud-init and subscription-manager from writing the files again."""
    changed = {path for path, text in files.items() if text != before.get(path)}
    if CLOUD in files and any(path.startswith("/etc/apt/") for path in changed):
        files[CLOUD_KEEP] = _CLOUD_TEXT
    if RHSM in files and RHSM_REPOSITORIES in changed:
        files[RHSM] = re.sub(r"(?m)^\s*manage_repos\s*=.*$", "manage_repos = 0", files[RHSM])
