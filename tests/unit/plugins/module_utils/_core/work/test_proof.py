# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node shows of the work on it, against what was planned."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work import proof as module
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.final_record import final_record
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages_changed import (
    PackageChange,
    is_patch,
    read_changes,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.proof import Proof, _Seen, prove

CURL, BASH = {"id": "curl.x", "title": "curl.x:2"}, {"id": "bash.x", "title": "bash.x:5"}
BOOT = {"boot_id": "b1"}


def packages(*rows: str, total: int | None = None, sha256: str | None = None) -> dict[str, Any]:
    text = "".join(f"{row}\n" for row in rows)
    mine = hashlib.sha256(text.encode()).hexdigest()
    given = {
        "rows": list(rows),
        "total": len(rows) if total is None else total,
        "sha256": mine if sha256 is None else sha256,
    }
    return {**BOOT, "packages": given}


def proved(
    planned: list[dict[str, str]],
    facts: dict[str, Any] | None = None,
    arrived: list[dict[str, str]] | None = None,
    scan: dict[str, Any] | None = None,
    **node: Any,
) -> Proof:
    patch = {"status": "succeeded", **({"arrived": arrived} if arrived is not None else {})}
    found = {"status": "succeeded", "missing": [], "unclear": [], **(scan or {})}
    listed = node.pop("listed", ())
    return prove(
        {"node_id": "i-1", "platform": "linux", "patches": planned, **node},
        {"patch": patch, "scan": found},
        facts,
        listed,
    )


def codes(proof: Proof) -> list[str]:
    return [f"{item['code']} {item['id']}" for item in proof.differences]


def test_the_node_s_own_list_says_what_was_installed() -> None:
    proof = proved([CURL], packages("curl.x 1 2"), [CURL])
    assert (proof.source, proof.installed, proof.differences) == ("node", ["curl.x"], [])
    assert proof.changes == [{"id": "curl.x", "old": "1", "new": "2"}]


def test_packages_of_a_planned_advisory_are_planned_in_its_version_only() -> None:
    """Every advisory of SUSE paused its wave: the plan has its name, and the node the names of packages."""
    advisory = {"id": "patch:SUSE-1", "title": ""}

    def judged(*rows: str) -> Proof:
        patch = {"status": "succeeded", "installed": ["patch:SUSE-1"], "brought": ["toy.noarch:1.2-1"]}
        scan = {"status": "succeeded", "missing": []}
        node = {"node_id": "n", "platform": "linux", "pin": "versions", "patches": [advisory]}
        return prove(node, {"patch": patch, "scan": scan}, packages(*rows))

    planned = judged("toy.noarch 0:1.0-1 0:1.2-1")
    assert (planned.installed, planned.differences) == (["patch:SUSE-1"], [])
    assert codes(judged("toy.noarch 0:1.0-1 0:1.3-1")) == ["unplanned toy.noarch"]
    assert codes(judged("toy.noarch 0:1.0-1 0:1.2-1", "other.noarch 1 2")) == ["unplanned other.noarch"]


def test_without_it_what_the_install_left_pending_does() -> None:
    """A Mac has no list of packages, and one that is cut is no proof of what is not in it."""
    for facts in (BOOT, None, packages("curl.x 1 2", total=9), packages("curl.x 1 2", sha256="0" * 64)):
        proof = proved([CURL, BASH], facts, [CURL, BASH])
        assert (proof.source, proof.installed, proof.differences) == ("pending", ["curl.x", "bash.x"], [])


def test_without_either_only_the_scan_is_left() -> None:
    proof = prove({"patches": [CURL, BASH]}, {"scan": {"status": "succeeded", "missing_after": ["bash.x"]}}, BOOT)
    assert (proof.source, proof.installed, proof.missing) == ("scan", ["curl.x"], ["bash.x"])


def test_a_planned_patch_that_is_still_missing_is_missing_by_id_and_title() -> None:
    proof = proved([CURL, BASH], packages("bash.x 4 5"), [BASH], {"missing": [CURL]})
    assert (proof.missing, proof.installed, proof.differences) == (["curl.x"], ["bash.x"], [])


def test_a_newer_version_that_is_missing_besides_the_one_that_came_in_was_approved_since() -> None:
    newer = {"id": "curl.x", "title": "curl.x:3"}
    proof = proved([CURL], packages("curl.x 1 2"), [CURL], {"missing": [newer]})
    assert (proof.missing, codes(proof)) == ([], ["newly_approved curl.x"])


def test_a_patch_that_an_emergency_leaves_for_later_is_no_difference() -> None:
    scan = {"status": "succeeded", "missing": [BASH, {"id": "git.x", "title": "git.x:1"}]}
    proof = prove({"patches": [CURL], "deferred": ["bash.x"]}, {"scan": scan}, BOOT)
    assert codes(proof) == ["newly_approved git.x"]


def test_a_newer_version_that_is_missing_instead_withdraws_the_planned_one() -> None:
    newer = {"id": "curl.x", "title": "curl.x:3"}
    proof = proved([CURL], packages(), [], {"missing": [newer]})
    assert codes(proof) == ["withdrawn curl.x", "newly_approved curl.x"] and proof.missing == []
    assert proof.differences[0]["text"] == "replaced by curl.x:3, which was approved after the plan"


@pytest.mark.parametrize(
    ("state", "found"), [("INSTALLED", []), ("INSTALLED_OTHER", []), ("NOT_APPLICABLE", ["withdrawn curl.x"])]
)
def test_who_installed_a_planned_patch_before_does_not_matter(state: str, found: list[str]) -> None:
    proof = proved([CURL], packages(), [], {"unclear": [{**CURL, "state": state}]})
    assert codes(proof) == found and bool(proof.installed) == (not found)


def test_the_same_package_in_another_version_is_not_the_planned_patch() -> None:
    other = {"id": "curl.x", "title": "curl.x:1.5", "state": "INSTALLED"}
    assert codes(proved([CURL], packages(), [], {"unclear": [other]})) == ["withdrawn curl.x"]


def test_where_nobody_can_tell_a_withdrawn_patch_from_one_that_others_installed_it_is_unclear() -> None:
    """Executor azure: an assessment lists what is missing alone."""
    planned = [{"id": "curl.x:2", "title": "curl 2"}]
    gone = {"status": "succeeded", "missing": []}
    found = prove({"patches": planned, "platform": "linux"}, {"scan": gone}, packages())
    assert codes(found) == ["unclear curl.x:2"] and found.installed == []
    newer = {"status": "succeeded", "missing": [{"id": "curl.x:3", "title": "curl 3"}]}
    found = prove({"patches": planned, "platform": "linux"}, {"scan": newer}, packages())
    assert codes(found) == ["withdrawn curl.x:2", "newly_approved curl.x:3"]


@pytest.mark.parametrize(
    ("shown", "found", "installed"),
    [
        ({"withdrawn": ["curl.x:2"]}, ["withdrawn curl.x:2"], []),
        ({"installed": ["curl.x:2"]}, [], ["curl.x:2"]),
        ({"failed": ["curl.x:2"]}, [], []),
        ({"absent": ["curl.x:2"]}, ["unclear curl.x:2"], []),
    ],
)
def test_what_an_install_shows_of_a_planned_version_is_taken(
    shown: dict[str, Any], found: list[str], installed: list[str]
) -> None:
    """Executor linux: the host looks for each planned version after the work, whoever brought it."""
    planned = [{"id": "curl.x:2", "title": "curl 2"}]
    results = {"patch": {"status": "no_op", **shown}, "scan": {"status": "succeeded", "missing": []}}
    proof = prove({"patches": planned, "platform": "linux"}, results, packages())
    assert (codes(proof), proof.installed) == (found, installed)


def test_a_planned_package_that_a_scan_finds_broken_has_failed_and_is_not_unclear() -> None:
    planned = [{"id": "curl.x:2", "title": "curl 2"}]
    results = {"patch": {"status": "unknown"}, "scan": {"status": "succeeded", "missing": [], "failed": ["curl.x:2"]}}
    assert not codes(prove({"patches": planned, "platform": "linux"}, results, packages()))


def test_what_the_plan_has_forecast_is_no_difference() -> None:
    """A new dependency and a removal that the policy allows; never a package that only changes its version."""
    forecast = {"adds": ["dep"], "removes": ["gone"]}
    facts = packages("curl.x 1 2", "dep.x - 1", "other.x - 1", "gone.x 3 -", "lost.x 3 -")
    proof = proved([CURL], facts, forecast=forecast)
    assert codes(proof) == ["unplanned other.x", "removed lost.x"]
    assert proof.installed == ["curl.x", "dep.x", "other.x"]
    assert codes(proved([CURL], packages("curl.x 1 2", "dep.x 1 2"), forecast=forecast)) == ["unplanned dep.x"]


def test_a_kb_that_was_replaced_is_told_by_the_title_without_month_and_number() -> None:
    title = "2026-{} Cumulative Update for Windows Server 2025 ({})"
    june, july = (
        {"id": kb, "title": title.format(month, kb)} for month, kb in (("06", "KB1000001"), ("07", "KB1000002"))
    )
    other = {"id": "KB1000009", "title": "2026-07 Cumulative Update for .NET (KB1000009)"}
    proof = proved([june], packages(), [], {"offered": [other, july]}, platform="windows")
    assert proof.differences[0]["text"] == "replaced by KB1000002, which is not approved"
    proof = proved([june], packages(), [], {"missing": [july]}, platform="windows")
    assert proof.differences[0]["text"] == "replaced by KB1000002, which was approved after the plan"


def test_a_kb_that_windows_offers_again_is_not_installed() -> None:
    """Source: ansible.windows issue 530: success was reported, and the update was offered again."""
    kb = {"id": "KB5001234", "title": "2026-11 Cumulative Update (KB5001234)"}
    scan = {"missing": [kb], "missing_after": ["KB5001234"]}
    found = proved([kb], packages("KB5001234 - 200"), scan=scan, platform="windows")
    assert (found.installed, found.missing) == ([], ["KB5001234"])


def test_what_came_in_besides_the_plan_is_sorted_by_who_brought_it() -> None:
    dep, mate = {"id": "dep.x", "title": "dep.x:1"}, {"id": "mate.x", "title": "mate.x:7"}
    facts = packages("curl.x 1 2", "dep.x - 1", "mate.x 6 7", "others.x 1 2", "gone.x 3 -")
    proof = proved([CURL], facts, [CURL, dep, mate], listed=[("curl.x", "curl.x:2"), ("mate.x", "mate.x:7")])
    expected = ["unplanned dep.x", "unplanned_here mate.x", "by_unknown others.x", "removed gone.x"]
    assert sorted(codes(proof)) == sorted(expected)
    assert proof.installed == ["curl.x", "dep.x", "mate.x"]


def test_of_a_list_that_is_cut_what_is_pending_names_the_rest_once() -> None:
    dep, more = {"id": "dep.x", "title": "dep.x:1"}, {"id": "more.x", "title": "more.x:1"}
    proof = proved([CURL], packages("dep.x - 1", total=3), [CURL, dep, more])
    assert codes(proof) == ["unplanned dep.x", "unplanned more.x"] and proof.source == "pending"


def test_a_node_of_whose_patches_nobody_knew_differs_from_no_plan() -> None:
    """A stopped node was not scanned; by the baseline it gets what is approved."""
    assert not proved([], packages("curl.x 1 2"), [CURL], pin="baseline", start=True).differences
    assert codes(proved([], packages("curl.x 1 2"), [CURL], pin="list")) == ["unplanned curl.x"]


def test_what_is_installed_though_rejected_is_named() -> None:
    assert codes(proved([], BOOT, [], {"rejected": [BASH]})) == ["installed_rejected bash.x"]


@pytest.mark.parametrize(
    ("change", "patch", "title", "same"),
    [
        (("curl.x", "1", "2"), "curl.x", "curl.x:2", True),
        (("curl.x", "1", "2"), "curl.x", "curl.x:3", False),
        (("curl.x", "2", ""), "curl.x", "curl.x:2", False),
        (("kernel.x", "", "0:5-1,0:5-2"), "kernel.x", "kernel.x:0:5-2", True),
        (("tzdata.all", "1", "2"), "tzdata.amd64", "tzdata.amd64:2", True),
        (("tzdata.i386", "1", "2"), "tzdata.amd64", "tzdata.amd64:2", False),
        (("curl.x86_64", "0:1-1", "0:2-1"), "curl.x86_64:2-1", "curl 2-1", True),
        (("bind.amd64", "1:1", "1:2"), "bind.amd64:1:2", "bind 1:2", True),
        (("bind.amd64", "1:1", "1:2"), "bind.amd64", "bind.amd64:2", False),
    ],
)
def test_whether_a_change_is_a_patch(change: tuple[str, str, str], patch: str, title: str, same: bool) -> None:
    assert is_patch(PackageChange(*change), patch, title, by_title=True) is same


@pytest.mark.parametrize("found", [None, 7, {}, {"rows": "x"}, {"rows": None}])
def test_a_node_that_does_not_know_what_changed(found: Any) -> None:
    assert read_changes({"packages": found}) is None and read_changes(None) is None


def test_lines_that_are_none_make_a_list_incomplete() -> None:
    changes = read_changes({"packages": {"rows": ["curl.x 1 2", "x", 7, "a  b"], "total": 4, "sha256": ""}})
    assert changes is not None and [item.name for item in changes[0]] == ["curl.x"] and not changes[1]


NODE = {"node_id": "i-1", "executor": "ssm", "platform": "linux", "pin": "list", "patches": [CURL], "list": "l"}


def record(scan: dict[str, Any], facts: dict[str, Any] | None = None, node: dict[str, Any] | None = None) -> Any:
    results = {
        "precheck": {"facts": BOOT},
        "patch": {"status": "succeeded", "arrived": []},
        "scan": {"status": "succeeded", "unclear": [], "missing": [], **scan},
    }
    return final_record({**NODE, **(node or {})}, results, facts or packages(), "now", "never")


def test_what_was_approved_since_planning_does_not_make_a_node_fail() -> None:
    """Without this, every node that keeps to its list fails a week later."""
    found = record(
        {"missing": [BASH], "missing_after": ["bash.x"], "counts": {"missing_count": 1}}, packages("curl.x 1 2")
    )
    assert (found.status.value, found.error, found.missing_after) == ("succeeded", None, ("bash.x",))


def test_what_was_planned_and_is_missing_makes_it_fail() -> None:
    found = record({"missing": [CURL, BASH], "missing_after": ["curl.x", "bash.x"], "counts": {"missing_count": 2}})
    assert found.error == {"code": "still_missing", "text": "patches are still missing: curl.x"}


@pytest.mark.parametrize(("before", "after", "failed"), [(0, 1, True), (1, 1, False), (2, 1, False), (0, 0, False)])
def test_a_rejected_patch_that_came_in_makes_it_fail(before: int, after: int, failed: bool) -> None:
    scan = {"counts": {"installed_rejected_count": after}}
    found = record(scan, packages("curl.x 1 2"), {"counts_before": {"installed_rejected_count": before}})
    assert (found.error is not None and found.error["code"] == "installed_rejected") is failed


def test_nothing_installed_and_nothing_missing_is_no_success() -> None:
    found = record({})
    assert found.status.value == "no_op" and found.installed == () and found.differences_total == 1


NAMES = ["a", "a.x86_64", "a.noarch", "A.x86_64", "a.b", "a.b.noarch", "b.all", "KB1"]
_EMPTY = ("planned", "missing", "offered", "shown", "failed", "gone", "absent", "brought", "adds", "removes")
CHANGES = tuple(PackageChange(name, "", new) for name in NAMES for new in ("1", "0:1,2", ""))
ROWS = tuple((f"{name}{version}", f"{name}:1") for name in NAMES for version in ("", ":1", ":2"))


@pytest.mark.parametrize("by_title", [True, False])
def test_what_is_looked_up_is_what_comparing_each_with_each_finds(by_title: bool) -> None:
    more: dict[str, Any] = {**dict.fromkeys(_EMPTY, ()), "unclear": None, "arrived": None}
    seen = _Seen(by_title=by_title, changes=CHANGES, whole=True, **more)
    for row in ROWS:
        assert seen.change_of(row) == next((item for item in CHANGES if is_patch(item, *row, by_title=by_title)), None)
        assert seen.among(row, ROWS[::2]) == any(seen.same(row, other) for other in ROWS[::2])
    for change in CHANGES:
        for rows in (ROWS, ROWS[::2], ROWS[5:6]):
            assert seen.brings(change, rows) == any(is_patch(change, *row, by_title=by_title) for row in rows)


def test_a_node_with_hundreds_of_packages_is_not_compared_each_with_each(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(change: PackageChange, *row: str, by_title: bool) -> bool:
        asked.append(change)
        return is_patch(change, *row, by_title=by_title)

    monkeypatch.setattr(module, "is_patch", counted)
    rows = [f"package-{number}.x86_64 1 2" for number in range(400)]
    planned = [{"id": f"package-{number}.x86_64:2", "title": ""} for number in range(300)]
    found = proved(planned, packages(*rows), [], listed=[("package-350.x86_64:2", "")])
    assert len(found.installed) == 300 and len(asked) < 2000
