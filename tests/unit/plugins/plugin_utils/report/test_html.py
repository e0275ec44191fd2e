# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML reports: whole, self-contained, harmless whatever names say, and readable without scripts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import GateJudged, Outcome, WaveStarted
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.model import build_report
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.text import summary_to_text
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.report.charts import divide, to_scale
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.report.html import (
    render_plan_html,
    render_report_html,
    render_tenants_html,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.report.node_table import STATIC_ROWS
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report import samples

ANY_TEXT = st.text(st.characters(codec=None), max_size=40)
VOID = {"meta", "br", "input", "link", "img"}


class Page(HTMLParser):
    """What a browser would see: open elements, texts and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.data = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"] and self.attributes[-1] == ("script", "id", "data"):
            self.data = data
            return
        (self.scripts if self.open and self.open[-1] in ("script", "style") else self.texts).append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)


def pages(run: samples.Run) -> tuple[str, str]:
    return render_report_html(build_report(run.plan, run.records, run.scan), has_plan=True), render_plan_html(run.plan)


@pytest.mark.parametrize("name", ["completed", "aborted", "paused", "hostile", "unfinished"])
def test_pages_are_whole_and_load_nothing(name: str) -> None:
    for html in pages(samples.RUNS[name]()):
        page = Page(html)
        assert page.tags.count("script") == page.tags.count("style") == 1
        links = {value for _tag, attribute, value in page.attributes if attribute in ("href", "src", "action")}
        assert {link for link in links if not link.startswith("#")} <= {"nodes.csv", "plan.html", "summary.json"}
        assert not any(
            attribute.startswith("on") or attribute == "style" for _tag, attribute, _value in page.attributes
        )
        assert "http" not in re.sub(r"http://example\.invalid|http-equiv", "", html)


def test_the_policy_allows_exactly_this_style_and_this_script() -> None:
    for html in pages(samples.completed()):
        page = Page(html)
        policy = next(value for _tag, name, value in page.attributes if name == "content" and "default-src" in value)
        digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in page.scripts]
        assert re.findall(r"'sha256-([^']+)'", policy) == digests
        assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy


def test_hostile_names_are_shown_and_do_nothing() -> None:
    for html in pages(samples.hostile()):
        page = Page(html)
        assert "{{ 7*7 }}" in page.text and "<script>document.title='owned'</script>" in page.text
        assert "<img src=x onerror=alert(1)>" in page.text and "img" not in page.tags
        assert "\u202e" not in html and "\x1b" not in html


@settings(max_examples=40, deadline=None)
@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_any_text_in_any_place_stays_text(name: str, reason: str, patch: str) -> None:
    base = Page(_page("a", "b", "c"))
    page = Page(_page("n" + name, "r" + reason, "p" + patch))
    assert sorted(set(page.tags)) == sorted(set(base.tags))
    assert {item[1] for item in page.attributes} <= {item[1] for item in base.attributes}


def _page(name: str, reason: str, patch: str) -> str:
    node = {"node_id": "i-1" + name, "host": name, "name": name, "executor": name, "account": name, "region": reason}
    missing = [{"id": "p" + patch, "title": name, "severity": reason, "cve_ids": [name]}]
    plan = samples.plan_of([{**node, "patches": missing, "patch_count": 1, "reboot": "no"}], (1, 0))
    plan["waves"] = [{**plan["waves"][0], "name": name}]
    plan |= {"policy": {"name": name, "digest": name}, "digest": patch, "rollout": patch}
    plan["excluded"] = [{"node_id": "x" + name, "code": name, "reason": reason}]
    run = samples.Run({"nodes": {node["node_id"]: {"missing": missing, "status": "succeeded"}}}, plan)
    run.scan["failed_places"] = [{"place": name, "error": {"code": reason, "message": patch}}]
    result = {**node, "status": "failed", "failed": ["p" + patch], "installed": ["q" + patch, "p" + patch]}
    result |= {"error": {"code": name, "text": reason}, "kernel_before": name, "evidence": {name: {reason: patch}}}
    # The journal never holds what JSON can't; a plan in memory might.
    clean = {
        key: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for key, value in result.items()
    }
    del clean["evidence"], clean["error"]
    run.note(WaveStarted(wave=clean["name"]))
    run.note(Outcome(wave=clean["name"], stage="verify", results=(clean,)))
    numbers = {clean["name"]: 1.5}
    run.note(GateJudged(wave=clean["name"], verdict="abort", numbers=numbers, reasons=(clean["host"],)))
    return render_report_html(build_report(run.plan, run.records, run.scan)) + render_plan_html(run.plan)


def test_the_plan_names_the_health_probes_and_nothing_else_of_them() -> None:
    run = samples.completed()
    health_checks = [
        {"name": "<b>shop", "http": {"url": "http://a.example/?key=s3cr3t", "body": "s3cr3t"}},
        {"name": "alarms", "alarm": {"names": ["shop-5xx"]}},
    ]
    waves = [{**wave, "gate": {**wave["gate"], "health_checks": health_checks}} for wave in run.plan["waves"]]
    html = render_plan_html({**run.plan, "waves": waves})
    assert "health checks: <bdi>&lt;b&gt;shop</bdi>, <bdi>alarms</bdi>" in html and "s3cr3t" not in html


def test_the_first_screen_answers_a_change_board() -> None:
    text = re.sub(r"\s+", " ", Page(pages(samples.aborted())[0]).text)
    order = [
        "Aborted after canary",
        "2 of 60 nodes patched or up to date, 3 failed",
        "with 90 % confidence the rate exceeds 24.7 %",
        "Needs attention 4",
        "the agent did not come back",
        "Gate: abort",
        "All nodes 60",
    ]
    positions = [text.index(part) for part in order]
    assert positions == sorted(positions)


def test_details_of_a_node_are_there_without_scripts() -> None:
    run = samples.completed()
    text = Page(pages(run)[0]).text
    node = run.plan["waves"][0]["nodes"][0]
    assert all(patch["id"] in text for patch in node["patches"])
    assert "6.1.115-130.am" in text and "6.1.119-131.am" in text
    assert run.plan["digest"] in text and run.records[-1].hash in text
    assert "the hash chain is whole" in text


def test_a_broken_chain_and_a_foreign_plan_are_said_first() -> None:
    run = samples.completed()
    del run.records[5]
    text = Page(render_report_html(build_report(run.plan, run.records, run.scan))).text
    assert text.index("The journal cannot be trusted") < text.index("Compliance before")
    assert "the hash chain is BROKEN" in text


def test_a_large_estate_is_data_from_which_the_page_shows_what_is_asked_for() -> None:
    run = samples.large(STATIC_ROWS + 300)
    for html, source in zip(pages(run), ("nodes.csv", "plan.json"), strict=True):
        page = Page(html)
        table = html.partition('id="table"')[2].partition("</table>")[0]
        assert f"{source} has all" in page.text and "<tbody>" not in table
        data = json.loads(page.data)
        assert len(data["rows"]) >= STATIC_ROWS + 300 and len(set(data["ids"])) == len(data["ids"])
        assert len(page.tags) < 6_000


def test_no_page_has_more_elements_than_a_browser_likes() -> None:
    """A browser needs a second for 10,000 plain rows; nothing that grows with the estate is written out."""
    wide = samples.estate(1_300)
    for number, node in enumerate(wide):
        node |= {"patch_group": f"G{number}", "tags": {"Owner": f"o{number}", "Application": f"a{number}"}}
    nodes, excluded = wide[:1_000], [(node, "offline", f"lost {'x' * n}") for n, node in enumerate(wide[1_000:])]
    plan = samples.exclude(samples.plan_of(nodes), excluded)
    assert len(Page(render_plan_html(plan)).tags) < 8_000
    run = samples.roll(
        samples.Run(samples.scan_of(nodes), plan), {node["node_id"]: samples.lost for node in nodes[::3]}
    )
    page = Page(render_report_html(build_report(run.plan, run.records, run.scan)))
    assert len(page.tags) < 12_000 and page.text.count("Next:") == 40


def differing(item: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """A final record of a node that shows more than was planned."""
    found = [
        {"code": "withdrawn", "id": "<b>curl", "text": "no longer offered"},
        {"code": "newly_approved", "id": "vim"},
        {"code": "by_unknown", "id": "htop", "title": "htop 3"},
    ]
    return samples.result_of(
        item, at, differences=found, changes=[{"id": "bash", "old": "1", "new": "2"}], proof="node"
    )


def test_differences_from_the_plan_are_listed_with_their_nodes_and_versions() -> None:
    nodes = samples.estate(6)
    run = samples.Run(samples.scan_of(nodes), samples.plan_of(nodes, (6, 0)))
    run = samples.roll(run, {nodes[0]["node_id"]: differing, nodes[1]["node_id"]: differing})
    report = build_report(run.plan, run.records, run.scan)
    page = Page(render_report_html(report))
    text = " ".join(page.text.split())
    for said in (
        "Differences from the plan",
        "Withdrawn",
        "<b>curl (2)",
        "Changed by others",
        "htop (2)",
        "bash 1 \u2192 2",
    ):
        assert said in text, said
    assert "Withdrawn: <b>curl: no longer offered" in text
    assert text.index("Changed by others") < text.index("Newly approved")
    assert "Withdrawn" in summary_to_text(report.summary) and "2 nodes: htop (2)" in summary_to_text(report.summary)
    assert "Differences" not in Page(pages(samples.completed())[0]).text


def changed(item: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    found = {"kernel_installed": {"before": "6.1", "after": "6.2"}, "ports": {"came": ["tcp 443"], "gone": []}}
    return samples.result_of(item, at, evidence={"patch": {"differences": found, "command_id": "c-1"}})


def test_what_changed_on_a_host_is_shown_in_words_and_not_as_an_id() -> None:
    """Kernels, services, ports and mounts before and after (TM-24)."""
    nodes = samples.estate(6)
    run = samples.Run(samples.scan_of(nodes), samples.plan_of(nodes, (6, 0)))
    run = samples.roll(run, {nodes[0]["node_id"]: changed})
    text = " ".join(Page(render_report_html(build_report(run.plan, run.records, run.scan))).text.split())
    assert "Changed on the host" in text and "Newest installed kernel: 6.1 \u2192 6.2" in text
    assert "Listening ports: + tcp 443" in text and "c-1" in text and "'ports'" not in text


def test_bounds_of_the_true_rate_are_said_only_where_they_decide() -> None:
    texts = {name: Page(pages(samples.RUNS[name]())[0]).text for name in ("completed", "aborted")}
    assert "true rate at least" in texts["aborted"] and "true rate" not in texts["completed"]


def test_hostile_names_stay_inside_the_data_block() -> None:
    run = samples.completed(STATIC_ROWS + 60, samples.HOSTILE)
    run.plan["waves"][0]["nodes"][0]["patches"][0]["id"] = "</script>\u202e"
    run.scan["nodes"][run.plan["waves"][0]["nodes"][1]["node_id"]]["missing"] = [{"id": "</script>\u202e"}]
    for html in pages(run):
        page = Page(html)
        assert page.tags.count("script") == 2 and "img" not in page.tags
        assert not set("<>&") & set(page.data) and "\u202e" not in page.data and "\\u202e" not in page.data
        names = {row[0][0][0] for row in json.loads(page.data)["rows"]}
        assert "\u202e" not in str(json.loads(page.data))
        assert "<script>document.title='owned'</script>" in names


@pytest.mark.parametrize("run", [samples.Run({}, samples.plan_of([])), samples.Run({}, {})])
def test_empty_inputs_make_a_page(run: samples.Run) -> None:
    Page(render_report_html(build_report(run.plan, run.records, run.scan)))
    if run.plan:
        Page(render_plan_html(run.plan))


def test_a_scan_alone_makes_a_compliance_page() -> None:
    text = Page(render_report_html(build_report(scan=samples.completed().scan))).text
    assert "Patch compliance report" in text and "Skipped" not in text and "999900001111/eu-west-1" in text
    assert text.count("not compliant") > 61
    assert "kernel.x86_64" in text


def test_bars_show_everything_that_occurs_and_fill_the_width() -> None:
    parts = divide([("good", "patched", 9_999), ("bad", "failed", 1), ("held", "skipped", 0)])
    assert [part.name for part in parts] == ["good", "bad"]
    assert float(parts[1].width[:-1]) > 0.5
    assert sum(float(part.width[:-1]) for part in parts) == pytest.approx(100, abs=0.01)
    assert divide([("good", "patched", 0)]) == []


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=40))
def test_bars_are_to_scale(numbers: list[int]) -> None:
    lengths = to_scale(numbers)
    assert max(lengths) in (0, 100)
    for length, number in zip(lengths, numbers, strict=True):
        true = 100 * number / (max(numbers) or 1)
        assert length == pytest.approx(true) or (number and true < length < 1)


def test_a_plan_says_what_steers_its_run() -> None:
    text = " ".join(Page(render_plan_html(samples.steered_plan())).text.split())
    for said in (
        "Wave broad has no nodes, so its gate will pause: completely frozen",
        "does not fit: 18 nodes, 6 at a time, need 120 minutes",
        "3 turns of at most 6 nodes",
        "Expected to take 2 h 00 min of the 1 h 30 min before the cutoff, 6 nodes at the same time",
        "health checks: shop answers, queue is short",
        "partly frozen: Deployment",
        "commands that were not delivered, 2 retries; installs that failed, 1 retry",
        "at most 25% of the rollout, 6 of each zone, 1 of each cluster",
        "2 nodes are stopped and will be started",
        "early turn 3",
        "Its own reboot rulealways",
    ):
        assert said in text, said
    assert text.count("will be started; its missing patches are not known yet") == 2


def test_a_plan_s_page_has_what_a_change_board_signs() -> None:
    """Who and what, how far it is pinned, what can be undone, times of the window's zone, scan, approvals, CVEs."""
    plan = samples.completed().plan
    approval = {
        "by": "ana@example.com",
        "at": plan["created_at"],
        "source": "ticket",
        "reason": "CHG0040007",
        "roles": [],
    }
    page = Page(render_plan_html(plan, [approval]))
    text = " ".join(page.text.split())
    for said in (
        *("payments team", "checkout", "production", "CHECKOUT-PROD-AL2023", "production-al2023"),
        *("No baseline of the policy covers", "No other version of a planned package", "What can be undone"),
        *("Uninstall an update by hand", "Europe/Berlin", "from a scan of", plan["digest"]),
        *("ana@example.com", "CHG0040007", "CVE-2026-31431, CVE-2026-31402", "Packages removed"),
    ):
        assert said.lower() in text.lower(), said


def test_a_plain_plan_says_nothing_of_what_it_has_not() -> None:
    page = Page(render_plan_html(samples.completed().plan))
    assert not any(word in page.text for word in ("turn ", "will be started", "does not fit"))
    assert ("section", "class", "warnings") not in page.attributes


def test_hostile_warnings_and_notes_are_shown_and_do_nothing() -> None:
    plan = samples.steered_plan()
    odd = "<script>document.title='owned'</script>\u202e"
    plan["waves"][0] |= {"notes": [odd + "!"], "emptied": odd, "capacity": {"fits": False, "text": odd}}
    plan |= {"warnings": [odd], "rules": {"budgets": {"zone": odd}}}
    page = Page(render_plan_html(plan))
    assert page.tags.count("script") == 1 and page.text.count("<script>document") == 5
    assert "\u202e" not in page.text


def test_people_whose_signatures_counted_are_named_on_the_report() -> None:
    run = samples.completed()
    votes = [{"principal": f"{name}@example.com", "source": "ssh", "reason": "CHG1"} for name in ("ana", "ben")]
    approval = {"source": "trust", "verified": True, "counted": votes}
    first = run.records[0]
    records = [replace(first, data={**first.data, "approval": approval}), *run.records[1:]]
    report = build_report(run.plan, records, run.scan)
    assert [row["by"] for row in report.summary["approvals"]] == ["ana@example.com", "ben@example.com"]
    page = render_report_html(report)
    assert "approved by <bdi>ana@example.com</bdi>" in page and "approved by <bdi>ben@example.com</bdi>" in page


@pytest.mark.parametrize("source", ["approved_digest", "approval_file"])
def test_the_person_who_typed_an_approval_is_named_on_the_report(source: str) -> None:
    run = samples.completed()
    typed = {"by": "dana", "at": "", "reason": "", "source": source, "digest": run.plan["digest"]}
    first = run.records[0]
    records = [replace(first, data={**first.data, "approval": typed}), *run.records[1:]]
    assert "approved by <bdi>dana</bdi></span>" in render_report_html(build_report(run.plan, records, run.scan))


def tenants(text: str) -> dict[str, Any]:
    """Return an overview whose texts are all the same, of a tenant that is known and one of which nothing is."""
    compliance = {"nodes": 3, "compliant": 2, "non_compliant": 1, "unknown": 0, "as_of": "2026-11-27T06:00:00.000Z"}
    last = {"dir": text, "rollout": text, "at": "2026-11-27T06:00:00.000Z", "code": "paused", "tone": "held"}
    known = {
        "name": text,
        "title": text,
        "policy": text,
        "compliance": compliance,
        "last": {**last, "title": text, "headline": text, "nodes": {}},
        "next": {"dir": text, "at": "2026-12-08T20:30:00.000Z", "local": text, "text": text},
        "open_decisions": [{"about": text, "text": text}],
        "late": {"nodes": 1, "patches": 2, "oldest_days": None},
        "exceptions": {
            "in_force": 2,
            "expiring": [{"exception_id": text, "valid_until": "2026-12-01", "days_left": 1, "reason": text}],
        },
        "unknown": [],
    }
    nothing = dict.fromkeys(("compliance", "last", "next", "late", "exceptions"))
    rows = [known, {**known, **nothing, "open_decisions": [], "unknown": [text]}]
    sums = {"tenants": 2, "nodes": 3, "compliant": 2, "late_nodes": 1, "compliance_not_known": 1, "late_not_known": 1}
    sums |= {"exceptions_not_known": 1, "open_decisions": 1, "expiring": 1, "with_unknown": 1}
    at = "2026-11-28T06:00:00.000Z"
    return {"schema": "x", "at": at, "problems": [text], "totals": sums, "tenants": rows}


@given(ANY_TEXT)
@settings(max_examples=25, deadline=None)
def test_the_page_of_tenants_is_harmless_whatever_names_say(text: str) -> None:
    page, plain = Page(render_tenants_html(tenants(text))), Page(render_tenants_html(tenants("x")))
    assert page.tags == plain.tags and page.scripts == plain.scripts
    assert [item[:2] for item in page.attributes] == [item[:2] for item in plain.attributes]


def test_the_page_of_tenants_needs_no_network_and_never_shows_unknown_as_a_number() -> None:
    html = render_tenants_html(tenants("<b>contoso</b>"))
    page = Page(html)
    (policy,) = [value for tag, name, value in page.attributes if (tag, name) == ("meta", "content") and "src" in value]
    assert policy.startswith("default-src 'none'; style-src 'sha256-") and "unsafe" not in policy
    assert {value for _tag, name, value in page.attributes if name in ("href", "src") and value[:1] != "#"} == {
        "tenants.csv",
        "tenants.json",
    }
    assert not [name for _tag, name, _value in page.attributes if name == "style" or name.startswith("on")]
    second = html.split("<tbody>")[2]
    assert second.count("not known") >= 3 and "none planned" in second and "&lt;b&gt;contoso" in second
    assert "2 of 3 nodes compliant, 1 decision open, 1 node late, something is not known of 1 tenant." in html
