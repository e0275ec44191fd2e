# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host shows after an install, read from what the real package managers printed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Status
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.detached import Look
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.proof import Proof, read_proof
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.results import install_result
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages_changed import PackageChange

from tests.fakes.package_answers import PROOFS, document

LISTS = {
    "apt": ("toy.all:1.2", "bad.all:2"),
    "dnf": ("toy.noarch:1.2-1", "bad.noarch:2-1"),
    "zypper": ("patch:SUSE-1", "bad.noarch:2-1"),
}
GOOD, BAD = LISTS["apt"]


def proved(manager: str = "apt", *ids: str, **more: tuple[int, list[str]]) -> Proof:
    return read_proof(document(manager, PROOFS[manager], **more), ids or LISTS[manager])


def result(rc: int | None = 0, *ids: str, **more: tuple[int, list[str]]) -> dict[str, Any]:
    output = document("apt", PROOFS["apt"], **more)
    return install_result(Look(state="ended", rc=rc, err="E: broken", proof=output), ids or LISTS["apt"])


@pytest.mark.parametrize("manager", LISTS)
def test_only_what_is_there_and_configured_is_installed(manager: str) -> None:
    found = proved(manager)
    good, bad = LISTS[manager]
    assert (found.installed, tuple(found.failed)) == ((good,), (bad,))
    assert "script" in found.failed[bad]
    assert {(item.name, item.old[:1], item.new[:1]) for item in found.changes} == {("toy", "1", "1"), ("bad", "1", "2")}


#: As zypper 1.14 prints a patch of two packages, and one of one.
CONTENTS = """\
Information for patch SUSE-1:
-----------------------------
Repository  : updates
Name        : SUSE-1
Version     : 1
Provides    : patch:SUSE-1 = 1
Conflicts   : [3]
    toy.noarch < {version}
    other < 5-1
    srcpackage:toy < {version}

Name        : SUSE-2
Conflicts   : bad < 2-1
"""


@pytest.mark.parametrize(("version", "brought"), [("1.2-1", ["toy.noarch:1.2-1"]), ("1.1-1", [])])
def test_what_belongs_to_an_installed_advisory_is_named(version: str, brought: list[str]) -> None:
    came = ["toy noarch 1.2-1 ii", "bad noarch 2-1 ii"]
    parts = {
        "gone": (0, ["toy noarch 1.0-1 ii", "bad noarch 1-1 ii"]),
        "came": (0, came),
        "applied": (0, ["u | SUSE-1 | security | important | --- | applied |", "u | SUSE-2 | x | x | --- | needed |"]),
        "contents": (0, CONTENTS.format(version=version).splitlines()),
    }
    ids = ("patch:SUSE-1", "patch:SUSE-2")
    output = document("zypper", PROOFS["zypper"], **parts)
    found = install_result(Look(state="ended", rc=0, err="", proof=output), ids)
    assert found["brought"] == brought, "bad belongs to an advisory that is not applied"
    unplanned = {item.partition(":")[0] for item in found["evidence"]["unplanned"]}
    assert unplanned == ({"bad.noarch"} if brought else {"bad.noarch", "toy.noarch"})


@pytest.mark.parametrize(
    ("state", "word"), [("iU", "unpacked"), ("iF", "half-configured"), ("iH", "half-installed"), ("iW", "triggers")]
)
def test_a_package_in_another_state_than_installed_failed(state: str, word: str) -> None:
    """The states are dpkg's (dpkg(1), package states)."""
    found = proved("apt", GOOD, states=(0, [f"toy all 1.2 {state}"]))
    assert found.installed == () and word in found.failed[GOOD]


@pytest.mark.parametrize("state", ["ii", "hi"])
def test_a_package_on_hold_may_be_installed(state: str) -> None:
    assert proved("apt", GOOD, states=(0, [f"toy all 1.2 {state}"])).installed == (GOOD,)


