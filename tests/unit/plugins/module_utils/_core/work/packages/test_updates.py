# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of updates, read from what the real package managers printed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import Listing, PackageRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.updates import read_list

from tests.fakes.package_answers import LISTS, document

RULES = PackageRules()
SECURITY_ONLY = replace(RULES, security_only=True)


def listed(manager: str, rules: PackageRules = RULES, **more: tuple[int, list[str]]) -> Listing:
    return read_list(document(manager, LISTS[manager], **more), rules)[0]


def kinds(listing: Listing) -> dict[str, str]:
    return {patch.id: patch.classification for patch in listing.patches}


@pytest.mark.parametrize(
    ("manager", "patches", "held"),
    [
        ("apt", {"toy.all:1.2": "Security", "bad.all:2": "Bugfix"}, {"held.all:2": "hold"}),
        ("dnf", {"toy.noarch:1.2-1": "Security", "bad.noarch:2-1": "Bugfix"}, {"held.noarch:2-1": "hold"}),
        (
            "zypper",
            {"patch:SUSE-1": "Security", "toy.noarch:1.2-1": "Bugfix", "bad.noarch:2-1": "Bugfix"},
            {"held.noarch:2-1": "hold"},
        ),
    ],
)
def test_updates_and_what_is_held(manager: str, patches: dict[str, str], held: dict[str, str]) -> None:
    found = listed(manager)
    assert kinds(found) == patches
    assert {item.patch.id: item.why for item in found.held} == held
    assert (found.security_unknown, found.broken, found.removals) == ("", {}, ())
    secure = listed(manager, SECURITY_ONLY)
    assert list(kinds(secure).values()) == ["Security"]


@pytest.mark.parametrize("manager", LISTS)
def test_every_part_that_a_list_needs_is_asked_for(manager: str) -> None:
    """A command that failed makes a list look shorter than it is."""
    needed = {"apt": ["refresh", "simulate", "newer", "sources"], "dnf": ["refresh", "updates", "security"]}
    for part in needed.get(manager, ["refresh", "updates", "patches"]):
        with pytest.raises(PatchtideError, match=f"{manager}, {part} .*exit code 4.*: it broke"):
            listed(manager, **{part: (4, ["it broke"])})


def test_a_part_that_was_cut_is_no_short_list() -> None:
    cut = document("apt", LISTS["apt"]).replace('"simulate":{"rc":0,"cut":false', '"simulate":{"rc":0,"cut":true')
    with pytest.raises(PatchtideError, match="simulate is too long"):
        read_list(cut, RULES)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"refused": (0, ["an image-based system"])}, "can't be patched by this executor: an image-based system"),
        ({"lock": (1, ["apt-get (pid 12)"])}, r"locked by apt-get \(pid 12\) for more than 300 seconds"),
    ],
)
def test_what_keeps_a_host_from_being_listed(parts: dict[str, tuple[int, list[str]]], message: str) -> None:
    with pytest.raises(PatchtideError, match=message):
        read_list(document("apt", parts), RULES)


@pytest.mark.parametrize("output", ["", "Last login: today\n", '{"packages":2}\n', document("apt", {})[:-20]])
def test_an_answer_that_is_cut_short_is_no_empty_list(output: str) -> None:
    with pytest.raises(PatchtideError, match=r"cut short|printed nothing"):
        read_list(output, RULES)


def test_another_package_manager_is_refused_by_name() -> None:
    with pytest.raises(PatchtideError, match="no apt, dnf, yum or zypper"):
        read_list(document("", {}), RULES)


def test_banners_before_the_document_are_ignored() -> None:
    assert read_list("Authorized use only\n" + document("apt", LISTS["apt"]), RULES)[0].manager == "apt"


