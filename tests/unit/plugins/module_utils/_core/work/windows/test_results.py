# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What scans and installs come to: the host's history counts, what was asked for does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import PackageRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.host_state import (
    HostState,
    read_state,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.results import (
    install_result,
    scan_result,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.selection import UpdateRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.updates import (
    UpdatesAnswer,
    read_updates,
)

from tests.fakes.windows_host import CLAIMED, entry, state_document, update_row

LCU, NET, OTHER = "KB5001234", "KB5001235", "KB5001299"
BEFORE = "2026-10-01T00:00:00Z"


def state(*history: dict[str, Any], **more: Any) -> HostState:
    work = {"state": "claimed", "since": CLAIMED, "boot": "2026-11-20T03:00:00Z"}
    return read_state(json.dumps(state_document(**{"history": list(history), "work": work, **more})))


def answer(*kbs: str, failed: str = "", **rows: Any) -> UpdatesAnswer:
    updates = {kb: update_row(kb, **rows) for kb in kbs}
    return read_updates({"updates": updates, "filtered_updates": {}, "failed": bool(failed), "msg": failed})


def test_what_the_history_shows_is_installed() -> None:
    found = install_result(state(entry(LCU), entry(OTHER)), [LCU], answer(LCU))
    assert (found["status"], found["installed"], found["failed"]) == ("succeeded", [LCU], [])
    assert found["evidence"]["unplanned"] == [OTHER] and "error" not in found


def test_what_only_the_answer_calls_installed_is_not() -> None:
    """Source: ansible.windows issue 530: success was reported, and the update was offered again."""
    found = install_result(state(), [LCU], answer(LCU, installed=True))
    assert (found["status"], found["installed"], found["error"]["code"]) == ("unknown", [], "no_end")


def test_entries_from_before_the_claim_prove_nothing_about_it() -> None:
    found = install_result(state(entry(LCU, BEFORE, result=4, hresult=-2147024891)), [LCU], None)
    assert (found["status"], found["failed"]) == ("unknown", [])


def test_a_failed_update_is_explained() -> None:
    found = install_result(state(entry(LCU), entry(NET, result=4, hresult=-2147024891)), [LCU, NET], answer(LCU, NET))
    assert (found["status"], found["installed"], found["failed"]) == ("failed", [LCU], [NET])
    assert found["error"]["text"] == f"{NET}: access was denied (0x80070005): connect as a local administrator"


def test_the_last_attempt_counts() -> None:
    rows = [entry(LCU, "2026-11-28T01:10:00Z", result=4, hresult=-1), entry(LCU, "2026-11-28T01:20:00Z")]
    assert install_result(state(*rows), [LCU], answer(LCU))["status"] == "succeeded"


def test_a_kb_that_is_no_longer_offered_is_withdrawn() -> None:
    found = install_result(state(entry(NET)), [LCU, NET], answer(NET))
    assert (found["status"], found["withdrawn"]) == ("succeeded", [LCU])


def test_a_kb_that_was_there_before_is_not_withdrawn() -> None:
    found = install_result(state(entry(LCU, BEFORE)), [LCU], answer(OTHER))
    assert (found["status"], found["withdrawn"], found["installed"]) == ("no_op", [], [])


def test_a_search_that_found_nothing_or_was_lost_withdraws_nothing() -> None:
    """An update server that answers nothing is no proof that a KB is gone."""
    lost = read_updates({"unreachable": True, "msg": "cut", "updates": {}, "filtered_updates": {}})
    for what in (answer(), lost, None):
        found = install_result(state(), [LCU], what)
        assert (found["status"], found["withdrawn"]) == ("unknown", [])


def test_an_install_that_was_refused_says_why() -> None:
    found = install_result(
        state(), [LCU], answer(LCU, failed="Installing updates: (WU_E_INSTALL_NOT_ALLOWED 0x80240016)")
    )
    assert found["status"] == "failed" and "or a reboot is pending (0x80240016)" in found["error"]["text"]


def test_an_install_that_was_stopped_tells_what_did_not_begin() -> None:
    found = install_result(state(entry(LCU)), [LCU, NET], answer(LCU, NET), stopped=True)
    assert (found["status"], found["evidence"]["not_begun"]) == ("timed_out", [NET])


@pytest.mark.parametrize("more", [{"history": None}, {"work": None}])
def test_without_history_or_claim_nobody_knows(more: dict[str, Any]) -> None:
    found = install_result(state(entry(LCU), **more), [LCU], answer(LCU))
    assert (found["status"], found["error"]["code"]) == ("unknown", "no_proof") and "installed" not in found


def test_a_pending_reboot_comes_from_the_sources_that_count() -> None:
    pending = {"windows_update": True, "file_renames": True}
    found = install_result(state(entry(LCU), reboot=pending), [LCU], None)
    assert found["pending_reboot"] and found["evidence"]["reboot_reasons"] == ["Windows Update asks for it"]
    assert not install_result(state(entry(LCU)), [LCU], None)["pending_reboot"]


def test_a_scan_lists_what_can_be_planned() -> None:
    rows = {
        "a": update_row(LCU),
        "b": update_row("KB2267602", "Definition Updates"),
        "c": {**update_row(LCU, "Drivers"), "kb": []},
        "d": update_row(NET, "Updates"),
    }
    found = scan_result(read_updates({"updates": rows, "filtered_updates": {}}), state(), PackageRules(), UpdateRules())
    assert (found["status"], found["missing_after"]) == ("succeeded", [LCU, NET])
    assert found["counts"]["missing_count"] == 2 and found["evidence"]["notes"][0]["code"] == "reboot_source"


@pytest.mark.parametrize(
    ("rules", "kbs"), [(PackageRules(security_only=True), [LCU]), (PackageRules(exclude=(LCU,)), [NET])]
)
def test_a_scan_keeps_to_the_policy(rules: PackageRules, kbs: list[str]) -> None:
    rows = {"a": update_row(LCU), "d": update_row(NET, "Updates")}
    found = scan_result(read_updates({"updates": rows, "filtered_updates": {}}), state(), rules, UpdateRules())
    assert found["missing_after"] == kbs


def test_a_search_that_failed_is_no_clean_scan() -> None:
    found = scan_result(answer(failed="Searching for updates: (0x8024402C)"), state(), PackageRules(), UpdateRules())
    assert found["status"] == "failed" and "missing_after" not in found
    assert "DNS can't resolve" in found["error"]["text"]


@pytest.mark.parametrize(("code", "waits"), [(0x80070BC9, True), (0x80240016, True), (0x80070005, False), (0, False)])
def test_what_failed_because_of_a_pending_reboot_is_named(code: int, waits: bool) -> None:
    row = entry(NET, result=4, hresult=code - 2**32 if code else 0)
    found = install_result(state(entry(LCU), row), [LCU, NET], answer(LCU, NET))
    assert found["after_reboot"] == ([NET] if waits else []) and found["failed"] == [NET]
