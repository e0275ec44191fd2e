# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users of other tools reported of apt and dpkg, tried on the real ones; each docstring names the report."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.scripts import install_script

from tests.hosts.chroot.roots import RULES, WORK, Root
from tests.hosts.chroot.test_apt import NEW, OLD, OTHER, OTHER_NEW, SECURITY, held, kinds
from tests.hosts.chroot.toys import Deb, archive, has

#: CI leaves them to make test-slow: together they take two minutes.
pytestmark = pytest.mark.slow

REPAIR = replace(RULES, repair=True)
AS_BACKPORTS = "NotAutomatic: yes\nButAutomaticUpgrades: yes\n"


def test_automatically_installed_packages_stay_so(apt: Root) -> None:
    """Named on a command line they become manually installed, and old kernels are never removed again
    (voxpupuli/puppet-patching_as_code#106, PackageKit/PackageKit#450)."""
    has(apt, OLD, OTHER)
    apt.sh("apt-mark auto toy")
    archive(apt, "updates", [NEW, replace(OTHER_NEW, fields={"Depends": "kernel-2"}), Deb(name="kernel-2", version="1"),
                             Deb(name="kernel-2", version="2")])  # fmt: skip
    planned = (NEW.id, OTHER_NEW.id, "kernel-2.all:1")  # a new dependency, of which there is a newer version by now
    assert apt.install(*planned).installed == planned
    assert apt.sh("apt-mark showauto toy other kernel-2").split() == ["kernel-2", "toy"]


def test_a_package_that_was_removed_since_the_plan_is_not_put_back(apt: Root) -> None:
    """Its administrator removed it between approval and night, the patch tool installed it again
    (PatchMon/PatchMon#883)."""
    has(apt, OTHER)
    archive(apt, "updates", [NEW, OTHER_NEW])
    proof = apt.install(NEW.id, OTHER_NEW.id, "gone.all:1")
    assert proof.installed == (OTHER_NEW.id,)
    assert {key: why for key, (why, _text) in proof.held.items()} == {NEW.id: "absent", "gone.all:1": "absent"}
    assert [item.name for item in proof.changes] == ["other"]


def test_a_name_is_never_taken_for_a_pattern(apt: Root) -> None:
    """apt-get takes a name that it does not know, and that has a dot or a plus in it, for a regular expression, and
    installs whatever fits (trapd00r/ls--#66, philips-software/amp-devcontainer#295)."""
    has(apt, Deb(name="mytoy3.9-doc", version="1"))
    archive(apt, "updates", [Deb(name="toy3x9", version="2"), Deb(name="mytoy3.9-doc", version="2")])
    proof = apt.install("toy3.9.all:2")
    assert proof.changes == () and proof.held["toy3.9.all:2"][0] == "absent"


def test_what_only_backports_have_is_not_awaited(apt: Root) -> None:
    """Nothing comes from backports by itself, so that it is neither an update nor held; every package that they have
    newer was listed (franglais125/apt-update-indicator#9)."""
    from_backports = Deb(name="third", version="1.1")
    has(apt, OLD, OTHER, from_backports)
    archive(apt, "main", [OLD, OTHER])
    newer = Deb(name="third", version="1.2")
    archive(
        apt,
        "backports",
        [NEW, OTHER_NEW, from_backports, newer],
        suite="bookworm-backports",
        release=AS_BACKPORTS,
    )
    archive(apt, "updates", [Deb(name="other", version="1.1")])
    apt.sh("apt-mark hold other third")
    assert (kinds(apt.listing()), held(apt.listing())) == ({}, {"other.all:1.1": "hold", newer.id: "hold"})


def test_a_package_whose_every_version_is_pinned_away_is_listed_as_pinned(apt: Root) -> None:
    """Its candidate is "(none)", which is no version (chef/chef#3794)."""
    has(apt, OLD)
    archive(apt, "security", [NEW], **SECURITY)
    apt.write("/etc/apt/preferences.d/pin", "Package: toy\nPin: release a=*\nPin-Priority: -10\n")
    assert held(apt.listing()) == {NEW.id: "pinned"}


def test_a_downgrade_that_a_pin_asks_for_is_no_update(apt: Root) -> None:
    """A priority above 1000 makes an older version the candidate (mvo5/unattended-upgrades#363, ansible#85147)."""
    has(apt, Deb(name="toy", version="2.0"), OTHER)
    archive(apt, "updates", [NEW, OTHER_NEW])
    apt.write("/etc/apt/preferences.d/pin", "Package: toy\nPin: version 1.2\nPin-Priority: 1001\n")
    listing = apt.listing()
    assert kinds(listing) == {OTHER_NEW.id: "Bugfix"} and listing.forecast.downgrades == ("toy",)


def test_a_security_update_that_the_default_release_hides_is_listed_as_held(apt: Root) -> None:
    """The default release does not match the security suite since Debian 11 (debops/debops#2169)."""
    has(apt, OLD)
    archive(apt, "main", [OLD], suite="bookworm")
    archive(apt, "security", [NEW], label="Debian-Security", suite="bookworm-security")
    apt.write("/etc/apt/apt.conf.d/90release", 'APT::Default-Release "bookworm";\n')
    listing = apt.listing(replace(RULES, security_only=True))
    assert held(listing) == {NEW.id: "pinned"} and listing.patches == ()


