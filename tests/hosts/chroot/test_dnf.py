# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's dnf and rpm on a look-alike of the RPM family: what is listed, what an install proves, what goes wrong."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import Listing
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.scripts import with_managers

from tests.hosts.chroot.roots import RULES, WORK, Root
from tests.hosts.chroot.toys import Advisory, Rpm, build, installed, repository

OLD, NEW = Rpm(name="toy", version="1.0"), Rpm(name="toy", version="1.2")
OTHER, OTHER_NEW = Rpm(name="other", version="1"), Rpm(name="other", version="2")
SECURITY_ONLY = replace(RULES, security_only=True)
#: What stands behind a scriptlet's name in the words of dnf 4 and of dnf 5.
FAILED = r"([(]toy-1.2-1.noarch[)] scriptlet failed| scriptlet: toy-0:1.2-1.noarch)"


def kinds(listing: Listing) -> dict[str, str]:
    return {patch.id: patch.classification for patch in listing.patches}


def held(listing: Listing) -> dict[str, str]:
    return {item.patch.id: item.why for item in listing.held}


def test_an_advisory_for_an_older_build_makes_the_newest_a_security_update(dnf: Root) -> None:
    """check-update names the newest version, not the advisory's."""
    installed(dnf, OLD, OTHER)
    fix = Rpm(name="toy", version="1.1")
    repository(dnf, "base", [fix, NEW, OTHER_NEW], [Advisory(name="RHSA-1", packages=[fix])])
    listing = dnf.listing()
    assert kinds(listing) == {NEW.id: "Security", OTHER_NEW.id: "Bugfix"}
    assert [patch.severity for patch in listing.patches if patch.id == NEW.id] == ["Important"]
    assert kinds(dnf.listing(SECURITY_ONLY)) == {NEW.id: "Security"}


def test_a_repository_without_updateinfo_is_not_clean_but_unknown(dnf: Root) -> None:
    """security: true finds nothing on CentOS Stream, for ever (ansible/ansible#78560)."""
    installed(dnf, OLD)
    repository(dnf, "stream", [NEW], None)
    assert dnf.listing(SECURITY_ONLY).security_unknown != ""


def test_one_repository_with_updateinfo_does_not_speak_for_another(dnf: Root) -> None:
    installed(dnf, OLD, OTHER)
    repository(dnf, "epel", [OTHER_NEW], [Advisory(name="FEDORA-EPEL-1", packages=[OTHER_NEW])])
    repository(dnf, "stream", [NEW], None)
    assert dnf.listing(SECURITY_ONLY).unclear == ("stream",)
    assert dnf.listing(replace(SECURITY_ONLY, other_sources=("stream",))).security_unknown == ""
    assert set(kinds(dnf.listing(replace(SECURITY_ONLY, security_sources=("stream",))))) == {NEW.id, OTHER_NEW.id}


def test_a_version_lock_is_listed_as_held(dnf: Root) -> None:
    """check-update is silent about a locked package, with exit code 0 (PackageKit/PackageKit#444)."""
    installed(dnf, OLD)
    repository(dnf, "base", [NEW], [Advisory(name="RHSA-1", packages=[NEW])])
    dnf.sh("dnf -q versionlock add toy")
    listing = dnf.listing(SECURITY_ONLY)
    assert held(listing) == {NEW.id: "hold"} and "versionlock" in listing.held[0].text


def test_what_the_configuration_excludes_is_listed_as_held(dnf: Root) -> None:
    installed(dnf, OLD)
    repository(dnf, "base", [NEW], [])
    dnf.sh("echo excludepkgs=to* >>/etc/dnf/dnf.conf")
    assert held(dnf.listing()) == {NEW.id: "excluded"}


def test_obsoletes_are_offered_and_what_they_replace_is_told(dnf: Root) -> None:
    installed(dnf, OLD)
    successor = Rpm(name="successor", version="1.2", tags=["Obsoletes: toy < 1.2", "Provides: toy = 1.2"])
    repository(dnf, "base", [successor], [])
    listing = dnf.listing()
    assert (kinds(listing), listing.removals) == ({successor.id: "Bugfix"}, ("toy",))
    proof = dnf.install(successor.id)
    assert (proof.installed, proof.removed) == ((successor.id,), ("toy",))


def test_exactly_the_list_is_installed_and_proved(dnf: Root) -> None:
    installed(dnf, OLD, OTHER)
    repository(dnf, "base", [Rpm(name="toy", version="1.1"), NEW, OTHER_NEW], [])
    proof = dnf.install("toy.noarch:1.1-1")
    assert proof.installed == ("toy.noarch:1.1-1",) and proof.is_whole
    assert [(item.name, item.old, item.new) for item in proof.changes] == [("toy", "1.0-1", "1.1-1")]


