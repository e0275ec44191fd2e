# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What apt, dnf and zypper print, as they print it."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.linux_updates import (
    choose,
    package_of,
    parse_updates,
    to_spec,
)

APT = """@manager apt
@list
NOTE: This is only a simulation!
Reading package lists...
Calculating upgrade...
The following NEW packages will be installed:
  linux-image-6.1.0-28-amd64
The following packages will be upgraded:
  libssl3 openssl tzdata
Inst openssl [3.0.15-1~deb12u1] (3.0.17-1~deb12u3 Debian:12.11/stable, Debian-Security:12/stable-security [amd64]) []
Inst libssl3 [3.0.15-1~deb12u1] (3.0.17-1~deb12u3 Debian-Security:12/stable-security [amd64])
Inst linux-image-6.1.0-28-amd64 (6.1.119-1 Debian-Security:12/stable-security [amd64])
Inst tzdata [2024a-0+deb12u1] (2025b-0+deb12u1 Debian:12.11/stable [all])
Inst bind9-host [1:9.18.28-1] (1:9.18.33-1 Debian:12.11/stable [amd64]) [bind9-libs:amd64 ]
Conf openssl (3.0.17-1~deb12u3 Debian-Security:12/stable-security [amd64])
Remv gone [1.0]
@end
"""
DNF = """@manager dnf
@list

curl.x86_64                       7.76.1-31.el9                 baseos
openssl-libs.x86_64               1:3.0.7-28.el9_4              baseos
python3.11-setuptools.noarch      65.5.1-3.el9                  appstream
Obsoleting Packages
grub2-tools.x86_64                1:2.06-82.el9                 baseos
    grub2-tools.x86_64            1:2.06-80.el9                 @baseos
@security
RHSA-2026:1234 Important/Sec. openssl-libs-1:3.0.7-28.el9_4.x86_64
@metadata
Updates Information Summary: available
    1 Security notice(s)
@end
"""
ZYPPER = """@manager zypper
@list
S | Repository | Name    | Current Version | Available Version | Arch
--+------------+---------+-----------------+-------------------+-------
v | SLE-Update | curl    | 8.0.1-150400.1  | 8.0.1-150400.5    | x86_64
v | SLE-Update | openssl | 3.0.8-1         | 3.0.8-9           | x86_64
@security
Repository | Name                        | Category | Severity  | Interactive | Status | Summary
-----------+-----------------------------+----------+-----------+-------------+--------+--------
SLE-Update | SUSE-SLE-Module-2026-1234   | security | important | ---         | needed | curl
SLE-Update | SUSE-SLE-Module-2026-9      | security | moderate  | reboot      | needed | kernel
@end
"""


def kinds(output: str) -> dict[str, str]:
    return {patch.id: patch.classification for patch in parse_updates(output).patches}


def test_apt_tells_security_by_its_origin_and_new_packages_count() -> None:
    assert kinds(APT) == {
        "openssl.amd64:3.0.17-1~deb12u3": "Security",
        "libssl3.amd64:3.0.17-1~deb12u3": "Security",
        "linux-image-6.1.0-28-amd64.amd64:6.1.119-1": "Security",
        "tzdata.all:2025b-0+deb12u1": "Bugfix",
        "bind9-host.amd64:1:9.18.33-1": "Bugfix",
    }


def test_dnf_stops_at_obsoleting_and_knows_epochs() -> None:
    assert kinds(DNF) == {
        "curl.x86_64:7.76.1-31.el9": "Bugfix",
        "openssl-libs.x86_64:1:3.0.7-28.el9_4": "Security",
        "python3.11-setuptools.noarch:65.5.1-3.el9": "Bugfix",
    }


def test_dnf_counts_an_advisory_for_an_older_build_of_the_package_only() -> None:
    older = DNF.replace("openssl-libs-1:3.0.7-28.el9_4.x86_64", "openssl-libs-1:3.0.7-27.el9.x86_64")
    assert kinds(older)["openssl-libs.x86_64:1:3.0.7-28.el9_4"] == "Security"
    namesake = DNF.replace("openssl-libs-1:3.0.7-28.el9_4.x86_64", "curl-extra-libs-7.76.1-31.el9.x86_64")
    assert set(kinds(namesake).values()) == {"Bugfix"}


def test_no_updateinfo_is_not_no_security_updates() -> None:
    """`security: true` installs nothing where a repository has no updateinfo (ansible/ansible#78560)."""
    bare = DNF.replace("Updates Information Summary: available\n    1 Security notice(s)\n", "")
    assert not parse_updates(bare).security_known
    assert parse_updates(DNF).security_known and parse_updates(APT).security_known


def test_zypper_lists_packages_and_security_patches() -> None:
    assert kinds(ZYPPER) == {
        "curl.x86_64:8.0.1-150400.5": "Bugfix",
        "openssl.x86_64:3.0.8-9": "Bugfix",
        "patch:SUSE-SLE-Module-2026-1234": "Security",
        "patch:SUSE-SLE-Module-2026-9": "Security",
    }
    assert [patch.severity for patch in parse_updates(ZYPPER).patches][-2:] == ["Important", "Moderate"]


@pytest.mark.parametrize("manager", ["apt", "dnf", "zypper"])
def test_nothing_to_install(manager: str) -> None:
    assert parse_updates(f"@manager {manager}\n@list\n@security\n@metadata\n@end\n").patches == ()


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("@manager apt\nE: Could not get lock\n@failed apt-get update\n", "apt-get update: E: Could not get lock"),
        ("@failed no apt-get, dnf or zypper\n", "no apt-get, dnf or zypper"),
        (APT.replace("@end\n", ""), "the list of updates is cut short"),
        ("", "the list of updates is cut short"),
    ],
)
def test_a_package_manager_that_failed_is_an_error(output: str, message: str) -> None:
    with pytest.raises(PatchtideError, match=message):
        parse_updates(output)


def test_choosing() -> None:
    patches = parse_updates(APT).patches
    secure = choose(patches, security_only=True, exclude=["linux-image-*"])
    assert [patch.title.split()[0] for patch in secure] == ["openssl", "libssl3"]
    assert len(choose(patches, security_only=False, exclude=[])) == 5


@pytest.mark.parametrize(
    ("manager", "patch_id", "spec"),
    [
        ("apt", "openssl.amd64:3.0.17-1~deb12u3", "openssl:amd64=3.0.17-1~deb12u3"),
        ("apt", "tzdata.all:2025b-0+deb12u1", "tzdata=2025b-0+deb12u1"),
        ("apt", "bind9-host.amd64:1:9.18.33-1", "bind9-host:amd64=1:9.18.33-1"),
        ("dnf", "openssl-libs.x86_64:1:3.0.7-28.el9_4", "openssl-libs-1:3.0.7-28.el9_4.x86_64"),
        ("dnf", "python3.11-setuptools.noarch:65.5.1-3.el9", "python3.11-setuptools-65.5.1-3.el9.noarch"),
        ("zypper", "curl.x86_64:8.0.1-150400.5", "curl=8.0.1-150400.5"),
    ],
)
def test_exactly_this_version_is_asked_for(manager: str, patch_id: str, spec: str) -> None:
    assert to_spec(manager, patch_id) == spec


def test_names_with_dots_and_versions_with_colons() -> None:
    assert package_of("python3.11-setuptools.noarch:1:65.5") == ("python3.11-setuptools", "noarch", "1:65.5")
