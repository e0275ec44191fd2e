# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every branch of our PowerShell that compares a text is reached by outputs that others have recorded, and every member
of its document changes what is read. The scripts do not run here: their expressions are taken from their text."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import ansible
import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.host_probe import to_probe, to_reboot_script
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.findings import findings
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.host_state import read_state
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.state_script import (
    MODES,
    to_state_script,
)

from tests.fakes.windows_host import BOOT, CLAIMED, NOW, entry, state_document
from tests.fakes.windows_outputs import CHECK_HEALTH, RECORDED, WRITERS

STATE = to_state_script("state")
WSUS = Path(__file__).parents[7] / "roles" / "repository_wsus" / "files"
SCRIPTS = [
    *(to_state_script(mode, "t") for mode in MODES),
    *(to_probe("windows", mode, "r-1", mode) for mode in ("remember", "compare", "")),
    to_reboot_script("windows", "t"),
    *(path.read_text("utf-8") for path in sorted(WSUS.glob("*.ps1"))),
]
#: .NET, System.Net.WebExceptionStatus, as far as a request over HTTP can end with it.
WEB = frozenset(
    (
        *("Success", "NameResolutionFailure", "ConnectFailure", "ReceiveFailure", "SendFailure", "ConnectionClosed"),
        *("ProtocolError", "TrustFailure", "SecureChannelFailure", "Timeout", "ProxyNameResolutionFailure"),
        *("RequestCanceled", "KeepAliveFailure", "ServerProtocolViolation", "UnknownError"),
    )
)
#: Microsoft Learn, Win32_Service, ServiceType.
SERVICES = frozenset(
    ("Kernel Driver", "File System Driver", "Adapter", "Recognizer Driver", "Own Process", "Share Process")
)
#: Microsoft Learn, UpdateInstallationState.
WSUS_STATES = frozenset(
    ("Unknown", "NotApplicable", "NotInstalled", "Downloaded", "Installed", "Failed", "InstalledPendingReboot")
)


def test_every_expression_of_the_scripts_has_recordings() -> None:
    found = {
        item[1] for text in SCRIPTS for item in re.findall(r"-(?:not)?(?:match|like|replace) (['\"])(.*?)\1", text)
    }
    assert found == set(RECORDED)


def matches(expression: str, text: str) -> bool:
    """As ``-match`` and ``-like`` do, which ignore case."""
    if expression.endswith("*"):
        return fnmatchcase(text.lower(), expression.lower())
    return re.search(expression, text, re.IGNORECASE) is not None


@pytest.mark.parametrize("expression", RECORDED)
def test_an_expression_matches_what_it_is_for_and_nothing_of_the_same_origin(expression: str) -> None:
    hits, others = RECORDED[expression]
    assert hits and all(matches(expression, text) for text in hits)
    assert others and not any(matches(expression, text) for text in others)


def test_every_answer_of_dism_is_understood() -> None:
    branches = re.findall(r"if \(\$dism -match '(.+?)'\) \{ '(\w+)' \}", STATE)
    otherwise = re.search(r"if \(\$dism.*\n(?:.*elseif.*\n)*    else \{ '(\w+)' \}", STATE)
    assert otherwise and {name for _text, name in branches} | {otherwise[1]} == set(CHECK_HEALTH.values())
    for text, expected in CHECK_HEALTH.items():
        assert next((name for mark, name in branches if matches(mark, text)), otherwise[1]) == expected


def writers(output: str) -> Iterator[str]:
    """What the script's loop over the lines of vssadmin returns, with its own two expressions."""
    name_of, state_of = re.findall(r"\"\$_\" -match (?:\"(.+?)\"|'(.+?)')", STATE)
    name = ""
    for line in output.splitlines():
        if found := re.search(name_of[0], line):
            name = found[1]
        elif name and (found := re.search(state_of[1], line)):
            yield f"{found[1]} {name}"
            name = ""


@pytest.mark.parametrize("output", WRITERS)
def test_writers_of_shadow_copies_are_read_in_any_language(output: str) -> None:
    assert list(writers(output)) == WRITERS[output]


def test_what_win_updates_leaves_on_a_host_is_named_as_in_its_source() -> None:
    collections = Path(ansible.__file__).parent.parent / "ansible_collections"  # importing one would load it half
    source = (collections / "ansible/windows/plugins/modules/win_updates.ps1").read_text("utf-8")
    assert '$pipeName = "Ansible.Windows.WinUpdates-$taskId"' in source
    assert '$cancelId = "Global\\Ansible.Windows.WinUpdates-$taskId"' in source
    stub = source.partition("$stubRunner = @'")[2].partition("'@")[0]
    assert "ANSIBLE_BOOTSTRAP_ERROR" in stub and re.search(r"-Command .*\$stubRunner", source), "in clear text"