def test_a_failed_post_script_is_a_failed_package_though_dnf_ends_with_0(dnf: Root) -> None:
    """dnf prints a warning and ends with 0; the new version is installed (rpm-software-management/rpm#2581)."""
    installed(dnf, OLD, OTHER)
    repository(dnf, "base", [replace(NEW, scripts={"post": "exit 1"}), replace(OTHER_NEW, scripts={"post": "exit 0"})])
    proof = dnf.install(NEW.id, OTHER_NEW.id)
    assert proof.installed == (OTHER_NEW.id,)
    assert re.search(f"%post{FAILED}", proof.failed[NEW.id])


def test_a_failed_posttrans_script_counts_as_well(dnf: Root) -> None:
    installed(dnf, OLD)
    repository(dnf, "base", [replace(NEW, scripts={"posttrans": "exit 1"})])
    assert re.search(f"%posttrans{FAILED}", dnf.install(NEW.id).failed[NEW.id])


@pytest.mark.parametrize("script", ["post", "posttrans"])
def test_a_failed_script_stays_a_failure_until_a_reinstall_succeeds(dnf: Root, script: str) -> None:
    """The database has the new version like any other, so that a retry found it installed (rpm-software-management/
    rpm#2581)."""
    installed(dnf, OLD)
    repository(dnf, "base", [replace(NEW, scripts={script: "test -e /etc/fixed"})])
    assert re.search(FAILED, dnf.install(NEW.id).failed[NEW.id])
    again = dnf.install(NEW.id)
    assert re.search(f"%{script}{FAILED}", again.failed[NEW.id]) and again.changes == ()
    assert re.search(FAILED, dnf.listing().broken[NEW.id])
    willing = replace(RULES, repair=True)
    assert re.search(FAILED, dnf.install(NEW.id, rules=willing).failed[NEW.id])
    dnf.sh(": >/etc/fixed")
    repaired = dnf.install(NEW.id, rules=willing)
    assert repaired.installed == (NEW.id,) and f"scriptlets of {NEW.id}" in repaired.notes[0]
    assert dnf.listing().broken == {}


def test_a_failed_script_of_the_old_version_is_no_failure_of_the_new_one(dnf: Root) -> None:
    """dnf prints "Non-fatal POSTUN scriptlet failure" of what it removed (nmilosev/termux-fedora#24)."""
    installed(dnf, replace(OLD, scripts={"postun": "exit 1"}))
    repository(dnf, "base", [NEW])
    assert dnf.install(NEW.id).installed == (NEW.id,) and dnf.listing().broken == {}


@pytest.mark.parametrize(
    ("line", "failed"),
    [
        (">>> Non-critical error in %post scriptlet: toy-0:1.2-1.noarch", True),
        (">>> Error in post-transaction scriptlet: toy-0:1.2-1.noarch return code 1", True),
        (">>> Error in post-transaction scriptlet: toy-0:1.2-1.noarch return code 0", False),
        ("[RPM] %post(toy-1.2-1.noarch) scriptlet failed, exit status 1", True),
        (">>> Stop post-transaction scriptlet: toy-0:1.2-1.noarch", False),
        (">>> Non-critical error in %post scriptlet: absent-0:1.2-1.noarch", False),
    ],
)
def test_what_dnf_5_says_of_a_failed_script_is_remembered(dnf: Root, line: str, failed: bool) -> None:
    """Its recorded lines, on a real rpm database (rpm-software-management/dnf5#462 and #2507)."""
    installed(dnf, NEW)
    dnf.write("/srv/said", f"{line}\n")
    script = with_managers("able; rpm_remember /srv/said; rpm_scripts", RULES)
    said = dnf.sh(f"cat >/srv/remember.sh <<'END'\n{script}\nEND\nsh /srv/remember.sh")
    assert ("toy|noarch|1.2-1|" in said and line in said) == failed


def test_a_reinstall_by_hand_clears_a_failed_script(dnf: Root) -> None:
    installed(dnf, OLD)
    repository(dnf, "base", [replace(NEW, scripts={"post": "test -e /etc/fixed"})])
    assert NEW.id in dnf.install(NEW.id).failed
    dnf.sh(": >/etc/fixed; sleep 1; dnf -y reinstall toy")
    assert dnf.listing().broken == {} and dnf.install(NEW.id).installed == (NEW.id,)


