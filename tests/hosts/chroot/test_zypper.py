# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's zypper on a look-alike of SUSE: what is listed, what an install proves, what goes wrong."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import Listing

from tests.hosts.chroot.roots import RULES, Root
from tests.hosts.chroot.toys import Advisory, Rpm, installed, repository

OLD, NEW = Rpm(name="toy", version="1.0"), Rpm(name="toy", version="1.2")
OTHER, OTHER_NEW = Rpm(name="other", version="1"), Rpm(name="other", version="2")
SECURITY_ONLY = replace(RULES, security_only=True)
PATCH = "patch:SUSE-2026-1"


def script_failed(text: str) -> bool:
    """Whether rpm's words for %post, or libzypp's for %posttrans, are in ``text``."""
    return re.search(r"script(let)? failed", text) is not None


def kinds(listing: Listing) -> dict[str, str]:
    return {patch.id: patch.classification for patch in listing.patches}


def pending(zypper: Root, new: Rpm = NEW, **more: object) -> None:
    """A security patch for one package and an ordinary update of another."""
    installed(zypper, OLD, OTHER)
    advisory = replace(Advisory(name="SUSE-2026-1", packages=[new]), **more)  # type: ignore[arg-type]  # by name
    repository(zypper, "sle", [new, OTHER_NEW], [advisory])


def test_patches_and_packages_are_listed(zypper: Root) -> None:
    pending(zypper)
    listing = zypper.listing()
    assert kinds(listing) == {PATCH: "Security", NEW.id: "Bugfix", OTHER_NEW.id: "Bugfix"}
    assert (listing.patches[0].severity, listing.patches[0].cve_ids) == ("Important", ("CVE-2026-1",))
    assert kinds(zypper.listing(SECURITY_ONLY)) == {PATCH: "Security"}


def test_a_patch_and_an_exact_version_are_installed_together(zypper: Root) -> None:
    """``patch:NAME`` beside ``name=version`` (zypper(8), install)."""
    pending(zypper)
    proof = zypper.install(PATCH, OTHER_NEW.id)
    assert proof.installed == (PATCH, OTHER_NEW.id) and proof.is_whole
    assert [item.name for item in proof.brought] == ["toy"] and proof.unplanned((PATCH, OTHER_NEW.id)) == ()
    assert {item.name: (item.old, item.new) for item in proof.changes} == {
        "toy": ("1.0-1", "1.2-1"),
        "other": ("1-1", "2-1"),
    }
    assert zypper.listing().patches == ()


def test_each_package_of_a_patch_belongs_to_it(zypper: Root) -> None:
    """How zypper names the contents of a patch that has several packages."""
    installed(zypper, OLD, OTHER)
    repository(zypper, "sle", [NEW, OTHER_NEW], [Advisory(name="SUSE-2026-1", packages=[NEW, OTHER_NEW])])
    proof = zypper.install(PATCH)
    assert {item.name for item in proof.brought} == {"toy", "other"} and proof.unplanned((PATCH,)) == ()


def test_a_patch_that_asks_for_a_reboot_is_installed(zypper: Root) -> None:
    """``zypper -n patch`` skips interactive patches with exit code 0 (community.general#6936). A simulation ends with
    102 as well, and means nothing by it (Azure/LinuxPatchExtension#135).
    Nor is 102 a failure (ansible/ansible#43385)."""
    pending(zypper, reboot=True)
    assert [note.code for note in zypper.listing().notes] == ["interactive"]
    assert zypper.install(PATCH).installed == (PATCH,)


def test_a_failed_post_script_is_a_failed_package(zypper: Root) -> None:
    """107: a script failed, the package is in (zypper(8))."""
    pending(zypper, replace(NEW, scripts={"post": "exit 1"}))
    proof = zypper.install(NEW.id, OTHER_NEW.id)
    assert proof.installed == (OTHER_NEW.id,) and "scriptlet failed" in proof.failed[NEW.id]


def test_a_failed_posttrans_script_counts_though_zypper_ends_with_0(zypper: Root) -> None:
    pending(zypper, replace(NEW, scripts={"posttrans": "exit 1"}))
    assert script_failed(zypper.install(NEW.id).failed[NEW.id])


