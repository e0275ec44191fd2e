# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""junit.xml: a rollout as CI servers show tests."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.junit import to_junit
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.model import build_report
from hypothesis import given
from hypothesis import strategies as st

from tests.report import samples


def parsed(run: samples.Run) -> ElementTree.Element:
    return ElementTree.fromstring(to_junit(build_report(run.plan, run.records, run.scan)))


@pytest.mark.parametrize(
    ("name", "failures", "errors", "skipped"),
    [("completed", 3, 2, 3), ("aborted", 3, 0, 55), ("unfinished", 0, 19, 39), ("hostile", 3, 2, 3)],
)
def test_numbers_agree_with_the_cases(name: str, failures: int, errors: int, skipped: int) -> None:
    root = parsed(samples.RUNS[name]())
    assert [int(root.attrib[key]) for key in ("failures", "errors", "skipped")] == [failures, errors, skipped]
    for key, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(root.attrib[key]) == len(root.findall(f".//{tag}"))
        assert int(root.attrib[key]) == sum(int(suite.attrib[key]) for suite in root.findall("testsuite"))


def test_waves_are_suites_and_reasons_are_messages() -> None:
    root = parsed(samples.aborted())
    assert [suite.attrib["name"] for suite in root] == ["canary", "early", "broad"]
    messages = {item.attrib["message"] for item in root.findall(".//skipped")}
    assert "not started: aborted after canary" in messages


def test_of_a_scan_missing_patches_are_failures() -> None:
    root = ElementTree.fromstring(to_junit(build_report(scan=samples.completed().scan)))
    assert (root.attrib["tests"], root.attrib["failures"], root.attrib["errors"]) == ("62", "61", "0")


def test_a_node_that_nobody_serves_is_an_error() -> None:
    left_out = {"node_id": "typo", "code": "not_served", "reason": "executor 'sms' is not served"}
    run = samples.completed()
    root = ElementTree.fromstring(to_junit(build_report({**run.plan, "excluded": [left_out]}, run.records, run.scan)))
    assert [item.attrib["message"] for item in root.findall(".//error")] == ["executor 'sms' is not served"]


@given(st.text(st.characters(codec=None), max_size=30))
def test_any_name_is_well_formed_xml(name: str) -> None:
    nodes = {"i-1": {"name": name, "executor": name, "status": "failed", "error": {"code": name, "text": name}}}
    ElementTree.fromstring(to_junit(build_report(scan={"nodes": nodes})).encode("utf-8"))
