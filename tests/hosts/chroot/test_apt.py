# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real apt and dpkg: what is listed, what an install proves, and what may go wrong with either."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import Listing

from tests.hosts.chroot.roots import RULES, WORK, Root
from tests.hosts.chroot.toys import Deb, archive, has

OLD, NEW = Deb(name="toy", version="1.0"), Deb(name="toy", version="1.2")
OTHER, OTHER_NEW = Deb(name="other", version="1"), Deb(name="other", version="2")
SECURITY = {"label": "Debian-Security", "suite": "stable-security"}


def kinds(listing: Listing) -> dict[str, str]:
    return {patch.id: patch.classification for patch in listing.patches}


def held(listing: Listing) -> dict[str, str]:
    return {item.patch.id: item.why for item in listing.held}


def test_a_security_update_behind_a_newer_ordinary_one_is_listed_as_security(apt: Root) -> None:
    """Installed 1.0, security 1.1, updates 1.2: the candidate is 1.2 (mvo5/unattended-upgrades#122)."""
    has(apt, OLD)
    archive(apt, "security", [Deb(name="toy", version="1.1")], **SECURITY)
    archive(apt, "updates", [NEW])
    assert kinds(apt.listing(replace(RULES, security_only=True))) == {NEW.id: "Security"}


def test_a_mirror_without_the_label_does_not_say_what_is_a_security_update(apt: Root) -> None:
    """aptly publishes under a label of its own (aptly-dev/aptly#306); what is not said is not known."""
    has(apt, OLD)
    archive(apt, "mirror", [NEW], label="mirror", origin="mirror", suite="bookworm")
    rules = replace(RULES, security_only=True)
    assert apt.listing(rules).security_unknown != ""
    told = replace(rules, security_sources=("file:/srv/mirror*",))
    assert kinds(apt.listing(told)) == {NEW.id: "Security"} and apt.listing(told).security_unknown == ""


def test_a_third_party_repository_does_not_say_either(apt: Root) -> None:
    has(apt, OLD, OTHER)
    archive(apt, "security", [OTHER_NEW], **SECURITY)
    archive(apt, "vendor", [NEW], label="Vendor", origin="Vendor", suite="stable")
    rules = replace(RULES, security_only=True)
    assert "/srv/vendor" in apt.listing(rules).security_unknown
    assert apt.listing(replace(rules, other_sources=("Vendor",))).security_unknown == ""


def test_a_held_package_is_listed_as_held(apt: Root) -> None:
    """apt-get lists nothing of a package on hold (PatchMon/PatchMon#636)."""
    has(apt, OLD)
    archive(apt, "security", [NEW], **SECURITY)
    apt.sh("apt-mark hold toy")
    listing = apt.listing(replace(RULES, security_only=True))
    assert held(listing) == {NEW.id: "hold"} and listing.patches == ()


@pytest.mark.parametrize("priority", ["-1", "50"])
def test_a_pinned_package_is_listed_as_held(apt: Root, priority: str) -> None:
    """A pin below the installed version's hides an update from apt (apt_preferences(5))."""
    has(apt, OLD)
    archive(apt, "security", [NEW], **SECURITY)
    apt.write("/etc/apt/preferences.d/pin", f"Package: toy\nPin: version 1.2\nPin-Priority: {priority}\n")
    assert held(apt.listing()) == {NEW.id: "pinned"}


def test_what_the_policy_excludes_is_listed_as_held(apt: Root) -> None:
    has(apt, OLD)
    archive(apt, "updates", [NEW])
    assert held(apt.listing(replace(RULES, exclude=("to*",)))) == {NEW.id: "excluded"}


def test_an_update_that_waits_for_its_phase_is_neither_missing_nor_held(apt: Root) -> None:
    """Ubuntu offers an update to a share of the hosts (discourse.ubuntu.com, "Phased updates in APT in 21.04")."""
    has(apt, OLD)
    archive(apt, "updates", [Deb(name="toy", version="1.2", fields={"Phased-Update-Percentage": "0"})])
    apt.write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    apt.write("/etc/apt/apt.conf.d/90phase", 'APT::Get::Never-Include-Phased-Updates "true";\n')
    listing = apt.listing()
    assert (listing.patches, listing.held) == ((), ())
    assert [note.code for note in listing.notes] == ["phased"]


