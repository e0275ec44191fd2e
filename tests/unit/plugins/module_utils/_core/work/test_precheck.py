# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on a node before it is patched (covers TM-11 to 14, F24 to F27)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.executors import LINUX, SSM, Executor
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.precheck import (
    PrecheckRules,
    evaluate_probe,
    parse_probe,
    services_mode,
)
from hypothesis import given
from hypothesis import strategies as st

REPO = {"url": "https://mirror.test/os", "ok": True, "text": ""}


def document(**changes: Any) -> dict[str, Any]:
    return {
        "probe": 1,
        "platform": "linux",
        "os": "Amazon Linux",
        "os_version": "2023",
        "kernel": "6.1.79",
        "kernel_newest": "6.1.79",
        "boot_id": "b-1",
        "uptime_s": 100,
        "disks": [{"mount": "/", "free_mb": 5000, "size_mb": 8000}],
        "pending_reboot": False,
        "lock_held_by": "",
        "repos": [REPO],
        "failed_units": [],
        "load1": 0.5,
        "cpus": 2,
        "agent": "active",
        "time_synced": True,
        **changes,
    }


def failing(rules: dict[str, Any] | None = None, executor: Executor = SSM, **changes: Any) -> list[tuple[str, str]]:
    found = evaluate_probe(document(**changes), PrecheckRules.from_dict(rules), executor=executor)
    assert found.outcome == ("pass" if all(item.ok for item in found.findings) else "skip")
    return [(item.check, item.text) for item in found.findings if not item.ok]


def disks(**free: int) -> dict[str, Any]:
    return {"disks": [{"mount": f"/{mount}", "free_mb": mb, "size_mb": 9999} for mount, mb in free.items()]}


def test_sound_node_passes_and_tells_what_was_looked_at() -> None:
    found = evaluate_probe(json.dumps(document()))
    assert (found.outcome, found.error) == ("pass", None)
    assert [item.check for item in found.findings] == [
        "disk",
        "pending_reboot",
        "lock",
        "repositories",
        "failed_units",
        "time_sync",
        "agent",
    ]
    assert found.facts["boot_id"] == "b-1"


def test_mount_that_does_not_exist_is_covered_by_its_parent() -> None:
    assert failing({"disk": {"/var": 1024, "/boot": 200}}, **disks(**{"": 500})) == [
        ("disk", "/ (holds /var) has 500 MB free, the policy asks for 1024 MB"),
    ]
    assert failing({"disk": {"/var/cache/apt": 900}}, **disks(**{"": 1, "var": 900, "var/lib": 1})) == []
    assert failing({"disk": {"/varnish": 10}}, **disks(**{"": 20, "var": 5})) == []


def test_full_boot_partition() -> None:
    assert failing(**disks(**{"": 5000, "boot": 199})) == [
        ("disk", "/boot has 199 MB free, the policy asks for 200 MB")
    ]
    assert failing(**disks(**{"": 5000, "boot": 200})) == []


def test_drives_count_on_windows_and_mounts_do_not() -> None:
    windows = {"platform": "windows", "disks": [{"mount": "C:", "free_mb": 4095, "size_mb": 9999}]}
    assert failing({"disk": {"/": 99999, "c:": 4096, "D:": 1}}, **windows) == [
        ("disk", "C: (holds c:) has 4095 MB free, the policy asks for 4096 MB"),
    ]


def test_free_space_unknown_where_the_list_of_mounts_was_cut() -> None:
    rules = {"disk": {"/srv/data": 10}}
    assert failing(rules, **disks(**{"": 5000}), disks_total=40) == [
        ("disk", "free space of /srv/data is unknown: too many mounts to list")
    ]
    assert failing(rules, **disks(**{"": 5000}), disks_total=1) == []


@pytest.mark.parametrize(
    ("changes", "switch", "text"),
    [
        ({"pending_reboot": True}, "pending_reboot", "a reboot is pending"),
        ({"lock_held_by": "apt-get (pid 7)"}, "lock", "the package manager is locked by apt-get (pid 7)"),
        (
            {"repos": [{"url": "http://old.test", "ok": False, "text": "HTTP 404"}]},
            "repositories",
            "repository http://old.test can't be reached: the repository has no such file; HTTP 404",
        ),
        ({"repos": [], "manager": "dnf"}, "repositories", "dnf has no repository enabled"),
        ({"failed_units": ["a.service", "b.service"]}, "failed_units", "failed services: a.service, b.service"),
        ({"agent": "inactive"}, "agent", "the SSM Agent is inactive"),
        ({"time_synced": False}, "time_sync", "the clock is not synchronised"),
    ],
)
def test_finding_holds_or_is_only_recorded(changes: dict[str, Any], switch: str, text: str) -> None:
    assert failing({switch: "skip_node"}, **changes) == [(switch, text)]
    for choice in ("allow", "ignore"):
        found = evaluate_probe(document(**changes), PrecheckRules(**{switch: choice}))
        assert found.outcome == "pass"
        assert text in [item.text for item in found.findings]


def test_pending_reboot_names_the_kernels() -> None:
    texts = failing({"pending_reboot": "skip_node"}, pending_reboot=True, kernel_newest="6.1.99")
    assert texts == [("pending_reboot", "a reboot is pending: kernel 6.1.79 runs, 6.1.99 is installed")]


def test_what_the_node_can_not_tell_does_not_hold_it() -> None:
    rules = {"pending_reboot": "skip_node", "time_sync": "skip_node", "repositories": "skip_node"}
    repos = [{"url": "http://a.test", "ok": None, "text": "not checked: no tool"}]
    assert failing(rules, pending_reboot=None, time_synced=None, repos=repos) == []


