# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users of other tools reported of dnf and rpm, tried on Debian's; each docstring names the report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.hosts.chroot.roots import RULES, Root
from tests.hosts.chroot.test_dnf import NEW, OLD, OTHER, OTHER_NEW, SECURITY_ONLY, held, kinds
from tests.hosts.chroot.toys import Advisory, Rpm, build, installed, repository

#: CI leaves them to make test-slow: together they take two minutes.
pytestmark = pytest.mark.slow

KERNELS = [
    Rpm(name="kernel-core", version=version, tags=["Provides: installonlypkg(kernel)"])
    for version in ("5.11", "5.12", "5.13", "5.14")
]


def with_three_kernels(dnf: Root) -> None:
    """As many kernels as dnf.conf allows."""
    installed(dnf, OLD, KERNELS[0])
    build(dnf, *KERNELS[1:3])
    dnf.sh(f"cd /srv/pool && rpm -i --nodeps {KERNELS[1].file} {KERNELS[2].file}")


def test_a_kernel_that_takes_the_place_of_the_oldest_one_removes_nothing(dnf: Root) -> None:
    """With installonly_limit=3, the default, every fourth kernel removes the first (NethServer/dev#5574). Read as a
    removal, that withheld every kernel update from then on."""
    with_three_kernels(dnf)
    repository(dnf, "base", [KERNELS[3]], [])
    proof = dnf.install(KERNELS[3].id)
    assert proof.installed == (KERNELS[3].id,) and proof.removed == ()
    assert "kernel-core-5.11" not in dnf.sh("rpm -q kernel-core")


def test_the_kernels_beyond_a_limit_that_was_lowered_withhold_nothing(dnf: Root) -> None:
    """dnf 5 removes them with whatever is installed next (rpm-software-management/dnf5#2127)."""
    with_three_kernels(dnf)
    repository(dnf, "base", [NEW, KERNELS[3]], [])
    dnf.sh("sed -i s/installonly_limit=3/installonly_limit=2/ /etc/dnf/dnf.conf")
    proof = dnf.install(NEW.id, KERNELS[3].id)
    assert proof.installed == (NEW.id, KERNELS[3].id) and proof.held == {}
    assert "kernel-core-5.13" in dnf.sh("rpm -q kernel-core")


def test_colours_in_the_configuration_change_nothing(dnf: Root) -> None:
    """They stand between the words of every table (rpm-software-management/dnf#2003, QubesOS/qubes-issues#9482): a host
    with updates had none."""
    installed(dnf, OLD, OTHER)
    needs = replace(NEW, tags=["Requires: other >= 2"])
    repository(dnf, "base", [needs, OTHER_NEW], [Advisory(name="RHSA-1", packages=[needs])])
    dnf.sh("printf 'color=always\\nassumeno=True\\n' >>/etc/dnf/dnf.conf")
    assert kinds(dnf.listing()) == {NEW.id: "Security", OTHER_NEW.id: "Bugfix"}
    proof = dnf.install(NEW.id, rules=replace(RULES, exclude=("other",)))
    assert proof.held[NEW.id][0] == "excluded" and proof.changes == ()
    assert dnf.install(NEW.id, OTHER_NEW.id).installed == (NEW.id, OTHER_NEW.id)


def test_a_package_that_was_removed_since_the_plan_is_not_put_back(dnf: Root) -> None:
    """``dnf install`` installs what its administrator removed between approval and night (PatchMon/PatchMon#883)."""
    installed(dnf, OTHER)
    repository(dnf, "base", [NEW, OTHER_NEW], [])
    proof = dnf.install(NEW.id, OTHER_NEW.id)
    assert proof.installed == (OTHER_NEW.id,) and proof.held[NEW.id][0] == "absent"


def test_what_a_repository_excludes_is_listed_as_held(dnf: Root) -> None:
    """Excludes stand in a repository's section as well (rpm-software-management/dnf5#233), and hide the advisories of a
    package with it: a host that asks for security updates alone lacked none."""
    installed(dnf, OLD)
    repository(dnf, "base", [NEW], [Advisory(name="RHSA-1", packages=[NEW])])
    dnf.sh("echo 'excludepkgs=to*' >>/etc/yum.repos.d/base.repo")
    assert held(dnf.listing(SECURITY_ONLY)) == {NEW.id: "excluded"}