def test_an_update_that_removes_packages_is_held_without_consent(apt: Root) -> None:
    """An upgrade may remove packages, in silence (ansible/ansible#63231)."""
    has(apt, OLD, OTHER)
    new = replace(NEW, fields={"Conflicts": "other"})
    archive(apt, "updates", [new])
    listing = apt.listing()
    assert held(listing) == {NEW.id: "removes"} and "other" in listing.held[0].text
    willing = apt.listing(replace(RULES, allow_removals=True))
    assert kinds(willing) == {NEW.id: "Bugfix"} and willing.removals == ("other",)

    kept = apt.install(NEW.id)
    assert kept.held == {NEW.id: ("removes", "installing it removes other")} and kept.changes == ()
    done = apt.install(NEW.id, rules=replace(RULES, allow_removals=True))
    assert (done.installed, done.removed) == ((NEW.id,), ("other",))


def test_exactly_the_list_is_installed_and_proved(apt: Root) -> None:
    has(apt, OLD, OTHER)
    archive(apt, "updates", [NEW, OTHER_NEW])
    proof = apt.install(NEW.id)
    assert proof.installed == (NEW.id,) and proof.is_whole
    assert [(item.name, item.old, item.new) for item in proof.changes] == [("toy", "1.0", "1.2")]
    assert proof.unplanned([NEW.id]) == ()
    again = apt.install(NEW.id)
    assert again.installed == (NEW.id,) and again.changes == ()


def test_a_failed_postinst_is_a_failed_package_though_its_version_is_there(apt: Root) -> None:
    """dpkg shows the new version, half-configured; no list of updates has it any more (dpkg(1), package states)."""
    has(apt, OLD, OTHER)
    broken = replace(NEW, scripts={"postinst": "echo no luck >&2; exit 1"})
    archive(apt, "updates", [broken, OTHER_NEW])
    proof = apt.install(NEW.id, OTHER_NEW.id)
    assert proof.installed == (OTHER_NEW.id,)
    assert "half-configured" in proof.failed[NEW.id] and "maintainer script failed" in proof.failed[NEW.id]
    assert proof.broken != ""
    listing = apt.listing()
    assert listing.patches == () and listing.broken == {NEW.id: "half-configured"}


def test_a_version_that_is_gone_does_not_keep_the_others(apt: Root) -> None:
    has(apt, OLD, OTHER)
    archive(apt, "updates", [NEW, OTHER_NEW])
    gone = "toy.all:1.1"
    proof = apt.install(gone, OTHER_NEW.id)
    assert proof.installed == (OTHER_NEW.id,)
    assert (proof.withdrawn, dict(proof.failed)) == ((gone,), {})


def test_one_that_can_not_be_installed_does_not_keep_the_others_of_its_step(apt: Root) -> None:
    """apt-get installs all of a command line or nothing."""
    names = [f"many{number}" for number in range(25)]
    has(apt, *(Deb(name=name, version="1") for name in names))
    new = [Deb(name=name, version="2") for name in names]
    new[3] = replace(new[3], fields={"Depends": "nowhere"})
    archive(apt, "updates", new)
    proof = apt.install(*(item.id for item in new))
    assert len(proof.installed) == 24 and list(proof.failed) == [new[3].id]
    assert "dependencies can't be fulfilled" in proof.failed[new[3].id]


def test_what_comes_in_as_a_dependency_is_told(apt: Root) -> None:
    has(apt, OLD)
    new = replace(NEW, fields={"Depends": "helper"})
    archive(apt, "updates", [new, Deb(name="helper", version="7")])
    proof = apt.install(NEW.id)
    assert [(item.name, item.new) for item in proof.unplanned([NEW.id])] == [("helper", "7")]