def test_dnf_5_prints_advisories_in_other_columns() -> None:
    """dnf5 advisory list: name, type, severity, package and issue date (libdnf5-cli, advisorylist.cpp)."""
    line = "FEDORA-2026-1 security Moderate toy-1.1-1.noarch 2026-01-01 00:00:00"
    found = listed("dnf", security=(0, [line]))
    assert [(patch.classification, patch.severity) for patch in found.patches if patch.id.startswith("toy")] == [
        ("Security", "Moderate")
    ]


def test_dnf_counts_an_advisory_for_a_package_of_that_name_only() -> None:
    found = listed("dnf", security=(0, ["RHSA-1 Important/Sec. toy-extra-1.2-1.noarch"]))
    assert set(kinds(found).values()) == {"Bugfix"}


def test_dnf_knows_epochs_and_names_with_dots() -> None:
    lines = ["openssl-libs.x86_64   1:3.0.7-28.el9_4   base", "python3.11-setuptools.noarch   65.5.1-3.el9   base"]
    found = listed("dnf", updates=(100, lines), everything=(100, lines))
    assert list(kinds(found)) == ["openssl-libs.x86_64:1:3.0.7-28.el9_4", "python3.11-setuptools.noarch:65.5.1-3.el9"]


def test_obsoletes_of_the_same_name_remove_nothing() -> None:
    lines = [
        "grub2-tools.x86_64   1:2.06-82.el9   base",
        "Obsoleting Packages",
        "grub2-tools.x86_64   1:2.06-82.el9   base",
        "    grub2-tools.x86_64   1:2.06-80.el9   @System",
    ]
    assert listed("dnf", updates=(100, lines), everything=(100, lines)).removals == ()


@pytest.mark.parametrize("lock", ["held-0:1-1.*", "!held-0:2-1.*", "0:held-1-1.*"])
def test_version_locks_are_recognised_in_all_their_forms(lock: str) -> None:
    assert [item.why for item in listed("dnf", locks=(0, [lock])).held] == ["hold"]


@pytest.mark.parametrize(("priority", "held"), [("1", {}), ("-1", {"new.all:2": "pinned"})])
def test_old_versions_of_apt_phase_by_a_priority_of_1(priority: str, held: dict[str, str]) -> None:
    """Debian 11 and Ubuntu 22.04; an administrator's own pin counts there as well."""
    newer = ["P new all 1 1", f"V 2 {priority} phased", "S file:/srv/updates ./ Packages"]
    found = listed("apt", newer=(0, newer), simulate=(0, []), held=(0, []))
    assert {item.patch.id: item.why for item in found.held} == held
    assert [note.code for note in found.notes] == ["phased"]


def test_apt_updates_by_their_origin_where_the_package_is_new() -> None:
    line = "Inst linux-image-6.1.0-28-amd64 (6.1.119-1 Debian-Security:12/stable-security [amd64])"
    found = listed("apt", simulate=(0, [line]))
    assert kinds(found) == {"linux-image-6.1.0-28-amd64.amd64:6.1.119-1": "Security"}
    assert found.kernels == {"available": "6.1.0-28-amd64"}


def test_ubuntu_pro_fixes_are_told_where_the_host_is_not_attached() -> None:
    """They are missing, not pending (pro(1), security-status)."""
    status = '{"summary": {"num_esm_apps_updates": 3, "num_esm_infra_updates": 0, "ua": {"attached": false}}}'
    assert [note.text for note in listed("apt", pro=(0, [status])).notes] == [
        "3 security fixes need Ubuntu Pro (esm-apps)"
    ]
    assert listed("apt", pro=(0, [status.replace("false", "true")])).notes == ()


@pytest.mark.parametrize(
    "line",
    ["Inst a$b [1] (2 D:1 [amd64])", "Inst -x (2 D:1 [amd64])", f"Inst {'a' * 400} (2 D:1 [amd64])"],
)
def test_what_is_no_package_fails_the_list(line: str) -> None:
    with pytest.raises(PatchtideError, match="expected a package and its version"):
        listed("apt", simulate=(0, [line]))


