# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users of other tools reported of zypper, tried on Debian's; each docstring names the report."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.scripts import install_script

from tests.hosts.chroot.roots import RULES, WORK, Root
from tests.hosts.chroot.test_zypper import NEW, OLD, OTHER, OTHER_NEW, PATCH, SECURITY_ONLY, kinds, pending
from tests.hosts.chroot.toys import Advisory, installed, repository

#: CI leaves them to make test-slow: together they take two minutes.
pytestmark = pytest.mark.slow


def test_a_locked_patch_is_listed_as_held(zypper: Root) -> None:
    """Its status becomes "unwanted", and nothing shows that a lock keeps it back (rockstor/rockstor-core#2352): a host
    had no security patches."""
    pending(zypper)
    zypper.sh(f"zypper -n addlock -t patch {PATCH.removeprefix('patch:')}")
    (item,) = zypper.listing(SECURITY_ONLY).held
    assert (item.patch.id, item.why, item.patch.classification) == (PATCH, "hold", "Security")
    assert zypper.listing(SECURITY_ONLY).patches == ()
    proof = zypper.install(PATCH)
    assert proof.changes == () and "is locked" in proof.failed[PATCH]


def test_a_package_of_another_vendor_is_listed_as_held(zypper: Root) -> None:
    """zypper does not update across vendors, and says little about it (openSUSE/zypper#430)."""
    installed(zypper, replace(OLD, tags=["Vendor: SUSE"]))
    repository(zypper, "vendor", [replace(NEW, tags=["Vendor: Another"])], [])
    listing = zypper.listing()
    assert listing.patches == () and [(item.patch.id, item.why) for item in listing.held] == [(NEW.id, "blocked")]
    assert "another vendor" in listing.held[0].text


def test_a_patch_of_the_package_manager_does_not_end_the_install(zypper: Root) -> None:
    """zypper installs such patches first, ends with 103 and leaves the others for another run
    (SUSE/zypper-docker#110, os-autoinst/os-autoinst-distri-opensuse#12755)."""
    installed(zypper, OLD, OTHER)
    advisories = [
        Advisory(name="SUSE-2026-1", packages=[NEW], restart=True),
        Advisory(name="SUSE-2026-2", packages=[OTHER_NEW]),
    ]
    repository(zypper, "sle", [NEW, OTHER_NEW], advisories)
    proof = zypper.install(PATCH, "patch:SUSE-2026-2")
    assert proof.installed == (PATCH, "patch:SUSE-2026-2") and zypper.listing().patches == ()


def test_a_package_that_was_removed_since_the_plan_is_not_put_back(zypper: Root) -> None:
    """``zypper install`` installs what its administrator removed between approval and night (PatchMon/PatchMon#883)."""
    installed(zypper, OTHER)
    repository(zypper, "sle", [NEW, OTHER_NEW], [])
    gone = "gone.noarch:1-1"
    proof = zypper.install(NEW.id, OTHER_NEW.id, gone)
    assert proof.installed == (OTHER_NEW.id,)
    assert {key: why for key, (why, _text) in proof.held.items()} == {NEW.id: "absent", gone: "absent"}


def test_files_that_scripts_make_are_readable_under_a_strict_umask(zypper: Root) -> None:
    """libzypp runs %posttrans with the umask of its caller; dpkg and rpm set their own. Under 077, which hardened hosts
    give to root, what it makes was unreadable for services (nextdns/nextdns#595, dev-sec/linux-baseline#133)."""
    pending(zypper, replace(NEW, scripts={"post": "echo 1 >/etc/post", "posttrans": "echo 1 >/etc/posttrans"}))
    zypper.write(f"{WORK}/work.sh", install_script([NEW.id], RULES, 600))
    zypper.sh(f"umask 077; sh {WORK}/work.sh >{WORK}/out 2>{WORK}/err")
    assert zypper.proof(NEW.id).installed == (NEW.id,)
    assert zypper.sh("stat -c %a /etc/post /etc/posttrans").split() == ["644", "644"]


def test_a_file_of_two_packages_is_a_failure_with_both_names(zypper: Root) -> None:
    """zypper asks whether to go on, and without a terminal does not (openSUSE/docker-containers-build#2)."""
    installed(zypper, OLD, replace(OTHER, files={"/opt/shared": "1"}))
    repository(zypper, "sle", [replace(NEW, files={"/opt/shared": "2"})], [])
    proof = zypper.install(NEW.id)
    assert "another package has one of its files" in proof.failed[NEW.id] and proof.changes == ()


def test_a_full_disk_is_named(zypper: Root) -> None:
    """rpm counts before it begins (AlmaLinux/leapp-data#11)."""
    installed(zypper, OLD)
    repository(zypper, "sle", [replace(NEW, files={"/opt/full/data": "x" * 3_000_000})], [])
    zypper.sh("mkdir -p /opt/full && mount -t tmpfs -o size=1m tmpfs /opt/full")
    assert "a disk is full" in zypper.install(NEW.id).failed[NEW.id]


def test_colours_in_the_configuration_change_nothing(zypper: Root) -> None:
    """They stand between the words of every table (QubesOS/qubes-issues#9482, of dnf)."""
    pending(zypper)
    zypper.write("/etc/zypp/zypper.conf", "[color]\nuseColors = always\n")
    assert kinds(zypper.listing()) == {PATCH: "Security", NEW.id: "Bugfix", OTHER_NEW.id: "Bugfix"}
    assert zypper.install(PATCH, OTHER_NEW.id).installed == (PATCH, OTHER_NEW.id)