@pytest.mark.parametrize("script", ["post", "posttrans"])
def test_a_failed_script_stays_a_failure_until_a_reinstall_succeeds(zypper: Root, script: str) -> None:
    pending(zypper, replace(NEW, scripts={script: "test -e /etc/fixed"}))
    assert script_failed(zypper.install(NEW.id).failed[NEW.id])
    assert script_failed(zypper.install(NEW.id).failed[NEW.id])
    assert script_failed(zypper.listing().broken[NEW.id])
    zypper.sh(": >/etc/fixed")
    assert zypper.install(NEW.id, rules=replace(RULES, repair=True)).installed == (NEW.id,)
    assert zypper.listing().broken == {}


def test_a_failed_pre_script_leaves_the_old_version(zypper: Root) -> None:
    pending(zypper, replace(NEW, scripts={"pre": "exit 1"}))
    proof = zypper.install(NEW.id)
    assert NEW.id in proof.failed and proof.changes == ()


def test_a_locked_package_is_listed_as_held(zypper: Root) -> None:
    """A lock hides a package from list-updates, and its patch stays needed."""
    pending(zypper)
    zypper.sh("zypper -n addlock other")
    listing = zypper.listing()
    assert {item.patch.id: item.why for item in listing.held} == {OTHER_NEW.id: "hold"}
    assert zypper.install(OTHER_NEW.id).failed[OTHER_NEW.id].startswith("it is locked")


def test_what_can_not_be_installed_is_listed_as_blocked_and_keeps_nothing_else(zypper: Root) -> None:
    pending(zypper, replace(NEW, tags=["Requires: nowhere"]))
    assert {item.patch.id: item.why for item in zypper.listing().held} == {NEW.id: "blocked"}
    proof = zypper.install(NEW.id, OTHER_NEW.id)
    assert proof.installed == (OTHER_NEW.id,)
    assert proof.failed[NEW.id].startswith("its dependencies can't be fulfilled")


def test_a_retracted_patch_is_not_offered(zypper: Root) -> None:
    """zypper lists it with the status retracted, never needed."""
    pending(zypper, status="retracted")
    assert PATCH not in kinds(zypper.listing())


def test_a_repository_without_updateinfo_is_unknown(zypper: Root) -> None:
    installed(zypper, OLD)
    repository(zypper, "vendor", [NEW], None)
    assert zypper.listing(SECURITY_ONLY).security_unknown != ""
    assert kinds(zypper.listing(replace(SECURITY_ONLY, security_sources=("vendor",)))) == {NEW.id: "Security"}


def test_what_is_removed_is_held_without_consent(zypper: Root) -> None:
    pending(zypper, replace(NEW, tags=["Conflicts: other", "Obsoletes: other"]))
    proof = zypper.install(NEW.id)
    assert proof.held[NEW.id] == ("removes", "installing it removes other") and proof.changes == ()


def test_a_newer_version_is_never_replaced_by_the_planned_one(zypper: Root) -> None:
    installed(zypper, Rpm(name="toy", version="2.0"))
    repository(zypper, "sle", [NEW], [])
    proof = zypper.install(NEW.id)
    assert NEW.id not in proof.installed and proof.changes == ()


def test_a_version_that_is_gone_is_named(zypper: Root) -> None:
    pending(zypper)
    gone = "toy.noarch:1.1-1"
    assert zypper.install(gone).withdrawn == (gone,)


def test_a_broken_repository_is_a_failed_list(zypper: Root) -> None:
    """``refresh`` ends with 4, lists with 106 and what is left."""
    pending(zypper)
    zypper.sh("sed -i 's|^baseurl.*|baseurl=http://127.0.0.1:9/|' /etc/zypp/repos.d/sle.repo")
    with pytest.raises(PatchtideError, match="zypper, refresh"):
        zypper.listing()


def test_no_repository_at_all_is_not_up_to_date(zypper: Root) -> None:
    """Without repositories list-updates says 0 and lists nothing."""
    with pytest.raises(PatchtideError, match="no repository is enabled"):
        zypper.listing()


def test_another_zypper_is_waited_for(zypper: Root) -> None:
    pending(zypper)
    other = zypper.start("sh -c 'echo $$ >/run/zypp.pid; exec -a zypper sleep 4' 2>/dev/null || sleep 4")
    assert set(kinds(zypper.listing())) == {PATCH, NEW.id, OTHER_NEW.id}
    other.wait()