def test_a_package_of_an_interrupted_transaction_is_not_installed_until_it_is_reinstalled(dnf: Root) -> None:
    """The database has it before its scriptlets end (rpm's order of a transaction, rpm-scriptlets(7))."""
    installed(dnf, OLD)
    repository(dnf, "base", [replace(NEW, scripts={"post": "test -e /etc/fixed || sleep 300"})])
    dnf.install(NEW.id, seconds=0)
    work = dnf.start(f"timeout -k 1 8 sh -c 'sed -i s/^stop=.*/stop=99999999999/ {WORK}/work.sh; sh {WORK}/work.sh'")
    assert work.wait() in (124, 137)
    for _time in range(2):
        assert "its transaction was interrupted" in dnf.proof(NEW.id).failed[NEW.id]
    dnf.sh(": >/etc/fixed; pkill -KILL dnf; rm -f /var/lib/rpm/.rpm.lock", check=False)
    assert NEW.id in dnf.install(NEW.id).failed
    assert dnf.install(NEW.id, rules=replace(RULES, repair=True)).installed == (NEW.id,)


def test_an_old_version_that_stays_beside_the_new_one_is_a_failure(dnf: Root) -> None:
    """A failed %preun leaves both versions installed."""
    installed(dnf, replace(OLD, scripts={"preun": "exit 1"}))
    repository(dnf, "base", [NEW])
    proof = dnf.install(NEW.id)
    assert "the old version stayed" in proof.failed[NEW.id]
    assert NEW.id in dnf.listing().broken


def test_what_has_broken_dependencies_is_named_and_keeps_nothing_else(dnf: Root) -> None:
    """dnf skips it under "Skipping packages with broken dependencies", with exit code 0."""
    installed(dnf, OLD, OTHER)
    repository(dnf, "base", [replace(NEW, tags=["Requires: nowhere"]), OTHER_NEW])
    proof = dnf.install(NEW.id, OTHER_NEW.id)
    assert proof.installed == (OTHER_NEW.id,)
    assert proof.failed[NEW.id].startswith("its dependencies can't be fulfilled") and "nowhere" in proof.failed[NEW.id]


def test_a_version_that_is_gone_is_named(dnf: Root) -> None:
    installed(dnf, OLD)
    repository(dnf, "base", [NEW])
    assert dnf.install("toy.noarch:1.1-1").withdrawn == ("toy.noarch:1.1-1",)


def test_a_newer_version_is_never_replaced_by_the_planned_one(dnf: Root) -> None:
    """``dnf install`` of a lower version downgrades."""
    installed(dnf, Rpm(name="toy", version="2.0"))
    repository(dnf, "base", [NEW])
    proof = dnf.install(NEW.id)
    assert proof.held[NEW.id][0] == "downgrade" and proof.changes == ()


def test_a_planned_dependency_comes_in_its_planned_version(dnf: Root) -> None:
    installed(dnf, OLD, OTHER)
    repository(dnf, "base", [replace(NEW, tags=["Requires: other >= 2"]), OTHER_NEW, Rpm(name="other", version="3")])
    proof = dnf.install(NEW.id, OTHER_NEW.id)
    assert proof.installed == (NEW.id, OTHER_NEW.id)


def test_nothing_excluded_comes_in_as_a_dependency(dnf: Root) -> None:
    installed(dnf, OLD, OTHER)
    repository(dnf, "base", [replace(NEW, tags=["Requires: other >= 2"]), OTHER_NEW])
    proof = dnf.install(NEW.id, rules=replace(RULES, exclude=("other",)))
    assert proof.held[NEW.id] == ("excluded", "it needs other, which the policy excludes") and proof.changes == ()


def test_a_missing_repository_is_a_failed_list_with_its_cause(dnf: Root) -> None:
    repository(dnf, "base", [NEW])
    dnf.sh("sed -i 's|^baseurl.*|baseurl=http://no-such-host.invalid/|' /etc/yum.repos.d/base.repo")
    with pytest.raises(PatchtideError, match=r"dnf, refresh .*DNS can't resolve the name"):
        dnf.listing()


def test_a_repository_that_dnf_may_skip_is_told(dnf: Root) -> None:
    """With skip_if_unavailable dnf ignores it and ends with 0."""
    installed(dnf, OLD)
    repository(dnf, "base", [NEW], [])
    text = "[off]\\nname=off\\nbaseurl=file:///srv/nowhere\\nskip_if_unavailable=1\\n"
    dnf.sh(f"printf '{text}' >/etc/yum.repos.d/off.repo")
    listing = dnf.listing()
    assert kinds(listing) == {NEW.id: "Bugfix"} and [note.code for note in listing.notes] == ["repository"]
    gone = "toy.noarch:1.1-1"  # which the repository that is off may have
    proof = dnf.install(gone)
    assert proof.withdrawn == () and gone in proof.failed and "a repository was skipped" in proof.notes[0]