def test_a_damaged_file_of_pins_is_a_failed_list(apt: Root) -> None:
    """apt says "No priority (or zero) specified for pin", and shows no version of anything (netdata/netdata#19779)."""
    has(apt, OLD)
    archive(apt, "updates", [NEW])
    apt.write("/etc/apt/preferences.d/80netdata", "Package: *\nPin: origin x\nPriority: 1000\n")
    with pytest.raises(PatchtideError, match="No priority"):
        apt.listing()


def test_automatic_removal_by_configuration_withholds_nothing(apt: Root) -> None:
    """With APT::Get::AutomaticRemove every install also removes what nothing needs (apt.conf(5); in
    ansible/ansible#55640 packages went that nobody had asked to remove)."""
    has(apt, OLD, OTHER)
    archive(apt, "updates", [NEW])
    apt.sh("apt-mark auto other")
    apt.write("/etc/apt/apt.conf.d/90remove", 'APT::Get::AutomaticRemove "true";\nAPT::Get::Show-Versions "true";\n')
    proof = apt.install(NEW.id)
    assert proof.installed == (NEW.id,) and proof.removed == ()


def test_what_an_installed_package_lacks_is_repaired_if_that_is_allowed(apt: Root) -> None:
    """apt installs nothing at all while a package lacks what it needs, and dpkg --audit is silent about it
    (pulibrary/princeton_ansible#3269)."""
    has(apt, OLD, replace(OTHER, fields={"Depends": "helper"}))
    archive(apt, "updates", [NEW, Deb(name="helper", version="1")])
    assert "other : Depends: helper" in apt.install(NEW.id).failed[NEW.id]
    repaired = apt.install(NEW.id, rules=REPAIR)
    assert repaired.installed == (NEW.id,) and "other : Depends: helper" in repaired.notes[0]


def test_a_failed_hook_of_apt_get_update_does_not_stop_the_updates(apt: Root) -> None:
    """Hooks of appstream, command-not-found or apt-show-versions fail, and apt-get update ends with 100 though its
    lists are whole (MichaIng/DietPi#4487, elementary/appcenter#524)."""
    has(apt, OLD)
    archive(apt, "updates", [NEW])
    apt.write("/etc/apt/apt.conf.d/90hook", 'APT::Update::Post-Invoke { "exit 1"; };\n')
    listing = apt.listing()
    assert kinds(listing) == {NEW.id: "Bugfix"} and [note.code for note in listing.notes] == ["hook"]
    apt.sh("echo 'deb [trusted=yes] file:/srv/nowhere ./' >/etc/apt/sources.list.d/nowhere.list")
    with pytest.raises(PatchtideError, match="apt, refresh"):
        apt.listing()


def test_a_failed_hook_of_dpkg_is_no_failed_package(apt: Root) -> None:
    """DPkg::Post-Invoke hooks fail, and apt-get ends with 100, after everything is installed
    (Vanilla-OS/vanilla-system-operator#101, community-scripts/ProxmoxVE#6078)."""
    has(apt, OLD)
    archive(apt, "updates", [NEW])
    apt.write("/etc/apt/apt.conf.d/90hook", 'DPkg::Post-Invoke { "exit 1"; };\n')
    proof = apt.install(NEW.id)
    assert proof.installed == (NEW.id,) and proof.failed == {}


def test_a_hook_that_forbids_an_install_is_told(apt: Root) -> None:
    """etckeeper stops apt while changes in /etc are not committed (SoftCreatR/imei#102)."""
    has(apt, OLD)
    archive(apt, "updates", [NEW])
    apt.write("/etc/apt/apt.conf.d/05etckeeper", 'DPkg::Pre-Invoke { "echo uncommitted changes >&2; exit 1"; };\n')
    proof = apt.install(NEW.id)
    assert "uncommitted changes" in proof.failed[NEW.id] and "DPkg::Pre-Invoke" in proof.failed[NEW.id]


@pytest.mark.parametrize(
    ("release", "cause"),
    [
        ("Valid-Until: Sat, 01 Jan 2022 00:00:00 UTC\n", "its metadata has expired, or the clock is wrong"),
        ("Date: Sat, 01 Jan 2050 00:00:00 UTC\n", "its metadata has expired, or the clock is wrong"),
        ("<html>log in</html>\n", "a proxy or a login page answered"),
    ],
)
def test_metadata_of_another_time_or_of_a_login_page_is_told(apt: Root, release: str, cause: str) -> None:
    """A clock that is wrong after resume (microsoft/WSL#4114), an archive that nobody renews, and pages that are no
    repository, "NOSPLIT" (cloudflare/cloudflared#661)."""
    archive(apt, "updates", [NEW], release=release)
    if "html" in release:
        (apt.folder / "updates/InRelease").write_text(release)
        apt.write("/etc/apt/sources.list.d/updates.list", "deb file:/srv/updates ./\n")
    with pytest.raises(PatchtideError, match=f"apt, refresh .*{cause}"):
        apt.listing()