def test_an_old_version_is_not_the_planned_one() -> None:
    found = proved("apt", GOOD, states=(0, ["toy all 1.0 ii"]))
    assert found.installed == () and GOOD in found.failed


def test_what_nobody_began_is_unknown_unless_the_deadline_is_why() -> None:
    assert proved("apt", GOOD, states=(0, []), steps=(0, [])).unknown == (GOOD,)
    assert proved("apt", GOOD, states=(0, []), steps=(0, [f"left|{GOOD}"])).left == (GOOD,)


def test_a_step_that_was_interrupted_is_unknown_unless_the_database_proves_a_half_of_it() -> None:
    """The old version is there and whole: what the step would have come to, nobody knows (rules.md 2)."""
    found = proved("apt", GOOD, states=(0, ["toy all 1.0 ii"]), steps=(0, [f"begin|1|{GOOD}"]))
    assert (found.unknown, found.interrupted, dict(found.failed)) == ((GOOD,), (GOOD,), {})
    half = proved("apt", GOOD, states=(0, ["toy all 1.2 iF"]), steps=(0, [f"begin|1|{GOOD}"]))
    assert "half-configured" in half.failed[GOOD] and half.unknown == ()
    killed = result(None, GOOD, states=(0, ["toy all 1.0 ii"]), steps=(0, [f"begin|1|{GOOD}"]))
    assert killed["status"] == "unknown" and f"while it installed {GOOD}" in killed["error"]["text"]
    limit = result(137, GOOD, states=(0, ["toy all 1.0 ii"]), steps=(0, [f"begin|1|{GOOD}"]))
    assert limit["status"] == "timed_out" and f"at its limit while it installed {GOOD}" in limit["error"]["text"]


def test_a_scriptlet_that_failed_in_an_earlier_install_still_fails_its_package() -> None:
    mark = "toy|all|1.2|1790000000|warning: %post(toy-1.2.all) scriptlet failed, exit status 1"
    found = proved("dnf", GOOD, states=(0, ["toy all 1.2 ii"]), steps=(0, ["done"]), scripts=(0, [mark, "toy|all"]))
    assert found.failed[GOOD] == f"not completely installed: {mark.rpartition('|')[2]}" and found.installed == ()
    other = proved("dnf", GOOD, states=(0, ["toy all 1.2 ii"]), steps=(0, ["done"]), scripts=(0, [f"x{mark}"]))
    assert other.installed == (GOOD,)


def test_the_last_words_and_the_exit_code_of_a_failed_step_are_told() -> None:
    text = proved().failed[BAD]
    assert "exit code 100" in text and "its maintainer script failed" in text
    assert "installed bad package post-installation script subprocess returned error exit status 1" in text


def test_another_package_that_broke_the_step_is_named() -> None:
    log = ["begin|1|toy.all:1.2", "log|1|dpkg: error processing package grub-pc (--configure):", "end|1|100"]
    assert "package grub-pc" in proved("apt", GOOD, states=(0, ["toy all 1.0 ii"]), steps=(0, log)).failed[GOOD]


GONE = [f"failed|{GOOD}|1", "log|1|E: Version '1.2' for 'toy' was not found"]


@pytest.mark.parametrize(
    ("steps", "withdrawn"),
    [
        (GONE, True),
        (["refresh|100", *GONE], False),  # the lists of packages are old, so nobody knows what is offered
        ([f"begin|1|{GOOD}", GONE[1], "end|1|100"], False),  # the install itself failed
        ([f"begin|1|{GOOD}", GONE[1], "end|1|0"], False),  # the install says it was good, and the package is not there
        ([GONE[0], "log|1|E: Unable to correct problems, you have held broken packages."], False),
    ],
)
def test_a_version_that_no_repository_offers_is_withdrawn_and_no_failure(steps: list[str], withdrawn: bool) -> None:
    found = result(0, GOOD, broken=(0, []), states=(0, ["toy all 1.0 ii"]), steps=(0, [*steps, "done"]))
    assert (found["withdrawn"], found["failed"]) == (([GOOD], []) if withdrawn else ([], [GOOD]))
    assert (found["status"] == "failed") is (not withdrawn) and ("error" in found) is (not withdrawn)