def test_no_repository_at_all_is_not_up_to_date(dnf: Root) -> None:
    with pytest.raises(PatchtideError, match="no repository is enabled: is the host registered"):
        dnf.listing()


def test_an_unsigned_package_is_named(dnf: Root) -> None:
    installed(dnf, OLD)
    repository(dnf, "base", [NEW])
    dnf.sh("sed -i 's/^gpgcheck=0/gpgcheck=1/' /etc/yum.repos.d/base.repo")
    assert "signature can't be verified" in dnf.install(NEW.id).failed[NEW.id]


def test_amazon_linux_2023_is_told_to_be_locked_to_its_release(dnf: Root) -> None:
    """Its repositories are versioned; without --releasever no update ever shows (amazonlinux/amazon-linux-2023#272)."""
    installed(dnf, OLD)
    for release, packages in (("2023.1", [OLD]), ("2023.2", [NEW])):
        repository(dnf, release, packages, [])
        dnf.sh(f"rm /etc/yum.repos.d/{release}.repo")
    text = "[amazonlinux]\\nname=al\\nbaseurl=file:///srv/$releasever\\ngpgcheck=0\\n"
    dnf.sh(f"printf '{text}' >/etc/yum.repos.d/al.repo; echo 2023.1 >/etc/dnf/vars/releasever")
    dnf.write("/etc/os-release", 'ID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"\n')
    locked = dnf.listing()
    assert locked.patches == () and [note.code for note in locked.notes] == ["locked_release"]
    rules = replace(RULES, releasever="2023.2")
    assert kinds(dnf.listing(rules)) == {NEW.id: "Bugfix"} and dnf.listing(rules).notes == ()
    assert dnf.install(NEW.id, rules=rules).installed == (NEW.id,)


def test_a_damaged_rpm_database_stops_the_install(dnf: Root) -> None:
    installed(dnf, OLD)
    repository(dnf, "base", [NEW])
    dnf.sh("dd if=/dev/zero of=/var/lib/rpm/rpmdb.sqlite bs=1 count=4000 conv=notrunc")
    proof = dnf.install(NEW.id)
    assert proof.stopped and proof.stopped[0] == "broken" and proof.changes == ()


def test_an_unfinished_yum_transaction_stops_the_install(dnf: Root) -> None:
    """yum 3 says "There are unfinished transactions remaining" and goes on (yum-complete-transaction(8))."""
    installed(dnf, OLD)
    repository(dnf, "base", [NEW])
    dnf.sh("mkdir -p /var/lib/yum; : >/var/lib/yum/transaction-all.2026-01-01.00:00.00")
    proof = dnf.install(NEW.id)
    assert proof.stopped and "unfinished yum transaction" in proof.stopped[1]


def test_several_kernels_stay_beside_one_another(dnf: Root) -> None:
    """Kernels are installed beside the old one (installonlypkgs, dnf.conf(5)), and none of them is a leftover."""
    tags = ["Provides: installonlypkg(kernel)"]
    old, new = (Rpm(name="kernel-core", version=version, tags=tags) for version in ("5.14", "5.15"))
    installed(dnf, old)
    repository(dnf, "base", [new], [Advisory(name="RHSA-1", packages=[new], reboot=True)])
    listing = dnf.listing()
    assert listing.kernels == {"installed": "5.14-1.noarch", "available": "5.15-1.noarch"}
    proof = dnf.install(new.id)
    assert proof.installed == (new.id,) and dnf.listing().broken == {}


def test_long_names_are_read_from_dnfs_table(dnf: Root) -> None:
    """dnf breaks a row of its table where a name is too long for the column."""
    name = "toy-with-a-name-that-is-longer-than-any-column-of-the-table-of-a-transaction"
    old, new = (Rpm(name=name, version=version) for version in ("1.0", "1.2"))
    build(dnf, old, new)
    installed(dnf, old, OLD)
    repository(dnf, "base", [new, replace(NEW, tags=[f"Requires: {name} >= 1.2"])], [])
    assert set(kinds(dnf.listing())) == {new.id, NEW.id}
    proof = dnf.install(NEW.id, rules=replace(RULES, exclude=(f"{name}*",)))
    assert proof.held[NEW.id][0] == "excluded"