def test_repository_that_the_policy_does_not_expect() -> None:
    # TM-14: hosts with a wrong repository URL are found even where that URL answers.
    rules = {"expected_repositories": ["https://mirror.test/*", "http://inside/*"]}
    assert failing(rules) == []
    assert failing(rules, repos=[REPO, {"url": "http://evil.test/os", "ok": True}]) == [
        (
            "repositories",
            "repository http://evil.test/os is not one the policy expects (https://mirror.test/*, http://inside/*)",
        )
    ]


def test_load_is_looked_at_only_with_a_limit() -> None:
    assert failing(load1=99.0) == []
    assert failing({"max_load_per_cpu": 2.0}, load1=5.0) == [("load", "load per CPU is 2.50, the policy allows 2")]
    assert failing({"max_load_per_cpu": 2.0}, load1=4.0) == []
    assert failing({"max_load_per_cpu": 2.0}, load1=None)[0][0] == "load"


def test_agent_matters_only_where_it_does_the_work() -> None:
    assert failing(agent="absent") == [("agent", "the SSM Agent is absent")]
    assert failing(agent="absent", executor=LINUX) == []


def test_error_of_the_record_names_the_first_check_and_every_reason() -> None:
    found = evaluate_probe(document(lock_held_by="dnf", agent="failed"))
    assert found.error == {
        "code": "precheck_lock",
        "text": "the package manager is locked by dnf; the SSM Agent is failed",
    }


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("", "the probe printed nothing"),
        (None, "the probe printed nothing"),
        ("sh: not found", "the probe printed no JSON document: 'sh: not found'"),
        ('{"probe":1,', "the probe printed no JSON document: '{\"probe\":1,'"),
        ("[1]", "the probe printed no JSON document: '[1]'"),
        ("{}", "this is not the document of probe 1: probe is None"),
        ('{"probe":2}', "this is not the document of probe 1: probe is 2"),
        ('{"probe":true}', "this is not the document of probe 1: probe is True"),
    ],
)
def test_unusable_probe_holds_with_one_clear_finding(output: Any, text: str) -> None:
    found = evaluate_probe(output)
    assert found.to_dict() == {
        "outcome": "skip",
        "findings": [{"check": "probe", "ok": False, "text": text}],
        "facts": {},
    }


def test_document_is_found_behind_a_banner_and_a_byte_order_mark() -> None:
    text = json.dumps(document())
    assert parse_probe(f"Welcome!\n{{not json\n{text}\n\n") == document()
    assert parse_probe(f"\ufeff{text}\r\n") == document()


def test_empty_document_of_the_right_version_holds() -> None:
    assert [item.check for item in evaluate_probe({"probe": 1}).findings if not item.ok] == ["disk", "agent"]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"lock": "maybe"}, "prechecks.lock: 'maybe' is not valid, expected skip_node or allow"),
        ({"disks": {}}, "prechecks.disks: {} is not valid, expected one of the checks agent, database, disk"),
        ({"disk": ["/"]}, "prechecks.disk: ['/'] is not valid, expected mount points"),
        ({"disk": {"/": "1G"}}, "prechecks.disk./: '1G' is not valid, expected free megabytes"),
        ({"disk": {"/": -1}}, "prechecks.disk./: -1"),
        ({"max_load_per_cpu": 0}, "prechecks.max_load_per_cpu: 0 is not valid, expected a number above 0"),
        ({"expected_repositories": "x"}, "prechecks.expected_repositories: 'x'"),
        (
            {"services": "skip_node"},
            "prechecks.services: 'skip_node' is not valid, expected one of require, record, ignore",
        ),
    ],
)
def test_bad_rule_names_its_path(rules: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        PrecheckRules.from_dict(rules)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("count", "rule", "fact", "text"),
    [
        (41, None, "require", "41 services run before the work"),
        (0, "record", "record", "0 services run before the work"),
        (None, "require", None, "the node can't tell which services run"),
        ("41", "require", None, "the node can't tell which services run"),
    ],
)
def test_what_becomes_of_services_is_kept_for_the_final_look(count: Any, rule: Any, fact: Any, text: str) -> None:
    found = evaluate_probe({**document(), "services": count}, PrecheckRules.from_dict({"services": rule}))
    assert found.facts.get("services") == fact
    assert [(item.ok, item.text) for item in found.findings if item.check == "services"] == [(True, text)]


def test_services_are_remembered_unless_the_policy_says_otherwise() -> None:
    modes = {rule: services_mode("precheck", PrecheckRules(services=rule)) for rule in ("require", "record", "ignore")}
    assert modes == {"require": "remember", "record": "remember", "ignore": ""}
    assert services_mode("precheck") == "remember"
    assert services_mode("verify") == "compare"
    assert not [item for item in evaluate_probe(document()).findings if item.check == "services"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
DISK = st.fixed_dictionaries({"mount": JSON, "free_mb": JSON})
DAMAGED = st.dictionaries(st.sampled_from(sorted(document())), JSON | st.lists(DISK, max_size=3), max_size=6)


@given(DAMAGED, st.sampled_from([SSM, LINUX]))
def test_no_document_makes_it_crash(damage: dict[str, Any], executor: Executor) -> None:
    rules = PrecheckRules(max_load_per_cpu=1.5, expected_repositories=("*",), pending_reboot="skip_node")
    found = evaluate_probe({**document(), **damage}, rules, executor=executor)
    assert found.outcome in ("pass", "skip")
    json.dumps(found.to_dict())


@given(st.text())
def test_no_output_makes_it_crash(output: str) -> None:
    assert evaluate_probe(output).outcome == "skip"