def test_a_planned_dependency_comes_in_its_planned_version(apt: Root) -> None:
    """A dependency that is not named comes in the candidate's version, whatever the plan says."""
    has(apt, OLD, OTHER)
    new = replace(NEW, fields={"Depends": "other (>= 2)"})
    archive(apt, "updates", [new, OTHER_NEW, Deb(name="other", version="3")])
    proof = apt.install(NEW.id, OTHER_NEW.id)
    assert proof.installed == (NEW.id, OTHER_NEW.id)
    assert {item.new for item in proof.changes} == {"1.2", "2"}


def test_nothing_excluded_comes_in_as_a_dependency(apt: Root) -> None:
    """A package excluded by pattern was updated as a dependency, in silence (puppet-patching_as_code#108)."""
    has(apt, OLD, OTHER)
    new = replace(NEW, fields={"Depends": "other (>= 2)"})
    archive(apt, "updates", [new, OTHER_NEW])
    proof = apt.install(NEW.id, rules=replace(RULES, exclude=("oth*",)))
    assert proof.held == {NEW.id: ("excluded", "it needs other, which the policy excludes")} and proof.changes == ()


def test_a_newer_version_is_never_replaced_by_the_planned_one(apt: Root) -> None:
    has(apt, Deb(name="toy", version="2.0"))
    archive(apt, "updates", [NEW])
    proof = apt.install(NEW.id)
    assert proof.held[NEW.id][0] == "downgrade" and proof.changes == ()


def test_a_package_on_hold_is_not_installed(apt: Root) -> None:
    has(apt, OLD)
    archive(apt, "updates", [NEW])
    apt.sh("apt-mark hold toy")
    proof = apt.install(NEW.id)
    assert proof.failed[NEW.id].startswith("it is on hold") and proof.changes == ()


def test_changed_configuration_files_are_kept_without_a_question(apt: Root) -> None:
    """DEBIAN_FRONTEND=noninteractive does not answer dpkg's conffile question, and unattended-upgrades leaves such a
    package out (jnv/ansible-role-unattended-upgrades#56)."""

    def version(number: str, text: str) -> Deb:
        return Deb(name="toy", version=number, files={"etc/toy.conf": text}, conffiles=["etc/toy.conf"])

    has(apt, version("1.0", "a=1\n"))
    archive(apt, "updates", [version("1.2", "a=2\n")])
    apt.write("/etc/toy.conf", "a=ours\n")
    assert apt.install(NEW.id).installed == (NEW.id,)
    assert apt.sh("cat /etc/toy.conf") == "a=ours\n"


def test_after_the_deadline_no_further_step_begins(apt: Root) -> None:
    has(apt, OLD, OTHER)
    archive(apt, "updates", [replace(NEW, scripts={"postinst": "sleep 7"}), OTHER_NEW])
    proof = apt.install(NEW.id, OTHER_NEW.id, seconds=6)  # enough for the refresh on a busy machine
    assert (proof.installed, proof.left) == ((NEW.id,), (OTHER_NEW.id,))
    assert apt.install(NEW.id, OTHER_NEW.id, seconds=0).left == (OTHER_NEW.id,)


def test_an_interrupted_dpkg_stops_the_install_unless_it_may_be_repaired(apt: Root) -> None:
    """An interrupted install leaves packages unpacked, and nothing goes on without dpkg --configure -a
    (openhab/openhabian#952)."""
    has(apt, OLD, OTHER)
    archive(apt, "updates", [NEW])
    apt.sh("dpkg --unpack /srv/old/other_1_all.deb && dpkg --audit")
    proof = apt.install(NEW.id)
    assert proof.stopped and proof.stopped[0] == "broken" and "other" in proof.stopped[1]
    assert proof.unknown == (NEW.id,) and proof.changes == ()
    repaired = apt.install(NEW.id, rules=replace(RULES, repair=True))
    assert repaired.installed == (NEW.id,) and repaired.broken == ""


