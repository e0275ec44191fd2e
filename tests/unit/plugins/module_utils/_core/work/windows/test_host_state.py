# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state that a Windows host shows: the script's grammar, and the document read with distrust."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import tree_sitter
import tree_sitter_powershell
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.node_answer import BadAnswer
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows import findings, host_state
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.host_state import read_state
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.reboot_sources import (
    COUNTS,
    NOTES,
    reboot_need,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.state_script import (
    MODES,
    to_state_script,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.windows_host import BOOT, CLAIMED, entry, state_document

#: Aliases and short forms that a script which others read does not use (PSScriptAnalyzer, AvoidUsingCmdletAliases).
ALIASES = re.compile(r"\|\s*(%|\?|select|where|foreach|sort|measure|ft|fl)\s|\b(gci|gwmi|gcim|iex|iwr|ls|cat|rm)\b")


def shown(**more: Any) -> str:
    return json.dumps(state_document(**more))


@pytest.mark.parametrize("mode", MODES)
def test_the_script_is_powershell_without_aliases(mode: str) -> None:
    script = to_state_script(mode, "r w/patch/1")
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    assert not parser.parse(script.encode()).root_node.has_error
    assert script.isascii() and "@MODE@" not in script and not ALIASES.search(script)
    assert not [mark for mark in ("{{", "{%", "{#", "Win32_Product") if mark in script]
    assert script.startswith("# patchtide:windows:1\n") and f"$mode = '{mode}'" in script


def test_every_source_that_the_script_asks_is_judged() -> None:
    block = to_state_script("state").partition("$reboot = [ordered]@{")[2].partition("\n}")[0]
    assert set(re.findall(r"^    (\w+) = ", block, re.MULTILINE)) == {*COUNTS, *NOTES}


def test_every_detail_that_the_script_reads_is_told_or_kept() -> None:
    """What nobody looks at would only cost time on the host."""
    script = to_state_script("state")
    read = set(re.findall(r"\$document\['(\w+)'\] = ", script))
    read |= set(
        re.findall(r"^    (\w+) = ", script.partition("$document['roles']")[2].partition("\n}")[0], re.MULTILINE)
    )
    readers = (Path(item.__file__).read_text("utf-8") for item in (findings, host_state))
    told = set(re.findall(r"\.get\(\"(\w+)\"\)", "".join(readers)))
    assert read - told == set()


def test_only_the_mode_that_reads_all_takes_its_time() -> None:
    assert "dism.exe" in to_state_script("state") and "dism.exe" not in to_state_script("look", "t")


def test_a_token_never_leaves_its_quotes() -> None:
    script = to_state_script("claim", "'; Remove-Item C:\\ #")
    assert re.search(r"^\$token = '[0-9a-f]{24}'$", script, re.MULTILINE)
    assert to_state_script("claim", "a") != to_state_script("claim", "b")


@pytest.mark.parametrize(
    ("mode", "token", "owner"), [("format", "t", ""), ("claim", "", "a"), ("look", "", ""), ("claim", "t", "'; #")]
)
def test_a_mode_or_owner_that_is_none_is_refused(mode: str, token: str, owner: str) -> None:
    with pytest.raises(BadInput):
        to_state_script(mode, token, owner)


def test_the_last_document_counts() -> None:
    state = read_state(f"\ufeffWelcome {{guest}}\n{{}}\r\n{shown(work={'state': 'claimed', 'exit': '1190'})}\r\n")
    assert state.boot == datetime(2026, 11, 20, 3, tzinfo=timezone.utc)
    assert (state.claim.state, state.claim.code, state.installing) == ("claimed", 1190, False)


@pytest.mark.parametrize("output", ["", "{}", "[]", '{"windows": 2}', '{"windows": true}', "{" * 10_000])
def test_what_is_no_document_is_refused(output: str) -> None:
    with pytest.raises(BadAnswer, match="no state of Windows Update"):
        read_state(output)


@pytest.mark.parametrize(
    ("live", "installing", "processes"),
    [
        ({"pipes": [], "workers": [], "installing": False}, False, False),
        ({"pipes": ["Ansible.Windows.WinUpdates-1"], "workers": []}, None, True),
        ({"pipes": "Ansible.Windows.WinUpdates-1", "workers": None}, None, True),  # a list of one that was unrolled
        ({"pipes": None, "workers": 4711, "installing": True}, True, True),
        ({"pipes": None, "workers": None, "installing": False}, False, None),
        ({}, None, None),
    ],
)
def test_an_install_that_runs(live: dict[str, Any], installing: bool | None, processes: bool | None) -> None:
    state = read_state(shown(live=live))
    assert (state.installing, state.processes) == (installing, processes)


@pytest.mark.parametrize(("kbs", "ended"), [([], True), (["KB5001234"], True), (["KB5001234", "KB5001235"], False)])
def test_what_has_ended_since_a_moment(kbs: list[str], ended: bool) -> None:
    rows = [entry("KB5001234", result=5), entry("KB5001235", result=1), entry("KB5001235", BOOT)]
    state = read_state(shown(history=rows))
    assert state.has_ended(kbs, datetime(2026, 11, 28, tzinfo=timezone.utc)) is ended


def test_history_is_sorted_and_knows_its_kb() -> None:
    rows = [entry("KB5001234", "2026-11-20T03:00:00Z"), entry("KB5001235", "2026-11-21T03:00:00Z", result=4)]
    state = read_state(shown(history=[*rows, {"at": "yesterday"}, 7]))
    assert [(row.kb, row.is_installed) for row in state.history or ()] == [("KB5001235", False), ("KB5001234", True)]
    assert [row.kb for row in state.since(datetime(2026, 11, 21, tzinfo=timezone.utc))] == ["KB5001235"]
    assert read_state(shown(history=None)).history is None


@pytest.mark.parametrize(
    ("title", "kb"),
    [
        ("2026-11 Cumulative Update for Windows (KB5001234)", "KB5001234"),
        ("Update for the setup of KB5001234 (KB5009999)", "KB5009999"),
        ("Update (KB5001234) for .NET (kb5009999) (1.2)", "KB5009999"),
        ("Security Intelligence Update - KB2267602 (Version 1.4)", "KB2267602"),
        ("Fix of KB5001234 and KB5009999", "KB5001234"),
        ("Intel - net - 12.19.2.65", ""),
    ],
)
def test_the_kb_of_an_entry_is_the_one_at_the_end_of_its_title(title: str, kb: str) -> None:
    (row,) = read_state(shown(history=[{**entry("KB1234567"), "title": title}])).history or ()
    assert row.kb == kb


@pytest.mark.parametrize(("seconds", "rebooted"), [(0, False), (59, False), (-3600, False), (61, True)])
def test_a_clock_that_was_set_is_no_reboot(seconds: int, rebooted: bool) -> None:
    before = datetime(2026, 11, 20, 3, tzinfo=timezone.utc)
    after = (before + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    state = read_state(shown(boot=after))
    assert state.rebooted_since(before) is rebooted and not state.rebooted_since(None)


def test_details_are_kept() -> None:
    assert read_state(shown(component_store="repairable")).details == {"component_store": "repairable"}


@pytest.mark.parametrize(
    ("sources", "pending", "reasons", "doubts"),
    [
        ({}, None, 0, 0),
        ({"windows_update": False, "system_information": None}, False, 0, 0),
        ({"cbs_pending": True, "system_information": False}, True, 1, 0),
        ({"windows_update": False, "file_renames": True, "configuration_manager": True}, False, 0, 2),
        ({"file_renames": True}, None, 0, 1),
    ],
)
def test_what_sources_of_a_reboot_come_to(
    sources: dict[str, bool | None], pending: bool | None, reasons: int, doubts: int
) -> None:
    need = reboot_need(sources)
    assert (need.pending, len(need.reasons), len(need.doubts)) == (pending, reasons, doubts)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(BOOT),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["boot", "ready", "live", "reboot", "history", "work"]), JSON, max_size=6))