@pytest.mark.parametrize("release", ["x y", "$(reboot)", "'"])
def test_a_release_that_is_none_is_refused(release: str) -> None:
    with pytest.raises(PatchtideError, match="releasever"):
        PackageRules(releasever=release)


@pytest.mark.parametrize("pattern", ["a b", "$(reboot)", "a)", "a;b", "'", "a|b"])
def test_a_pattern_that_is_none_of_a_package_is_refused(pattern: str) -> None:
    with pytest.raises(PatchtideError, match="exclude"):
        PackageRules(exclude=(pattern,))


def test_what_apt_forecasts_besides_the_updates() -> None:
    """apt-get(8), --simulate and --print-uris: a package without an installed version in brackets is new."""
    lines = [
        "The following packages will be DOWNGRADED:",
        "  grub-common other",
        "1 upgraded, 1 newly installed, 2 downgraded, 1 to remove and 0 not upgraded.",
        "Remv gone [1]",
        "Inst toy [1.0] (1.2 Debian:stable-updates [all])",
        "Inst libnew:amd64 (3 Debian:stable-updates [amd64])",
    ]
    more = {
        "simulate": (0, lines),
        "gentle": (0, lines[4:5]),
        "download": (0, ["toy_1.2_all.deb 234567", "libnew_2%3a3_amd64.deb 1000000"]),
    }
    found = listed("apt", replace(RULES, allow_removals=True), **more).forecast
    assert found.to_dict() == {
        "removes": ["gone"],
        "downgrades": ["grub-common", "other"],
        "adds": ["libnew"],
        "download_bytes": 1_234_567,
    }
    kept = listed("apt", **more)
    assert kept.forecast.removes == () and [item.why for item in kept.held if item.patch.id == "libnew.amd64:3"] == [
        "removes"
    ]


@pytest.mark.parametrize(
    "part", [{}, {"download": (100, [])}, {"download": (0, ["x"])}, {"download": (0, ["toy_1_all.deb x"])}]
)
def test_a_size_that_apt_did_not_say_is_not_known(part: dict[str, tuple[int, list[str]]]) -> None:
    found = listed("apt", **part)
    assert "download_bytes" not in found.forecast.to_dict()
    assert not any("download_bytes" in patch.to_dict() for patch in found.patches)


def test_how_much_each_update_has_to_fetch() -> None:
    """apt-get(8), --print-uris, which names no archive that is in the cache; dnf 4 and 5, repoquery."""
    files = ["toy_1.2_all.deb 234", "other_1%3a2_amd64.deb 5"]
    sizes = {patch.id: patch.download_bytes for patch in listed("apt", download=(0, files)).patches}
    assert sizes == {"toy.all:1.2": 234, "bad.all:2": None}
    assert listed("apt", download=(0, files)).forecast.download_bytes == 239
    assert listed("apt", download=(0, [])).forecast.download_bytes == 0
    for epoch in ("", "0:"):
        lines = [f"toy noarch {epoch}1.2-1 1024", "", f"toy noarch {epoch}1.1-1 5"]
        found = listed("dnf", sizes=(0, lines)).patches
        assert {patch.id: patch.to_dict().get("download_bytes") for patch in found} == {
            "toy.noarch:1.2-1": 1024,
            "bad.noarch:2-1": None,
        }
    for part in ((1, lines), (0, ["toy noarch 1.2-1 (none)"]), (0, ["toy"])):
        assert all(patch.download_bytes is None for patch in listed("dnf", sizes=part).patches)


def test_what_other_package_managers_do_not_say_is_not_known() -> None:
    assert listed("zypper").forecast.to_dict() == {} == listed("dnf").forecast.to_dict()
    obsoletes = ["toy.noarch 1.2-1 base", "Obsoleting Packages", "new.noarch 2-1 base", "    old.noarch 1-1 @System"]
    assert listed("dnf", updates=(100, obsoletes)).forecast.to_dict() == {"removes": ["old"]}