def test_names_in_lists_are_those_that_windows_uses() -> None:
    lists = {item for text in SCRIPTS for item in re.findall(r"-in ((?:'[^']+'(?:, )?)+)", text)}
    names = {name for item in lists for name in re.findall(r"'([^']+)'", item)}
    assert names and names <= WEB | SERVICES | WSUS_STATES | set(MODES)


SOUND: dict[str, Any] = {
    **state_document(events=[{"at": BOOT, "id": 6005}]),
    "reboot": {},
    "administrator": True,
    "language_mode": "FullLanguage",
    "update_service": "Manual",
    "component_store": "healthy",
    "policy": {"uses_server": True, "target_group": "Dev", "no_internet": True},
    "roles": {},
    "closed": ["no http://a.example/"],
}
SICK: dict[str, Any] = {
    "windows": 2,
    "now": "2026-11-28T02:00:01Z",
    "boot": NOW,
    "ready": False,
    "live": {"pipes": ["Ansible.Windows.WinUpdates-1"], "workers": [4711], "installing": True, "servicing": True},
    "reboot": dict.fromkeys(
        re.findall(r"^    (\w+) = ", STATE.partition("$reboot = ")[2].partition("\n}")[0], re.M), True
    ),
    "history": [entry("KB5001234", result=4, hresult=-2145124329)],
    "events": [{"at": CLAIMED, "id": 1074}],
    "work": {"state": "claimed", "fresh": True, "since": CLAIMED, "boot": BOOT, "exit": "1190", "text": "(1190)"},
    "administrator": False,
    "language_mode": "ConstrainedLanguage",
    "update_service": "Disabled",
    "component_store": "damaged",
    "policy": {
        "server": "http://wsus.example:8530",
        "uses_server": False,
        "target_group": "Prod",
        "no_internet": False,
        "no_access": True,
        "defers_quality": True,
        "defers_feature": True,
        "no_dual_scan": True,
        "installs_alone": True,
    },
    "last_search": "2026-01-01T00:00:00Z",
    "vss_writers": ["8 Microsoft Exchange Writer"],
    "listener_certificates": ["2026-12-01T00:00:00Z"],
    "roles": {"cluster_groups": ["SQL"], "availability_groups": ["AG1"], "domain_controller": True},
    "sessions": 2,
    "closed": ["yes http://a.example/"],
}


def members() -> set[str]:
    """Return the names of all members that the script's document can have."""
    text = "".join(to_state_script(mode, "t") for mode in ("state", "look"))
    blocks = re.findall(r"\[ordered\]@\{(.*?)\n? *\}(?=\n|$| \})", text, re.DOTALL)
    found = {name for block in blocks for name in re.findall(r"(?:^|[;{\n])\s*([a-z_]+) = ", block)}
    return found | set(re.findall(r"\$document\['(\w+)'\]", text))


def paths(value: Any, *before: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every leaf; a list counts as one unless it has mappings."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, *before, key)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        yield from paths(value[0], *before, 0)
    else:
        yield before


def test_every_member_of_the_document_is_in_the_example() -> None:
    assert members() == {str(key) for path in paths(SICK) for key in path if key != 0}


def said(document: dict[str, Any]) -> str:
    """Everything that the readers make of a document."""
    try:
        state = read_state(json.dumps(document))
    except Exception as refused:
        return str(refused)
    told = [item.text for item in findings(state, None, "Dev")]
    parts = (state.boot, state.now, state.ready, state.installing, state.processes, state.servicing, state.reboot)
    return repr((parts, state.history, state.claim, state.events, told, state.open_urls(["http://a.example/"])))


@pytest.mark.parametrize("path", list(paths(SICK)), ids=lambda path: ".".join(map(str, path)))
def test_every_member_of_the_document_counts(path: tuple[Any, ...]) -> None:
    """One that changes nothing would only cost time on the host. Rows lose the member, others get the bad value."""
    base = copy.deepcopy(SOUND)
    if path[:2] == ("policy", "no_dual_scan"):
        base["policy"]["defers_quality"] = True
    if is_row := path[0] in ("history", "events", "work"):
        base[path[0]] = copy.deepcopy(SICK[path[0]])
    changed = copy.deepcopy(base)
    place: Any = changed
    value: Any = SICK
    for key in path[:-1]:
        place, value = place[key], value[key]
    if is_row:
        place.pop(path[-1])
    else:
        place[path[-1]] = value[path[-1]]
    assert said(changed) != said(base)