def test_a_host_without_the_versionlock_plugin_is_listed(dnf: Root) -> None:
    """Minimal installs lack it, and dnf knows no such command (Security-Onion-Solutions/securityonion#13842)."""
    installed(dnf, OLD)
    repository(dnf, "base", [NEW], [])
    dnf.sh("rm -f /usr/lib/python3/dist-packages/dnf-plugins/versionlock.py /etc/dnf/plugins/versionlock.conf")
    assert kinds(dnf.listing()) == {NEW.id: "Bugfix"} and dnf.install(NEW.id).installed == (NEW.id,)


def test_an_update_that_would_remove_a_protected_package_says_so(dnf: Root) -> None:
    """dnf 4 refuses it (cockpit-project/cockpit#2096), dnf 5 lets another package take its place (dnf5#733)."""
    installed(dnf, OLD, OTHER)
    repository(dnf, "base", [replace(NEW, tags=["Obsoletes: other"])], [])
    dnf.sh("mkdir -p /etc/dnf/protected.d; echo other >/etc/dnf/protected.d/other.conf")
    proof = dnf.install(NEW.id, rules=replace(RULES, allow_removals=True))
    if "dnf5" in dnf.sh("readlink -f /usr/bin/dnf"):
        assert (proof.installed, proof.removed) == ((NEW.id,), ("other",))
        return
    assert proof.failed[NEW.id].startswith("it would remove a protected package") and "other" in proof.failed[NEW.id]


def test_a_full_disk_is_named(dnf: Root) -> None:
    """rpm counts before it begins, "At least 3MB more space needed" (AAROC/DevOps#151, AlmaLinux/leapp-data#11)."""
    installed(dnf, OLD)
    repository(dnf, "base", [replace(NEW, files={"/opt/full/data": "x" * 3_000_000})], [])
    dnf.sh("mkdir -p /opt/full && mount -t tmpfs -o size=1m tmpfs /opt/full")
    assert dnf.install(NEW.id).failed[NEW.id].startswith("exit code 1: a disk is full")


def test_a_directory_that_becomes_a_file_is_a_failure_and_not_the_new_version(dnf: Root) -> None:
    """rpm can't replace it, after the transaction was tested (d2iq-archive/mesos-deb-packaging#87)."""
    old = replace(OLD, files={"/opt/toy/data": "1"})
    installed(dnf, old, OTHER)
    repository(dnf, "base", [replace(NEW, files={"/opt/toy": "2"}), OTHER_NEW], [])
    proof = dnf.install(NEW.id, OTHER_NEW.id)
    assert proof.installed == (OTHER_NEW.id,)
    assert "unpacking" in proof.failed[NEW.id] and dnf.listing().broken == {}


def test_a_file_of_two_packages_is_a_failure_with_both_names(dnf: Root) -> None:
    """dnf tests the transaction, and names both (albertlauncher/albert#1308; dnf 5 did not, dnf5#376)."""
    installed(dnf, OLD, replace(OTHER, files={"/opt/shared": "1"}))
    repository(dnf, "base", [replace(NEW, files={"/opt/shared": "2"})], [])
    proof = dnf.install(NEW.id)
    assert "another package has one of its files" in proof.failed[NEW.id] and "other-1-1" in proof.failed[NEW.id]


@pytest.mark.parametrize("family", ["dnf", "zypper"])
def test_versions_with_epoch_tilde_and_caret_are_installed_as_they_stand(
    family: str, request: pytest.FixtureRequest
) -> None:
    """An epoch that one side of a comparison lacks makes an update a downgrade (saltstack/salt#32526)."""
    root: Root = request.getfixturevalue(family)
    epoch = ["Epoch: 1"]
    old = [Rpm(name="toy", version="1.0~rc1", tags=epoch), Rpm(name="libother++", version="2^git1")]
    new = [Rpm(name="toy", version="1.0", tags=epoch), Rpm(name="libother++", version="2^git2")]
    installed(root, *old)
    repository(root, "base", new, [Advisory(name="RHSA-1", packages=[new[0]])])
    ids = [item.id for item in new]
    assert set(ids) <= {patch.id for patch in root.listing().patches}
    proof = root.install(*ids)
    assert proof.installed == tuple(ids) and proof.unplanned(ids) == ()