@pytest.mark.parametrize("output", ["", "{}", document("apt", {"states": (0, [])})])
def test_no_proof_is_none(output: str) -> None:
    with pytest.raises(PatchtideError):
        read_proof(output, [GOOD])
    found = install_result(Look(state="ended", rc=0, proof=output), [GOOD])
    assert (found["status"], found["error"]["code"]) == ("unknown", "no_proof")


@pytest.mark.parametrize(
    ("rc", "more", "status", "code"),
    [
        (0, {}, Status.SUCCEEDED, None),
        (0, {"gone": (0, []), "came": (0, [])}, Status.NO_OP, None),
        (1, {"steps": (0, ["stopped|locked|by apt (pid 3)"])}, Status.FAILED, "locked"),
        (124, {}, Status.TIMED_OUT, "TimedOut"),
        (137, {}, Status.TIMED_OUT, "TimedOut"),
        (0, {"steps": (0, ["begin|1|toy.all:1.2"])}, Status.UNKNOWN, "no_end"),
        (None, {"states": (0, []), "steps": (0, [])}, Status.UNKNOWN, "no_end"),
        (0, {"states": (0, []), "steps": (0, [f"left|{GOOD}", "done"])}, Status.TIMED_OUT, "not_begun"),
        (
            0,
            {"states": (0, []), "steps": (0, [f"held|{GOOD}|removes|it removes x", "done"])},
            Status.FAILED,
            "held",
        ),
        (0, {"states": (0, []), "steps": (0, [f"held|{GOOD}|downgrade|newer", "done"])}, Status.SUCCEEDED, None),
        (0, {"states": (0, []), "steps": (0, [f"held|{GOOD}|absent|removed", "done"])}, Status.SUCCEEDED, None),
        (0, {"states": (0, ["toy all 1.2 iF"])}, Status.FAILED, "install_failed"),
        (124, {"states": (0, ["toy all 1.2 iF"])}, Status.TIMED_OUT, "install_failed"),
        (0, {"broken": (1, ["not completely installed: x"])}, Status.FAILED, "broken_database"),
    ],
)
def test_the_outcome_is_what_the_host_proves(
    rc: int | None, more: dict[str, tuple[int, list[str]]], status: Status, code: str | None
) -> None:
    found = result(rc, GOOD, **{"broken": (0, []), **more})
    assert found["status"] == status.value
    assert found.get("error", {}).get("code") == code


def test_changes_removals_and_what_nobody_planned_are_evidence() -> None:
    came = ["toy all 1.2 ii", "helper all 7 ii"]
    found = result(0, GOOD, broken=(0, []), gone=(0, ["toy all 1.0 ii", "lost all 3 ii"]), came=(0, came))
    assert found["changes"] == [
        {"id": "helper.all", "old": "", "new": "7"},
        {"id": "lost.all", "old": "3", "new": ""},
        {"id": "toy.all", "old": "1.0", "new": "1.2"},
    ]
    assert all(
        item.keys() == PackageChange("x", "1", "2").to_dict().keys() for item in found["changes"]
    )  # as in reports
    assert (found["evidence"]["removed"], found["evidence"]["unplanned"]) == (["lost"], ["helper.all:7"])


def test_what_else_changed_on_the_host_is_evidence() -> None:
    was = ["kernel|6.1.0-30-amd64", "port|tcp 22", "port|tcp 80", "mount|/ ext4"]
    now = ["kernel|6.1.0-30-amd64", "port|tcp 22", "port|tcp 443", "mount|/ ext4", "failed_unit|shop.service"]
    found = result(0, GOOD, **{"broken": (0, []), "was": (0, was), "is": (0, now)})
    assert found["evidence"]["differences"] == {
        "failed_units": {"came": ["shop.service"], "gone": []},
        "ports": {"came": ["tcp 443"], "gone": ["tcp 80"]},
    }