def test_nothing_that_a_host_shows_breaks_the_reader(parts: dict[str, Any]) -> None:
    state = read_state(json.dumps({**state_document(), **parts}))
    assert state.claim.state in ("absent", "claimed", "closed") and state.processes in (True, False, None)


@pytest.mark.parametrize(
    ("events", "told"),
    [
        (None, ["the system log could not be read"]),
        ("text", ["the system log could not be read"]),
        ([], ["the system log shows no reboot"]),
        ([{"at": "2026-11-27T00:00:00Z", "id": 6005}], ["the system log shows no reboot"]),  # an earlier one
        ([{"at": CLAIMED, "id": 1074}], ["a program asked for the reboot (event 1074)"]),
        ({"at": CLAIMED, "id": 6005}, ["the system log began again (event 6005)"]),
        ([{"at": CLAIMED, "id": 41}], ["Windows was not shut down cleanly (event 41 or 6008)"]),
        ([{"at": CLAIMED, "id": 6008}, {"at": CLAIMED}, 5], ["Windows was not shut down cleanly (event 41 or 6008)"]),
    ],
)
def test_what_the_system_log_says_about_a_reboot(events: object, told: list[str]) -> None:
    state = read_state(shown(events=events))
    assert state.reboot_notes(datetime(2026, 11, 28, 1, tzinfo=timezone.utc)) == told


def test_only_a_look_at_work_reads_the_system_log() -> None:
    """All that stands in the script is sent in every mode; what runs depends on it."""
    script = to_state_script("look", "t")
    assert "if ($mode -eq 'look') {\n    $asked = @{\n        LogName = 'System'" in script


UPDATES, STORE = "https://fe2.update.microsoft.com/", "http://download.windowsupdate.com/"


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([f"no {UPDATES}", f"no {STORE}"], []),
        ([f"yes {UPDATES}", f"no {STORE}"], ["https://fe2.update.microsoft.com/ answers from this host"]),
        ([f"no {UPDATES}", f"unknown {STORE}"], [f"whether {STORE} answers from this host is not known"]),
        (f"no {UPDATES}", [f"whether {STORE} answers from this host is not known"]),
        (None, [f"whether {url} answers from this host is not known" for url in (UPDATES, STORE)]),
        ([7, "yes", f"maybe {STORE}", f"no {UPDATES}"], [f"whether {STORE} answers from this host is not known"]),
    ],
)
def test_an_address_that_must_not_answer(rows: object, told: list[str]) -> None:
    """What a host does not say counts as unknown, never as closed."""
    found = read_state(shown(closed=rows)).open_urls([UPDATES, STORE])
    assert len(found) == len(told) and all(text.startswith(start) for text, start in zip(found, told, strict=True))


def test_addresses_are_tried_in_quotes_and_only_where_all_is_read() -> None:
    assert f"@(foreach ($url in @('{UPDATES}', '{STORE}')) {{" in to_state_script("state", closed=[UPDATES, STORE])
    assert "foreach ($url in @())" in to_state_script("state")
    assert "Invoke-WebRequest" not in to_state_script("look", "t", closed=[UPDATES])
    with pytest.raises(BadInput, match="closed"):
        to_state_script("state", closed=["http://a.example/'; Stop-Computer"])