def test_an_archive_that_got_another_label_is_told(apt: Root) -> None:
    """apt wants that confirmed by hand (ansible/ansible#48352)."""
    archive(apt, "updates", [NEW])
    apt.listing()
    archive(apt, "updates", [NEW], label="Other (DISCONTINUED)")
    with pytest.raises(PatchtideError, match="the repository became another one, which has to be confirmed"):
        apt.listing()


def test_two_source_files_that_disagree_are_told(apt: Root) -> None:
    """One names a key for a repository, the other none: apt reads no repository (docker/for-linux#1349)."""
    archive(apt, "updates", [NEW])
    apt.write("/etc/apt/sources.list.d/again.list", "deb [signed-by=/etc/apt/keyrings/x.gpg] file:/srv/updates ./\n")
    with pytest.raises(PatchtideError, match="two of its source files disagree"):
        apt.listing()


@pytest.mark.parametrize("file", ["/srv/updates/Packages", "/var/lib/dpkg/status"])
def test_an_unreadable_index_or_database_is_told(apt: Root, file: str) -> None:
    """One bad entry of one repository, or of dpkg's own file, and apt shows nothing at all (keybase/client#2132,
    davesteele/comitup#275)."""
    has(apt, OLD)
    archive(apt, "updates", [NEW])
    apt.sh(f"sed -i '1s/^/Version: 1\\n\\n/' {file}; sed -i '/^ .*Packages$/d' /srv/updates/Release")
    with pytest.raises(PatchtideError, match="a package list, or dpkg's status file, is damaged"):
        apt.listing()
    proof = apt.install(NEW.id)
    assert proof.installed == () and proof.changes == ()
    assert (proof.stopped is not None) == file.startswith("/var")


def test_a_user_that_is_gone_stops_dpkg_and_is_named(apt: Root) -> None:
    """dpkg installs nothing while an override names a user that was removed (netdata/netdata#10061)."""
    has(apt, OLD)
    archive(apt, "updates", [NEW])
    apt.sh("echo 'netdata root 0640 /etc/netdata.conf' >>/var/lib/dpkg/statoverride")
    proof = apt.install(NEW.id)
    assert "unknown system user 'netdata'" in proof.failed[NEW.id] and proof.changes == ()


def test_a_search_path_without_sbin_is_enough(apt: Root) -> None:
    """After ``su`` without a dash dpkg finds neither ldconfig nor start-stop-daemon (ansible/ansible#45219)."""
    has(apt, OLD)
    archive(apt, "updates", [NEW])
    apt.write(f"{WORK}/work.sh", install_script([NEW.id], RULES, 600))
    apt.sh(f"PATH=/usr/bin:/bin sh {WORK}/work.sh >{WORK}/out 2>{WORK}/err")
    assert apt.proof(NEW.id).installed == (NEW.id,)


def test_a_daemon_that_a_script_leaves_behind_holds_nothing_up(apt: Root) -> None:
    """It keeps the script's streams open, and a tool that reads them to their end waits for ever
    (ansible/ansible#30411)."""
    has(apt, OLD)
    archive(apt, "updates", [replace(NEW, scripts={"postinst": "sleep 60 &"})])
    begin = time.monotonic()
    assert apt.install(NEW.id).installed == (NEW.id,)
    assert time.monotonic() - begin < 30


def test_both_architectures_of_a_package_come_together(apt: Root) -> None:
    """Libraries of two architectures have the same version; where a repository has a new one of one alone, nothing is
    updated (uyuni-project/uyuni#7584), or the other one goes."""
    names = {"Multi-Arch": "same"}
    sides = [Deb(name="toy", version="1.0", fields={**names, "Architecture": arch}) for arch in ("amd64", "i386")]
    apt.sh("dpkg --add-architecture i386")
    for side in sides:
        has(apt, side)
    new = [replace(side, version="1.2") for side in sides]
    archive(apt, "updates", new[:1])
    assert held(apt.listing()) == {"toy.amd64:1.2": "removes"}
    alone = apt.install("toy.amd64:1.2")
    assert alone.held["toy.amd64:1.2"][0] == "removes" and alone.changes == ()
    archive(apt, "updates", new)
    listed = [patch.id for patch in apt.listing().patches]
    assert sorted(listed) == ["toy.amd64:1.2", "toy.i386:1.2"]
    proof = apt.install(*listed)
    assert proof.installed == tuple(listed) and proof.removed == ()


def test_versions_with_epoch_tilde_and_plus_are_installed_as_they_stand(apt: Root) -> None:
    """Names have pluses and dots as well (puppetlabs/puppetlabs-apt#1074), versions have epochs (chef/chef#13042)."""
    old = Deb(name="libtoy++", version="1:1.0~rc1")
    new = replace(old, version="1:1.0+deb12u1~bpo1")
    has(apt, old)
    archive(apt, "updates", [new])
    assert kinds(apt.listing()) == {new.id: "Bugfix"}
    assert apt.install(new.id).installed == (new.id,)