def test_a_repair_asks_no_question_about_configuration_files(apt: Root) -> None:
    """dpkg --configure -a asks as an upgrade does, and waits for ever (delphix/appliance-build#861)."""

    def version(number: str, text: str) -> Deb:
        return Deb(name="other", version=number, files={"etc/other.conf": text}, conffiles=["etc/other.conf"])

    has(apt, OLD, version("1", "a=1\n"))
    archive(apt, "updates", [NEW])
    apt.write("/etc/other.conf", "a=ours\n")
    version("2", "a=2\n").build(apt.folder / "new")
    apt.sh("dpkg --unpack /srv/new/other_2_all.deb")
    proof = apt.install(NEW.id, rules=replace(RULES, repair=True))
    assert proof.installed == (NEW.id,) and proof.broken == ""
    assert apt.sh("cat /etc/other.conf; dpkg-query -W -f '${Status}' other") == "a=ours\ninstall ok installed"


def test_a_file_that_two_packages_have_is_a_failure_with_both_names(apt: Root) -> None:
    """dpkg: "trying to overwrite ..., which is also in package ..." (dpkg(1), --force-overwrite)."""
    has(apt, OLD, Deb(name="other", version="1", files={"opt/shared": "1"}))
    archive(apt, "updates", [replace(NEW, files={"opt/shared": "2"}), OTHER_NEW])
    proof = apt.install(NEW.id)
    assert "other" in proof.failed[NEW.id] and proof.changes == ()


def test_a_package_whose_removal_script_fails_keeps_its_old_version(apt: Root) -> None:
    """The old prerm and the new one both fail: dpkg keeps the old package (Debian policy 6.6)."""
    has(apt, replace(OLD, scripts={"prerm": "exit 1"}))
    archive(apt, "updates", [replace(NEW, scripts={"prerm": "exit 1"})])
    proof = apt.install(NEW.id)
    assert NEW.id in proof.failed and proof.installed == ()


def test_a_file_of_the_archive_that_is_damaged_is_named(apt: Root) -> None:
    """The file differs from the index: "unexpected size" or "Hash Sum mismatch" (apt-get(8))."""
    has(apt, OLD, OTHER)
    archive(apt, "updates", [NEW, OTHER_NEW])
    (apt.folder / "updates" / "toy_1.2_all.deb").write_bytes(b"damaged")
    proof = apt.install(NEW.id, OTHER_NEW.id)
    assert proof.installed == (OTHER_NEW.id,) and "the mirror is being updated" in proof.failed[NEW.id]


def test_a_package_of_the_archive_that_is_gone_is_named(apt: Root) -> None:
    """The index has it, the archive does not: a mirror in the middle of its update (apt-get(8), "Unable to fetch")."""
    has(apt, OLD, OTHER)
    archive(apt, "updates", [NEW, OTHER_NEW])
    (apt.folder / "updates" / "toy_1.2_all.deb").unlink()
    proof = apt.install(NEW.id, OTHER_NEW.id)
    assert proof.installed == (OTHER_NEW.id,) and NEW.id in proof.failed


def test_a_broken_source_file_is_a_failed_list(apt: Root) -> None:
    """ "Malformed entry": apt reads no repository at all (sources.list(5))."""
    has(apt, OLD)
    archive(apt, "updates", [NEW])
    apt.write("/etc/apt/sources.list.d/broken.list", "deb [\n")
    with pytest.raises(PatchtideError, match="Malformed entry"):
        apt.listing()


LOCKS = ("/var/lib/apt/lists/lock", "/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/cache/apt/archives/lock")
#: Takes a lock as apt does, for so many seconds.
TAKE = """perl -e 'use Fcntl; open(my $f, ">>", $ARGV[0]) or die; my $l = pack("s s l! l! i", F_WRLCK, 0, 0, 0, 0);
fcntl($f, F_SETLK, $l) or die; print "held\n"; $| = 1; sleep $ARGV[1]' {} {}"""


@pytest.mark.parametrize("lock", LOCKS)
def test_every_lock_is_waited_for(apt: Root, lock: str) -> None:
    """DPkg::Lock::Timeout covers neither the lists nor the archives (docker/docker-install#366, ansible/ansible#51663
    for the frontend's, ansible/ansible#48917 for the lists')."""
    has(apt, OLD)
    archive(apt, "updates", [NEW])
    holder = apt.start(TAKE.format(lock, 4))
    time.sleep(0.5)
    assert kinds(apt.listing()) == {NEW.id: "Bugfix"}
    assert holder.wait() == 0


def test_who_holds_a_lock_for_too_long_is_named(apt: Root) -> None:
    has(apt, OLD)
    archive(apt, "updates", [NEW])
    holder = apt.start(TAKE.format(LOCKS[0], 30))
    time.sleep(0.5)
    with pytest.raises(PatchtideError, match=r"locked by perl \(pid \d+\) for more than 1 seconds"):
        apt.listing(replace(RULES, lock_seconds=1))
    proof = apt.install(NEW.id, rules=replace(RULES, lock_seconds=1))
    assert proof.stopped and proof.stopped[0] == "locked" and "perl" in proof.stopped[1]
    holder.kill()
    holder.wait()


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("deb http://no-such-host.invalid/debian stable main", "DNS can't resolve the name"),
        ("deb http://127.0.0.1:9/debian stable main", "it can't be reached"),
        ("deb [trusted=no] file:/srv/updates ./", "its signature can't be verified"),
        ("deb [trusted=yes] file:/srv/nowhere ./", "it"),
    ],
)
def test_repository_trouble_is_a_failed_list_with_its_cause(apt: Root, line: str, cause: str) -> None:
    """apt-get update ends with 0 and uses old lists where a name can't be resolved or nothing answers."""
    archive(apt, "updates", [NEW])
    apt.write("/etc/apt/sources.list.d/updates.list", f"{line}\n")
    apt.write("/etc/apt/apt.conf.d/90fast", 'Acquire::Retries "0";\n')
    with pytest.raises(PatchtideError, match=f"apt, refresh .*{cause}"):
        apt.listing()


def test_a_full_disk_is_named(apt: Root) -> None:
    """No space left: dpkg leaves the package unpacked or untouched; it says so on stderr alone."""
    has(apt, OLD)
    archive(apt, "updates", [replace(NEW, files={"opt/full/data": "x" * 3_000_000})])
    apt.sh("mkdir -p /opt/full && mount -t tmpfs -o size=1m tmpfs /opt/full")
    proof = apt.install(NEW.id)
    assert proof.failed[NEW.id].startswith("exit code 100: a disk is full")


def test_a_killed_install_proves_what_it_did_and_what_it_left(apt: Root) -> None:
    has(apt, OLD, OTHER)
    archive(apt, "updates", [OTHER_NEW, replace(NEW, scripts={"postinst": "sleep 300"})])
    apt.install(OTHER_NEW.id, NEW.id, seconds=0)
    work = apt.start(f"timeout -k 1 12 sh -c 'sed -i s/^stop=.*/stop=99999999999/ {WORK}/work.sh; sh {WORK}/work.sh'")
    assert work.wait() in (124, 137)
    proof = apt.proof(OTHER_NEW.id, NEW.id)
    assert proof.installed == (OTHER_NEW.id,) and "configured" in proof.failed[NEW.id] and not proof.is_whole


def test_kernels_are_told(apt: Root) -> None:
    has(
        apt, Deb(name="linux-image-6.1.0-9-amd64", version="6.1.9"), Deb(name="linux-image-6.1.0-10-amd64", version="1")
    )
    assert apt.listing().kernels == {"installed": "6.1.0-10-amd64"}


def test_an_image_based_host_is_refused(apt: Root) -> None:
    apt.sh(": >/run/ostree-booted")
    with pytest.raises(PatchtideError, match="can't be patched by this executor: an image-based system"):
        apt.listing()
